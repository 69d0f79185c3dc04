"""Jobs of the web layer: the demonstration's history."""

from .demo import seeding

__all__ = ["seeding"]
