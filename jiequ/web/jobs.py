"""Jobs of the web layer: the demonstration's history, in the demonstration only."""

from django.conf import settings

if settings.DEMO:
    from .demo import seeding

    __all__ = ["seeding"]
