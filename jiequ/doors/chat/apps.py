from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "jiequ.doors.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the sealed column; core finds the jobs."""
        from jiequ.core import secrets

        from .reporting import VOICE_PURPOSE

        secrets.sealed_column("chat.Voice", "sound_sealed", VOICE_PURPOSE)
