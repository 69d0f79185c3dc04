from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "jiequ.channels.tokens"
    label = "tokens"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The tokens are sealed like any other secret."""
        from jiequ.core import secrets

        from .services import PURPOSE

        secrets.sealed_column("tokens.Token", "value_sealed", PURPOSE)
