"""The gazetteer by hand: a road, an estate, a village, a river or a landmark, and the names people have for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.rules import Actor

from .. import access
from ..lines import Lines, coarse, middle, packed
from ..models import Community, Place, PlaceKind
from ..rules import CoordinateSystem, is_position, to_canonical
from .common import changed, record
from .store import located

LONGEST, SHORTEST, MOST_ALIASES = 40, 2, 20


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """A place as it is written down; x and y in ``system``, and so is ``line``, the course of a road or a river.

    Without x and y a place with a line lies half way along it.
    """

    community_id: int
    kind: str
    name: str
    x: float | None = None
    y: float | None = None
    aliases: tuple[str, ...] = ()
    system: str = CoordinateSystem.CGCS2000
    line: Lines = ()


def add_place(*, street_id: int, facts: PlaceFacts, by: Actor, at: datetime) -> Place:
    """A new place. Refused: a name the community has already for this kind, too short or long a name, no position."""
    access.require_edit(by, street_id)
    row = Place(street_id=street_id, **_columns(street_id, facts))
    try:
        with writing():
            Place.objects.bulk_create([row])
            changed(street_id, at)
            record(by, street_id, at, "place_add", "place", row.pk, {"kind": row.kind})
    except IntegrityError:
        raise _taken(facts) from None
    return row


def edit_place(*, place_id: int, version: int, facts: PlaceFacts, by: Actor, at: datetime) -> None:
    """Changes a place. Stale if somebody changed it after ``version``."""
    place = _place(place_id, by)
    columns = _columns(place.street_id, facts)
    try:
        with writing():
            rows = Place.objects.filter(pk=place.pk, version=version)
            _refuse_stale(rows.update(**columns, version=F("version") + 1))
            changed(place.street_id, at)
            record(by, place.street_id, at, "place_edit", "place", place.pk, {"kind": facts.kind})
    except IntegrityError:
        raise _taken(facts) from None


def remove_place(*, place_id: int, version: int, by: Actor, at: datetime) -> None:
    """Removes a place; cases keep their own point and address, landmarks beside it stand alone."""
    place = _place(place_id, by)
    with writing():
        deleted, _rows = Place.objects.filter(pk=place.pk, version=version).delete()
        _refuse_stale(deleted)
        changed(place.street_id, at)
        record(by, place.street_id, at, "place_remove", "place", place.pk)


def _place(place_id: int, by: Actor) -> Place:
    place = Place.objects.filter(pk=place_id).first()
    if place is None or not (access.may_read(by, place.street_id) or access.may_edit(by, place.street_id)):
        raise NotFound("no_such_place", _("没有找到这个地点。"))
    access.require_edit(by, place.street_id)
    return place


def _refuse_stale(rows_changed: int) -> None:
    if not rows_changed:
        raise Stale("place_changed", _("这个地点刚刚被别人改过，请刷新后再改。"))


def _taken(facts: PlaceFacts) -> Refusal:
    return Refusal("place_taken", _("这个社区已经有“%(name)s”了。") % {"name": facts.name}, facts={"field": "name"})


def _columns(street_id: int, facts: PlaceFacts) -> dict[str, Any]:
    names = tuple(dict.fromkeys([facts.name.strip(), *filter(None, (one.strip() for one in facts.aliases))]))
    if not all(SHORTEST <= len(one) <= LONGEST for one in names) or len(names) > MOST_ALIASES + 1:
        raise Refusal("place_name", _("地名和别名要 2 到 40 个字，别名不超过 20 个。"), facts={"field": "name"})
    if facts.kind not in PlaceKind.values:
        raise Refusal("place_kind", _("请选择地点的种类。"), facts={"field": "kind"})
    if not Community.objects.filter(pk=facts.community_id, street_id=street_id, retired_at=None).exists():
        raise Refusal("place_community", _("请选择本街道的社区。"), facts={"field": "community"})
    if facts.system not in set(CoordinateSystem):
        raise Refusal("point_system", _("请选择坐标系。"), facts={"field": "system"})
    course = _course(facts)
    x, y, system = facts.x, facts.y, facts.system
    if course and x is None and y is None:
        (x, y), system = middle(course), CoordinateSystem.CGCS2000
    if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)) or not is_position(x, y):
        raise Refusal("point_position", _("坐标应是经度和纬度，例如 113.500000、23.180000。"), facts={"field": "x"})
    said = {"name": names[0], "aliases": list(names[1:]), "words": "\n".join(names).lower(), "line": packed(course)}
    return said | located(x, y, system) | {"community_id": facts.community_id, "kind": facts.kind}


def _course(facts: PlaceFacts) -> Lines:
    """The line in CGCS2000, coarse. Refusal for one of a place that has no course, or that is none."""
    if not facts.line:
        return ()
    if facts.kind not in (PlaceKind.ROAD, PlaceKind.RIVER):
        raise Refusal("place_line", _("只有道路和河涌有走向，其他地点填经纬度。"), facts={"field": "line"})
    try:
        return coarse([[to_canonical(*pair, facts.system) for pair in part] for part in facts.line])
    except ValueError:
        sentence = _("走向至少两个点，都在经纬度范围内，化简到 25 米后不超过 500 个点。")
        raise Refusal("place_line", sentence, facts={"field": "line"}) from None
