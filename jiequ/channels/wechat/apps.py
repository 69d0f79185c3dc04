from django.apps import AppConfig


class WechatConfig(AppConfig):
    name = "jiequ.channels.wechat"
    label = "wechat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what arrives, stand in the chain of ways, name the sealed columns; core finds the jobs."""
        from jiequ.channels.arrivals.services import on_arrival
        from jiequ.channels.ports import register_way
        from jiequ.core import secrets

        from . import arriving, config, way
        from .services import followers, saying

        on_arrival(config.CHANNEL, arriving.handle)
        register_way(way.TemplateWay.name, way.make_template)
        register_way(way.SubscriptionWay.name, way.make_subscription)
        register_way(way.ServiceWay.name, way.make_service)
        secrets.sealed_column("wechat.Follower", "openid_sealed", followers.PURPOSE)
        secrets.sealed_column("wechat.Said", "body_sealed", saying.PURPOSE)
