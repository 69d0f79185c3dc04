from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "jiequ.doors.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the account, name the sealed column, say where recordings are heard; core finds the jobs."""
        from jiequ.cases.queries.recordings import register_recordings
        from jiequ.channels.arrivals.services import on_arrival
        from jiequ.channels.wechat.services import on_forgotten
        from jiequ.core import secrets

        from . import arriving
        from .addresses import SYSTEM
        from .queries import recordings
        from .reporting import VOICE_PURPOSE

        on_arrival(SYSTEM, arriving.handle)
        on_forgotten("chat", arriving.forget)
        register_recordings(SYSTEM, recordings)
        secrets.sealed_column("chat.Voice", "sound_sealed", VOICE_PURPOSE)
