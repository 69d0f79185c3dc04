"""A suspect's polygon by hand: drawn anew, several on one roof joined, one cut in two. Each is a version; undo is whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from django.utils import timezone
from django.utils.translation import gettext as _
from shapely.geometry import LineString, MultiPolygon, Polygon, shape
from shapely.ops import split, unary_union

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.core.ids import next_numbers
from jiequ.people.rules import Actor

from .. import access, ground
from ..models import Outline, Suspect, SuspectState
from .flights import record
from .recognising import PREFIX

LEAST_M2, MOST_M2 = 1.0, 200_000.0
FARTHEST_M = 500.0  # from where it was: a slip of the hand
NEAR_M = 3.0  # polygons that are joined lie no farther apart: one roof
MOST_JOINED = 20
Json = dict[str, Any]


def redraw(suspect: Suspect, *, geometry: Any, version: int, by: Actor, at: datetime) -> Outline:
    """The polygon as the analyst drew it. Refusal for what is none, too small or large, or elsewhere; Stale if changed."""
    access.require_judge(by, suspect.street_id)
    drawn = _checked(geometry)
    if ground.metres(drawn, _middle(suspect)).centroid.distance(shapely.Point(0, 0)) > FARTHEST_M:
        raise Refusal("outline_far", _("画的地方离这个图斑太远。"), facts={"field": "outline"})
    with writing():
        return _put(suspect, drawn, Outline.How.DRAWN, [], version, by, at)


def join(suspect: Suspect, *, others: Sequence[int], version: int, by: Actor, at: datetime) -> Outline:
    """This suspect and others that touch it become this one; the others are merged into it. Refusal where they lie apart."""
    access.require_judge(by, suspect.street_id)
    found = list(Suspect.objects.filter(pk__in=list(others)[:MOST_JOINED], street_id=suspect.street_id).exclude(pk=suspect.pk))
    found = [one for one in found if one.state not in (SuspectState.MERGED,)]
    if not found or len(found) != len(set(others)):
        raise Refusal("join_what", _("请选要并进来的图斑。"), facts={"field": "others"})
    whole = _joined([suspect, *found])
    with writing():
        outline = _put(suspect, whole, Outline.How.JOINED, [_state_of(one) for one in found], version, by, at)
        for one in found:
            changed = {"state": SuspectState.MERGED, "merged_into": suspect, "version": one.version + 1}
            if not Suspect.objects.filter(pk=one.pk, version=one.version).update(**changed):
                raise _stale(one)
    return outline


def cut(suspect: Suspect, *, line: Any, version: int, by: Actor, at: datetime) -> Outline:
    """The larger piece stays this suspect, the other becomes a new one. Refusal where the line does not cut it in two."""
    access.require_judge(by, suspect.street_id)
    larger, smaller = _pieces(suspect, line)
    number = next_numbers(PREFIX, timezone.localtime(at).year, 1)[0]
    middle = smaller.representative_point()
    with writing():
        piece = Suspect(
            street_id=suspect.street_id, number=number, point_id=suspect.point_id, cut_from=suspect, is_drawn=True,
            geometry=ground.to_json(smaller), lon=middle.x, lat=middle.y, area_m2=ground.area_m2(smaller),
            height_m=suspect.height_m, hint=suspect.hint, confidence=suspect.confidence, likelihood=suspect.likelihood,
            first_on=suspect.first_on, last_on=suspect.last_on, times_seen=suspect.times_seen, latest_id=suspect.latest_id,
            turn=suspect.turn, drawn_by=suspect.drawn_by, made_at=at,
        )  # fmt: skip
        piece.save(force_insert=True)
        return _put(suspect, larger, Outline.How.CUT, [_state_of(piece)], version, by, at)


def undo_outline(suspect: Suspect, *, by: Actor, at: datetime) -> None:
    """Strike out the last outline: the one before holds, what was joined is free again, the piece cut off goes back."""
    access.require_judge(by, suspect.street_id)
    last = Outline.objects.filter(suspect=suspect, undone_at=None).order_by("-version").first()
    if last is None:
        raise NotFound("no_outline", _("没有可以撤销的轮廓。"))
    with writing():
        if not Suspect.objects.filter(pk=suspect.pk, version=last.version).update(**last.was, version=last.version + 1):
            raise _stale(suspect)
        Outline.objects.filter(pk=last.pk).update(undone_at=at)
        for other in last.others:
            _back(suspect, last.how, other)
        record(by, suspect.street_id, at, "outline_undo", "suspect", suspect.pk, how=last.how)


def _back(suspect: Suspect, how: str, other: Json) -> None:
    """A joined one is what it was; a piece that was cut off, if nobody judged it meanwhile, is merged back."""
    version = other["version"]
    if how == Outline.How.JOINED:
        back = {"state": other["state"], "merged_into": None, "version": version + 2}
        done = Suspect.objects.filter(pk=other["id"], version=version + 1).update(**back)
    else:
        back = {"state": SuspectState.MERGED, "merged_into": suspect, "version": version + 1}
        done = Suspect.objects.filter(pk=other["id"], version=version, state=SuspectState.OPEN).update(**back)
    if not done:
        raise Stale("changed", _("其中一个图斑后来变了，不能撤销。"))


def _put(
    suspect: Suspect, drawn: Polygon | MultiPolygon, how: str, others: list[Json], version: int, by: Actor, at: datetime
) -> Outline:
    if suspect.state == SuspectState.MERGED:
        raise Refusal("merged", _("这个图斑已经并入别的图斑。"))
    middle, area = drawn.representative_point(), ground.area_m2(drawn)
    was = {name: getattr(suspect, name) for name in ("geometry", "lon", "lat", "area_m2", "is_drawn")}
    geometry = ground.to_json(drawn)
    changes = {"geometry": geometry, "lon": middle.x, "lat": middle.y, "area_m2": area, "is_drawn": True}
    if not Suspect.objects.filter(pk=suspect.pk, version=version).update(**changes, version=version + 1):
        raise _stale(suspect)
    outline = Outline(
        suspect=suspect, version=version + 1, how=how, geometry=geometry, area_m2=area, was=was, others=others, made_at=at,
        made_by=by.person_id or 0,
    )  # fmt: skip
    outline.save(force_insert=True)
    record(by, suspect.street_id, at, f"outline_{how}", "suspect", suspect.pk, others=len(others))
    return outline


def _checked(geometry: Any) -> Polygon | MultiPolygon:
    try:
        drawn = ground.polygon_of(geometry)
    except ground.BadShape as bad:
        words = {"shape_crosses_itself": _("画的线自己交叉了，请重画。"), "shape_not_degrees": _("坐标不是经纬度。")}
        raise Refusal(bad.code, words.get(bad.code, _("这不是一个多边形。")), facts={"field": "outline"}) from None
    if not LEAST_M2 <= ground.area_m2(drawn) <= MOST_M2:
        raise Refusal("outline_size", _("面积太小或太大，请重画。"), facts={"field": "outline"})
    return drawn


def _joined(suspects: Sequence[Suspect]) -> Polygon | MultiPolygon:
    """One polygon over all: gaps up to NEAR_M between them are bridged."""
    middle = _middle(suspects[0])
    local = [ground.metres(shape(one.geometry), middle) for one in suspects]
    bridged = unary_union([one.buffer(NEAR_M / 2, join_style="mitre") for one in local])
    if not isinstance(bridged, Polygon):
        raise Refusal("join_apart", _("它们隔得太远，不在一个屋顶上。"), facts={"field": "others"})
    whole = bridged.buffer(-NEAR_M / 2, join_style="mitre").union(unary_union(local))
    whole = max(whole.geoms, key=lambda one: one.area) if isinstance(whole, MultiPolygon) else whole
    return _checked(ground.to_json(_degrees(whole, middle)))


def _pieces(suspect: Suspect, line: Any) -> tuple[Polygon, Polygon]:
    """The larger and the smaller of exactly two."""
    try:
        drawn = LineString([(float(x), float(y)) for x, y in line])
    except (TypeError, ValueError):
        raise Refusal("cut_line", _("请画一条切线。"), facts={"field": "line"}) from None
    found = shape(suspect.geometry)
    pieces = [one for one in split(found, drawn).geoms if isinstance(one, Polygon)] if drawn.length else []
    if len(pieces) != 2:
        raise Refusal("cut_two", _("这条线没有把它切成两块。"), facts={"field": "line"})
    smaller, larger = sorted(pieces, key=lambda one: one.area)
    _checked(ground.to_json(smaller))
    return larger, smaller


def _degrees(geometry: Any, middle: tuple[float, float]) -> Any:
    per_lon, per_lat = ground.metres_per_degree(middle[1])
    return shapely.transform(geometry, lambda points: points / (per_lon, per_lat) + middle)


def _middle(suspect: Suspect) -> tuple[float, float]:
    return suspect.lon, suspect.lat


def _state_of(suspect: Suspect) -> Json:
    return {"id": suspect.pk, "state": suspect.state, "version": suspect.version}


def _stale(suspect: Suspect) -> Stale:
    return Stale("changed", _("%(number)s 刚刚变了，请再看一眼。") % {"number": suspect.number})
