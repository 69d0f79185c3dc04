from django.apps import AppConfig


class HotlineConfig(AppConfig):
    name = "jiequ.doors.hotline"
    label = "hotline"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell cases what a hotline knows of them: the return window, a part of the page; name the sealed columns."""
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from jiequ.cases.models import Case
        from jiequ.cases.queries.ledger import register_call_backs
        from jiequ.cases.queries.parts import Part, register_part
        from jiequ.cases.services import on_return_window
        from jiequ.core import secrets

        from . import purposes
        from .queries.orders import return_minutes_of
        from .queries.rates import call_backs_of

        def part(case: Case) -> Part | None:
            if case.source != "hotline":
                return None
            return Part(reverse("hotline:case", args=[case.number]), _("热线往来"))

        register_part(part)
        register_call_backs("hotline", call_backs_of)
        on_return_window(return_minutes_of)
        for model, field, purpose in purposes.COLUMNS:
            secrets.sealed_column(model, field, purpose)
