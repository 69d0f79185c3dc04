from django.apps import AppConfig


class CardsConfig(AppConfig):
    name = "jiequ.doors.cards"
    label = "cards"

    def ready(self) -> None:
        """Answer for every card about a case."""
        from jiequ.channels.wecom.deeds import register_deeds

        from .deeds import CaseDeeds

        register_deeds("case", CaseDeeds())
