from django.apps import AppConfig


class DingtalkConfig(AppConfig):
    name = "jiequ.channels.dingtalk"
    label = "dingtalk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what is sent and to what is given up."""
        from jiequ.channels.services import on_sent
        from jiequ.core.jobs import on_dead

        from . import services

        on_sent(services.hear_urgent)
        on_dead(services.hear_dead)
