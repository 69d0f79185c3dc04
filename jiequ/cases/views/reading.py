"""What a report's form says, read from the request: words, place, photos, contact. Pages and the programs' door share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from jiequ.core import pictures
from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE
from jiequ.grid.models import Place as NamedPlace
from jiequ.grid.queries import places, plate, point_of
from jiequ.grid.rules import distance_m, is_position

from ..services import Contact, Place, canonical
from ..services.narrowing import whole

SURE_M = 50.0
DOUBT_M, DOUBT_TIME = 500.0, timedelta(hours=24)  # (P) beyond them the desk is told that a photo says otherwise
_LATEST = timedelta(minutes=5)
_OLDEST = timedelta(days=7)


def place_of(data: Any) -> Place:
    """Where: a point of the phone, else a plate that was scanned, a place by name, a community, or words."""
    said, point = str(data.get("place_words", "")).strip(), _point(data)
    if told := str(data.get("told_place", "")).strip():
        confirmed = _told(told, said, _pin(point))
        if confirmed is not None:
            return confirmed
        said = f"{told[1:81]} {said}".strip() if told[1:81] not in said else said
    named = _named(data)
    if point is not None and (named is None or is_sure(data)):
        return replace(point, words=f"{named.name if named else ''} {said}".strip())
    if code := str(data.get("plate", "")).strip():
        found = plate(code)
        if found is None:
            raise Refusal("unknown_plate", _("没有这块点位牌，请核对牌上的编号。"), facts={"field": "plate"})
        words = f"{found.name} {said}".strip()
        return Place(found.lon, found.lat, "cgcs2000", words=words)
    if named is not None:
        return Place(*point_of(named, _pin(point)), "cgcs2000", words=f"{named.name} {said}".strip())
    return Place(community_id=whole(data, "community"), words=said)


def _pin(point: Place | None) -> tuple[float, float] | None:
    return canonical(point) if point is not None else None


def _told(told: str, said: str, pin: tuple[float, float] | None) -> Place | None:
    """A place told in the words and confirmed ("p12", "u" and a unit grid's digits); None for a mere name ("w…").

    Of a road or a river it is the point nearest to the pin, which is wrong by then but not without a meaning (P).
    """
    if told[0] == "p" and (named := _named({"place": told[1:]})):
        words = said if named.name in said else f"{named.name} {said}".strip()
        return Place(*point_of(named, pin), "cgcs2000", words=words)
    if told[0] == "u" and (unit := plate(told[1:])):
        return Place(unit.lon, unit.lat, "cgcs2000", words=f"{unit.name} {said}".strip())
    if told[0] != "w":
        raise Refusal("unknown_place", _("没有这个地点，请重新选择。"), facts={"field": "place"})
    return None


def street_told(data: Any) -> int | None:
    """The street of a stored place that was told and confirmed; it may lie outside every grid."""
    told = str(data.get("told_place", "")).strip()
    named = _named({"place": told[1:]}) if told.startswith("p") else None
    return named.street_id if named else None


def _point(data: Any) -> Place | None:
    lon, lat = _number(data, "lon"), _number(data, "lat")
    if lon is None or lat is None:
        return None
    return Place(lon, lat, str(data.get("system") or "wgs84"), _number(data, "accuracy_m"))


def _named(data: Any) -> NamedPlace | None:
    """The road, estate or landmark that was chosen; the landmark is nearer to it."""
    place_id = whole(data, "landmark") or whole(data, "place")
    if place_id is None:
        return None
    named = places().filter(pk=place_id).first()
    if named is None:
        raise Refusal("unknown_place", _("没有这个地点，请重新选择。"), facts={"field": "place"})
    return named


def is_sure(data: Any) -> bool:
    """True if the point may be trusted over a place chosen by name: exact enough, tapped on the map, or confirmed."""
    accuracy = _number(data, "accuracy_m")
    return str(data.get("place_sure", "")) in {"map", "near"} or (accuracy is not None and accuracy <= SURE_M)


def contact_of(data: Any) -> Contact | None:
    """Who, if they said so."""
    name, phone = str(data.get("name", "")).strip(), str(data.get("phone", "")).strip()
    if not name and not phone:
        return None
    is_minor, has_guardian = data.get("is_minor") == "on", data.get("guardian") == "on"
    if is_minor and not has_guardian:
        raise Refusal("guardian_missing", _("未满 14 岁请由监护人同意后再留下联系方式。"), facts={"field": "guardian"})
    return Contact(name=name, phone=phone, is_minor_with_guardian=is_minor)


def contact_with(data: Any, account: str) -> Contact | None:
    """The same, and the account they came in by; a child's without a guardian beside them is left out like a phone."""
    contact = contact_of(data)
    if not account or (data.get("is_minor") == "on" and data.get("guardian") != "on"):
        return contact
    return replace(contact or Contact(is_minor_with_guardian=data.get("is_minor") == "on"), account=account)


def moment_of(text: str) -> datetime | None:
    """A date and time; None for one that is not on any calendar, or so far off that no clock can count with it."""
    try:
        given = parse_datetime(text)
    except ValueError:
        return None
    return given if given is not None and 1970 <= given.year <= 2200 else None


def seen_at_of(data: Any, at: datetime) -> datetime | None:
    """When the page says it was seen; a clock that is wrong or a time long past is left out."""
    given = moment_of(str(data.get("located_at", "")))
    if given is None or given.tzinfo is None or not at - _OLDEST <= given <= at + _LATEST:
        return None
    return min(given, at)


def doubts_of(photos: Sequence[pictures.Clean], place: Place, seen_at: datetime) -> tuple[str, ...]:
    """Where a photo's own data disagrees with what the page recorded, as codes for the desk (words.DOUBTS).

    EXIF only confirms: it is often absent and easily wrong, so a doubt is shown and decides nothing. Its points are WGS-84.
    """
    found = set()
    point = canonical(place) if place.x is not None and place.y is not None else None
    for hints in (photo.hints for photo in photos):
        if hints.taken_at is not None and abs(hints.taken_at - seen_at) > DOUBT_TIME:
            found.add("photo_time")
        if point and _is_far(point, hints):
            found.add("photo_place")
    return tuple(sorted(found))


def _is_far(point: tuple[float, float], hints: pictures.Hints) -> bool:
    if hints.lon is None or hints.lat is None or not is_position(hints.lon, hints.lat):
        return False
    return distance_m(*point, hints.lon, hints.lat) > DOUBT_M


def _number(data: Any, name: str) -> float | None:
    value = str(data.get(name) or "").strip()
    if not value:
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise Refusal("bad_number", _("“%(name)s”不是数字。") % {"name": name}, facts={"field": name}) from error
    if number != number or number in (float("inf"), float("-inf")):
        raise Refusal("bad_number", _("“%(name)s”不是数字。") % {"name": name}, facts={"field": name})
    return number


def device_of(request: HttpRequest) -> str:
    """The random id a browser carries for limits; made by the report page, never joined with a person."""
    return str(request.COOKIES.get("device", ""))[:64]


def outer_due_of(data: Any) -> datetime | None:
    """The time limit printed on a hotline's order, in local time if no zone is given; None if empty."""
    value = str(data.get("outer_due_at") or "").strip()
    if not value:
        return None
    given = moment_of(value)
    if given is None:
        raise Refusal("bad_time", _("工单时限不是一个时间。"), facts={"field": "outer_due_at"})
    return given if given.tzinfo else given.replace(tzinfo=ZONE)
