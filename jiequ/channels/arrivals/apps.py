from django.apps import AppConfig


class ArrivalsConfig(AppConfig):
    name = "jiequ.channels.arrivals"
    label = "arrivals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every worker hands arrivals on; core finds the chores."""
        from jiequ.core.worker import register_loop

        from . import handing

        register_loop("arrivals", handing.work, longest_sleep_seconds=0.2)
