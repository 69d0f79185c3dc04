"""Is it known: earlier reports of perhaps the same matter, by place, time, type, words and photo (docs/adr/0042).

One SELECT finds at most ``CANDIDATES`` reports near by (q18 ranges) or, without a point, of the community; their words are
compared by stored sketches, and only the ``READ`` best are read. Nothing of it is kept in the process but the district's counts
of n-grams (``TextWeights``, some hundred kB), looked at anew when another row stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import local
from typing import Any

import numpy as np
from django.db.models import DateTimeField, FloatField, Q, QuerySet
from numpy.typing import NDArray

from jiequ.core.prepared import Bind, Prepared
from jiequ.grid.rules import bbox_around, metres_per_degree, q18_ranges
from jiequ.triage.engine.pairs import Badge, Likeness, Seen, likeness, read
from jiequ.triage.engine.sketches import shares
from jiequ.triage.engine.text import Weigher

from ..flow import ENDED, State
from ..models import Case, Proof, Report, TextWeights
from ..reach import FARTHEST, RECENT_DAYS, reach_m
from .listing import row_of

CANDIDATES, READ, RANGES = 500, 12, 16
_NEVER = (-2, -1)
_KEPT = local()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for. ``base_m``: the street's own ``near_m``; ``major``: the major class of the type, if known."""

    words: str
    at: datetime
    lon: float | None = None
    lat: float | None = None
    community_id: int | None = None
    event_type_id: int | None = None
    major: str = ""
    base_m: float = 60.0
    photos: tuple[int, ...] = ()
    without: int = 0  # the case asked for itself
    street_id: int | None = None
    is_open_only: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier case, how like its likest report is, and how far off in metres (None: one of the two has no point)."""

    case: Case
    likeness: Likeness
    metres: float | None


_COLUMNS = ("pk", "case_id", "sketch", "case__lon", "case__lat", "at", "case__event_type_id")


def _open(reports: QuerySet[Report]) -> QuerySet[Report]:
    hidden = (
        Q(case__is_confidential=True) | Q(case__is_suspect=True) | Q(case__imported_from__gt="", case__ended_at__isnull=False)
    )
    recent = Q(case__ended_at__isnull=True) | Q(case__ended_at__gte=Bind("ended_after", DateTimeField()))
    return reports.exclude(hidden).filter(recent, at__lte=Bind("at", DateTimeField())).exclude(case=Bind("without"))


def _near() -> QuerySet[Any, Any]:
    ranges = Q(pk__in=())
    for n in range(RANGES):
        ranges |= Q(case__q18__gte=Bind(f"low{n}"), case__q18__lte=Bind(f"high{n}"))
    inside = Q(case__lon__range=(Bind("west", FloatField()), Bind("east", FloatField())))
    inside &= Q(case__lat__range=(Bind("south", FloatField()), Bind("north", FloatField())))
    return _open(Report.objects.filter(ranges, inside)).order_by("-case_id").values_list(*_COLUMNS)[:CANDIDATES]


def _around() -> QuerySet[Any, Any]:
    there = Report.objects.filter(case__community=Bind("community"))
    return _open(there).order_by("-case_id").values_list(*_COLUMNS)[:CANDIDATES]


_BY_POINT, _BY_COMMUNITY = Prepared(_near), Prepared(_around)
_WORDS = Prepared(lambda: Report.objects.filter(pk__in=Bind("reports")).values_list("pk", "words", "place_words"))
_PHOTOS = Prepared(
    lambda: (
        Proof.objects.filter(report__in=Bind("reports"), phase=Proof.Phase.REPORT, picture__dhash__isnull=False)
        .order_by()
        .values_list("report_id", "picture__dhash")
    )
)
_CASES = Prepared(lambda: row_of(Case.objects.filter(pk__in=Bind("cases"))))
_NEWEST = Prepared(lambda: TextWeights.objects.order_by("-pk").values_list("pk", flat=True)[:1])


def known_cases(asked: Asked, *, size: int = 5) -> list[Known]:
    """The likeliest earlier cases, best first; those of 举报 and those held for a look never. Six SELECTs at most."""
    rows = _candidates(asked)
    if not rows:
        return []
    best = _best(asked, rows)
    judged = _judged(asked, [rows[n] for n in best])
    found: dict[int, tuple[Likeness, float | None]] = {}
    for case_id, like, metres in sorted(judged, key=lambda one: -one[1].probability):
        found.setdefault(case_id, (like, metres))
    cases = {case.pk: case for case in _CASES(cases=list(found))}
    shown = [Known(cases[pk], *rest) for pk, rest in found.items() if pk in cases and _may_show(asked, cases[pk])]
    return shown[:size]


def _may_show(asked: Asked, case: Case) -> bool:
    if asked.street_id is not None and case.street_id != asked.street_id:
        return False
    return case.state != State.MERGED and not (asked.is_open_only and case.state in ENDED)


def _candidates(asked: Asked) -> list[tuple[Any, ...]]:
    ended_after = asked.at if asked.is_open_only else asked.at - timedelta(days=RECENT_DAYS)
    shared = {"ended_after": ended_after, "at": asked.at, "without": asked.without}
    if asked.lon is None or asked.lat is None:
        return [] if asked.community_id is None else _BY_COMMUNITY(community=asked.community_id, **shared)
    box = bbox_around(asked.lon, asked.lat, FARTHEST * _reach(asked))
    ranges = q18_ranges(box, RANGES)
    ranges += [_NEVER] * (RANGES - len(ranges))
    bounds = {f"low{n}": low for n, (low, _high) in enumerate(ranges)} | {
        f"high{n}": high for n, (_low, high) in enumerate(ranges)
    }
    return _BY_POINT(west=box.west, south=box.south, east=box.east, north=box.north, **bounds, **shared)


def _reach(asked: Asked) -> float:
    return reach_m(asked.major, asked.base_m)


def _best(asked: Asked, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Places of the ``READ`` rows worth reading: words by sketch, distance, type and age, weighed as ``pairs`` weighs them."""
    score = 6 * shares(asked.words, [row[2] for row in rows])
    score -= 3 * np.minimum(1.5, _metres(asked, rows) / _reach(asked)) ** 2
    if asked.event_type_id:
        score += np.array([0.7 if row[6] == asked.event_type_id else 0.0 if row[6] is None else -1.5 for row in rows])
    score -= 0.7 * np.log1p([max(0.0, (asked.at - row[5]).total_seconds() / 86_400) for row in rows])
    order = np.argsort(-score, kind="stable")[:READ]
    return [int(n) for n in order]


def _metres(asked: Asked, rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
    if asked.lon is None or asked.lat is None:
        return np.zeros(len(rows))
    east, north = metres_per_degree(asked.lat)
    points = np.array([(row[3] or 0.0, row[4] or 0.0) for row in rows])
    return np.hypot((points[:, 0] - asked.lon) * east, (points[:, 1] - asked.lat) * north)


def _judged(asked: Asked, rows: Sequence[tuple[Any, ...]]) -> list[tuple[int, Likeness, float | None]]:
    ids = [row[0] for row in rows]
    words = {pk: f"{place}\n{said}".strip() for pk, said, place in _WORDS(reports=ids)}
    photos: dict[int, tuple[int, ...]] = {}
    for report_id, dhash in _PHOTOS(reports=ids) if asked.photos else ():
        photos[report_id] = (*photos.get(report_id, ()), dhash or 0)
    mine = Seen(asked.words, asked.at.timestamp(), "", asked.lon, asked.lat, str(asked.event_type_id or ""), asked.photos)
    others = [
        Seen(words.get(pk, ""), at.timestamp(), "", lon, lat, str(type_id or ""), photos.get(pk, ()))
        for pk, _case, _sketch, lon, lat, at, type_id in rows
    ]
    weigher, is_learnt = _weigher()
    reads, metres = read([mine, *others], weigher), _metres(asked, rows)
    has_point = asked.lon is not None
    return [
        (
            row[1],
            _careful(likeness(mine, other, reads=(reads[0], seen), radius_m=_reach(asked)), is_learnt),
            float(far) if has_point else None,
        )
        for row, other, seen, far in zip(rows, others, reads[1:], metres, strict=True)
    ]


def _careful(found: Likeness, is_learnt: bool) -> Likeness:
    """Before anything was counted here, nobody knows which words are rare: then nothing is "very likely"."""
    if is_learnt or found.badge != Badge.SAME:
        return found
    return Likeness(found.probability, Badge.POSSIBLE, found.reasons)


def _weigher() -> tuple[Weigher, bool]:
    """The district's counts and whether there are any; read again when a newer row stands there. One SELECT, seldom two."""
    newest = _NEWEST.first()
    if newest is None:
        return Weigher(np.zeros(0, np.uint32), np.zeros(0, np.float32), 8.0), False
    held = getattr(_KEPT, "weights", None)
    if held is None or held[0] != newest:
        row = TextWeights.objects.filter(pk=newest).first()
        if row is None:
            return Weigher(np.zeros(0, np.uint32), np.zeros(0, np.float32), 8.0), False
        weigher = Weigher(np.frombuffer(bytes(row.keys), np.uint32), np.frombuffer(bytes(row.idf), np.float32), row.rarest)
        held = _KEPT.weights = (newest, weigher)
    return held[1], True
