from django.apps import AppConfig


class WecomConfig(AppConfig):
    name = "jiequ.channels.wecom"
    label = "wecom"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what arrives, stand in the chain of ways, and let people in from WeCom's browser."""
        from django.core import checks
        from django.urls import reverse
        from django.utils.translation import gettext_lazy as _

        from jiequ.channels.arrivals.services import on_arrival
        from jiequ.channels.ports import register_way
        from jiequ.people.ways_in import WayIn, register_way_in

        from . import arriving, config, way

        checks.register(config.check)
        on_arrival("wecom", arriving.handle)
        register_way(way.WecomWay.name, way.make)
        register_way_in(WayIn("wecom", _("用企业微信登录"), config.is_home, lambda: reverse("wecom:sign_in")))
