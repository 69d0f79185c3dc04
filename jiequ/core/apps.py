from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "jiequ.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register every kind of job there is: core's own chores, then each app's ``jobs.py``."""
        autodiscover_modules("chores", "jobs")
