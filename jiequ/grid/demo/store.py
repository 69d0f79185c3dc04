"""Writes the demonstration's geography. Kept apart from ``build``, which needs no database."""

from __future__ import annotations

from datetime import datetime

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden
from jiequ.core.models import District, Street
from jiequ.people.rules import Actor, Role

from ..services.common import changed, record
from ..services.store import store_drawing
from . import DemoGeography


def store(geography: DemoGeography, by: Actor, at: datetime) -> dict[str, Street]:
    """The district, its streets and their maps, in one transaction; streets that exist are filled. code9 -> street."""
    if not by.has(Role.SYSTEM, Role.SYSTEM_ADMIN):
        raise Forbidden("not_your_map", "Only the system stores the demonstration.")
    code6, name_zh, name_en = geography.district
    found: dict[str, Street] = {}
    with writing():
        District.objects.get_or_create(code6=code6, defaults={"name_zh": name_zh, "name_en": name_en})
        for drawn in geography.streets:
            names = {"prefix": drawn.prefix, "name_zh": drawn.name_zh, "name_en": drawn.name_en}
            street, _ = Street.objects.get_or_create(code9=drawn.code9, defaults=names)
            counts = store_drawing(street.pk, drawn.drawing, {}, at)
            changed(street.pk, at)
            record(by, street.pk, at, "demo_store", "street", street.pk, {"unit_grids": counts["unit_grid"].added})
            found[drawn.code9] = street
    return found
