from django.apps import AppConfig
from django.core import checks


class ChannelsConfig(AppConfig):
    name = "jiequ.channels"
    label = "channels"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the stub port and the sealed columns; core finds the jobs."""
        from jiequ.core import secrets

        from . import notices, ports, stub
        from .email import way as email
        from .sms import aliyun

        checks.register(ports.check)
        ports.register_port(stub.StubPort.name, stub.StubPort)
        ports.register_port(aliyun.NAME, aliyun.make)
        ports.register_way(email.EmailWay.name, email.make)
        secrets.sealed_column("channels.Message", "to_account_sealed", notices.ACCOUNT_PURPOSE)
        for model in ("channels.Message", "channels.CallBack"):
            secrets.sealed_column(model, "to_phone_sealed", notices.PHONE_PURPOSE)
