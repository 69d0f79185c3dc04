"""The app."""

from django.apps import AppConfig


class Open311Config(AppConfig):
    name = "jiequ.doors.open311"
    label = "open311"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the floors below: refusals under our address are spoken in the standard's words; what is sealed."""
        from jiequ.cases.beside import register_links
        from jiequ.core import secrets
        from jiequ.core.http import shape_under

        from .services import media, partners
        from .services.publishing import links
        from .speech import refused

        shape_under("/open311/v2/", refused)
        shape_under("/open311/discovery.", refused)
        register_links(links)
        secrets.sealed_column("open311.MediaFetch", "url_sealed", media.PURPOSE)
        secrets.sealed_column("open311.Partner", "key_sealed", partners.PURPOSE)
