from django.apps import AppConfig


class WeChatPagesConfig(AppConfig):
    name = "jiequ.doors.wechat_pages"
    label = "wechat_pages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Where the account is configured: it lets people in, ties itself to the roster, and answers scans."""
        from . import wiring

        wiring.wire()
