from collections.abc import Sequence

from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "jiequ.insight"
    label = "insight"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the outbox where a notice about a brief or a file leads."""
        from django.urls import reverse

        from jiequ.channels.services import register_links
        from jiequ.doors.hotline.services import on_visit
        from jiequ.people.rules import Actor, Role

        from .jobs import called_back

        def briefs(street_ids: Sequence[str], actor: Actor) -> dict[str, str]:
            found = [i for i in street_ids if i.isdigit() and actor.has(Role.LEADER, Role.DUTY_LEADER, street_id=int(i))]
            return {i: f"{reverse('insight:brief')}?street={i}" for i in found}

        register_links("brief", briefs)
        on_visit(called_back)
