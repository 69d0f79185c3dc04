"""The programs' door to the loop, under ``/api/v1/``: importing its modules registers their operations (docs/api.md)."""

from __future__ import annotations

from django.urls import URLPattern

from jiequ.people.access import with_token

from . import moving, outside, reading
from .door import api

__all__ = ["moving", "outside", "reading", "urlpatterns"]

urlpatterns: list[URLPattern] = [one for one in api.urls[0] if isinstance(one, URLPattern) and one.name != "api-root"]
for _pattern in urlpatterns:
    with_token(_pattern.callback)
