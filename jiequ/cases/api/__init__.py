"""The programs' door to the loop, under ``/api/v1/``: importing its modules registers their operations (docs/api.md)."""

from __future__ import annotations

from django.urls import URLPattern, path

from jiequ.people.access import with_token

from . import moving, outside, page, reading
from .door import api

__all__ = ["moving", "outside", "page", "reading", "urlpatterns"]

urlpatterns: list[URLPattern] = [one for one in api.urls[0] if isinstance(one, URLPattern) and one.name != "api-root"]
for _pattern in urlpatterns:
    with_token(_pattern.callback)
urlpatterns.append(path("openapi.json", page.openapi, name="openapi"))
