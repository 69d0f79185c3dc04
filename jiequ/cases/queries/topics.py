"""Place topics of a street: the confirmed ones, those that may be one, their cases, and how much each moves people now.

One SELECT reads the newest ``MOST`` reports of ``RECENT_DAYS``; grouping and heat are the engine's. Never 举报, nothing held
for a look, nothing imported, nothing that the reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jiequ.grid.rules import distance_m
from jiequ.people.rules import Actor
from jiequ.triage.engine.heat import heat
from jiequ.triage.engine.incidents import Spot, topics

from ..flow import State
from ..models import Case, Report, Topic
from ..reach import reach_m

RECENT_DAYS, MOST = 60, 5_000  # (P)
LEAST_CASES, LEAST_VOICES = 3, 2
"""A place becomes a topic from so many cases of so many different people on (P)."""
FARTHEST_M = 500.0
"""A chain of neighbours that reaches farther from its middle is no place any more (P)."""


@dataclass(frozen=True, slots=True)
class Told:
    """One report of a case on the map; ``who``: a blinded key, "" for anybody who left none."""

    case_id: int
    type_id: int
    lon: float
    lat: float
    at: datetime
    who: str
    reach_m: float


@dataclass(frozen=True, slots=True)
class Place:
    """A circle in which reports of a type lie. ``cases``: newest first; ``voices``: different people; ``heat``: fading."""

    type_id: int
    anchor_id: int
    lon: float
    lat: float
    radius_m: float
    cases: tuple[int, ...]
    voices: int
    heat: float
    last_at: datetime | None


def told(actor: Actor, street_id: int, *, base_m: float, at: datetime) -> list[Told]:
    """The newest reports with a type and a point. One SELECT."""
    seen = Case.objects.visible_to(actor).filter(street_id=street_id, lon__isnull=False, event_type__isnull=False)
    seen = seen.filter(is_confidential=False, is_suspect=False, imported_from="").exclude(state=State.MERGED)
    recent = Report.objects.filter(case__in=seen.values("pk"), at__gt=at - timedelta(days=RECENT_DAYS), at__lte=at)
    rows = recent.order_by("-at", "-pk").values_list(
        "case_id",
        "case__event_type_id",
        "case__lon",
        "case__lat",
        "at",
        "case__condition__edition__major_code",
        "reporter__account_blind",
        "reporter__phone_blind",
        "device_blind",
        "by_id",
    )[:MOST]
    return [
        Told(case, kind, lon or 0.0, lat or 0.0, when, _who(account, phone, device, by_id), reach_m(major or "", base_m))
        for case, kind, lon, lat, when, major, account, phone, device, by_id in rows
    ]


def _who(account: str | None, phone: str | None, device: str, by_id: int | None) -> str:
    """One person as far as can be told: their account, phone or browser; of staff, whoever wrote it down."""
    return account or phone or device or (f"staff:{by_id}" if by_id else "")


def in_force(street_id: int) -> list[Topic]:
    """Confirmed and not ended. One SELECT."""
    return list(Topic.objects.filter(street_id=street_id, ended_at=None).select_related("confirmed_by").order_by("-pk"))


def place_of(topic: Topic, reports: Iterable[Told], *, at: datetime) -> Place:
    """What lies in a confirmed topic's circle now."""
    inside = [one for one in reports if one.type_id == topic.event_type_id and _is_inside(topic, one)]
    return _place(inside, topic.event_type_id, topic.anchor_id, (topic.lon, topic.lat), topic.radius_m, at)


def possible(reports: Sequence[Told], confirmed: Sequence[Topic], *, at: datetime) -> list[Place]:
    """Places nobody confirmed yet, the hottest first. Pure."""
    by_case: dict[int, list[Told]] = {}
    for one in reports:
        by_case.setdefault(one.case_id, []).append(one)
    spots = [Spot(pk, rows[0].lon, rows[0].lat, str(rows[0].type_id), rows[0].reach_m) for pk, rows in by_case.items()]
    groups = [[one for pk in group for one in by_case[pk]] for group in topics(spots) if len(group) >= LEAST_CASES]
    found = [_circle(group, at) for group in groups]
    new = [one for one in found if one.voices >= LEAST_VOICES and one.radius_m <= FARTHEST_M and not _is_known(one, confirmed)]
    return sorted(new, key=lambda one: (-one.heat, one.anchor_id))


def _circle(group: Sequence[Told], at: datetime) -> Place:
    """The circle about the middle of the cases (one a case, however many spoke) that holds them all and their reach."""
    spots = {one.case_id: one for one in group}
    lon = sum(one.lon for one in spots.values()) / len(spots)
    lat = sum(one.lat for one in spots.values()) / len(spots)
    radius = max(max(distance_m(lon, lat, one.lon, one.lat), one.reach_m) for one in spots.values())
    return _place(group, group[0].type_id, min(spots), (lon, lat), round(radius, 1), at)


def _place(
    group: Sequence[Told], type_id: int, anchor_id: int, middle: tuple[float, float], radius_m: float, at: datetime
) -> Place:
    return Place(
        type_id=type_id,
        anchor_id=anchor_id,
        lon=middle[0],
        lat=middle[1],
        radius_m=radius_m,
        cases=tuple(sorted({one.case_id for one in group}, reverse=True)),
        voices=len({one.who for one in group}),
        heat=heat(((one.who, one.at.timestamp()) for one in group), at=at.timestamp()),
        last_at=max((one.at for one in group), default=None),
    )


def _is_inside(topic: Topic, one: Told) -> bool:
    return distance_m(topic.lon, topic.lat, one.lon, one.lat) <= topic.radius_m


def _is_known(place: Place, confirmed: Iterable[Topic]) -> bool:
    return any(
        topic.event_type_id == place.type_id and distance_m(topic.lon, topic.lat, place.lon, place.lat) <= topic.radius_m
        for topic in confirmed
    )
