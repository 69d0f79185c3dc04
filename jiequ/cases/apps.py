from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "jiequ.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the floors below what they may ask of cases: links, lost notices, hand-over, sealed columns."""
        from django.urls import reverse

        from jiequ.channels.chain import register_page
        from jiequ.channels.notices import ACCOUNT_PURPOSE, PHONE_PURPOSE
        from jiequ.channels.services import on_not_delivered, register_links
        from jiequ.core import secrets
        from jiequ.people.rules import Actor
        from jiequ.people.services import on_hand_over
        from jiequ.triage.access import READERS
        from jiequ.triage.services import on_alarm, register_feed

        from .models import Case
        from .queries.taught import Ledger
        from .services import drifting, handover, hooks, intake

        def links(case_ids: Sequence[str], actor: Actor) -> dict[str, str]:
            found = Case.objects.visible_to(actor).filter(pk__in=[int(i) for i in case_ids]).values_list("pk", "number")
            return {str(pk): reverse("cases:case", args=[number]) for pk, number in found}

        def query_page(about: str, facts: Mapping[str, Any]) -> str:
            return reverse("cases:query") + "?" + urlencode({"number": facts.get("number", "")})

        def drift_page(_ids: Sequence[str], actor: Actor) -> dict[str, str]:
            return {kind: reverse("triage:home") for kind in _ids} if actor.has(*READERS) else {}

        register_links("case", links)
        register_links(drifting.ABOUT, drift_page)
        register_page("tel", query_page)
        on_not_delivered(handover.note_not_delivered)
        on_hand_over("cases", handover.move_work, handover.open_work)
        register_feed(Ledger())
        on_alarm(drifting.tell_desks)
        secrets.sealed_column("cases.Reporter", "name_sealed", intake.NAME_PURPOSE)
        secrets.sealed_column("cases.Webhook", "secret_sealed", hooks.PURPOSE)
        secrets.sealed_column("cases.Webhook", "old_secret_sealed", hooks.PURPOSE)
        secrets.sealed_column("cases.Reporter", "phone_sealed", PHONE_PURPOSE)
        secrets.sealed_column("cases.Reporter", "account_sealed", ACCOUNT_PURPOSE)
