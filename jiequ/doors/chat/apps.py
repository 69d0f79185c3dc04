from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "jiequ.doors.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"
