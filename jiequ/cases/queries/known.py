"""Is it known: earlier reports of perhaps the same matter, by place, time, type, words and photo (docs/adr/0042).

The nearest open cases come from the index of the map alone, then the sketches of at most ``CANDIDATES`` of their reports
(without a point those of the community); words are compared by sketches, and only the ``READ`` best are read. What is hidden
is left out where the rows of the few are read. Nothing is kept in the process but the district's counts of n-grams
(``TextWeights``, some hundred kB), looked at anew when another row stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import local
from typing import Any

import numpy as np
from django.db.models import DateTimeField, FloatField, Func, QuerySet
from numpy.typing import NDArray

from jiequ.core.prepared import Bind, Prepared
from jiequ.grid.rules import metres_per_degree
from jiequ.triage.engine.pairs import Badge, Likeness, Seen, likeness, photo_odds, read
from jiequ.triage.engine.sketches import shares
from jiequ.triage.engine.text import Weigher

from ..flow import ENDED
from ..models import Case, Proof, Report, TextWeights
from ..reach import FARTHEST, reach_m
from .listing import row_of
from .near import open_near

CANDIDATES, WORTH, READ = 500, 30, 12
"""Candidates; the best of them, hidden ones too, so that a flood held for a look keeps nothing from being found; those read."""
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


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier case, how like its likest report is, and how far off in metres (None: one of the two has no point)."""

    case: Case
    likeness: Likeness
    metres: float | None


class _Seconds(Func):
    """A moment as seconds since 1970, counted by the database: five hundred moments made in Python cost more than they say."""

    template = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS double precision)"
    output_field = FloatField()
    convert_value = staticmethod(Func._convert_value_noop)  # type: ignore[attr-defined]  # it is a float as it comes

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """SQLite keeps moments as text."""
        return self.as_sql(compiler, connection, template="(julianday(%(expressions)s) - 2440587.5) * 86400.0", **more)


_COLUMNS = ("pk", "case_id", "sketch", "case__lon", "case__lat", "seconds", "case__event_type_id")


_REPORTS = Prepared(
    lambda: (
        Report.objects.filter(case__in=Bind("cases"), at__lte=Bind("at", DateTimeField()))
        .annotate(seconds=_Seconds("at"))
        .order_by("-case_id", "-pk")
        .values_list("pk", "case_id", "sketch", "seconds")[:CANDIDATES]
    )
)


def _around() -> QuerySet[Any, Any]:
    """Of a community, where there is no point; ``case__state`` is of the open ones."""
    there = Report.objects.filter(case__community=Bind("community"), at__lte=Bind("at", DateTimeField()))
    told = there.filter(case__is_confidential=False, case__is_suspect=False).exclude(case__state__in=list(ENDED))
    return told.annotate(seconds=_Seconds("at")).order_by("-case_id", "-pk").values_list(*_COLUMNS)[:CANDIDATES]


_BY_COMMUNITY = Prepared(_around)
_TOLD = Report.objects.filter(case__is_confidential=False, case__is_suspect=False)
_WORDS = Prepared(lambda: _TOLD.filter(pk__in=Bind("reports")).values_list("pk", "words", "place_words"))
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
    """The likeliest earlier cases, best first; those of 举报 and those held for a look never. Seven SELECTs at most."""
    rows = _candidates(asked)
    if not rows:
        return []
    photos = _photos(asked, rows)
    judged = _judged(asked, [rows[n] for n in _best(asked, rows, photos)], photos)
    found: dict[int, tuple[Likeness, float | None]] = {}
    for case_id, like, metres in sorted(judged, key=lambda one: -one[1].probability):
        found.setdefault(case_id, (like, metres))
    return _shown(asked, found, size)


def _shown(asked: Asked, found: dict[int, tuple[Likeness, float | None]], size: int) -> list[Known]:
    """The first ``size`` that may be shown; what a line says is read of so many, of the others where some may not."""
    shown: list[Known] = []
    order = list(found)
    for some in filter(None, (order[:size], order[size:])):
        if len(shown) < size:
            cases = {case.pk: case for case in _CASES(cases=some)}
            shown += [Known(cases[pk], *found[pk]) for pk in some if pk in cases and _may_show(asked, cases[pk])]
    return shown[:size]


def _may_show(asked: Asked, case: Case) -> bool:
    """Never what is confidential or held for a look; what ended meanwhile no more."""
    if case.is_confidential or case.is_suspect or case.state in ENDED:
        return False
    return asked.street_id is None or case.street_id == asked.street_id


def _candidates(asked: Asked) -> list[tuple[Any, ...]]:
    """Rows as ``_COLUMNS`` names them: of the nearest open cases, at most ``CANDIDATES``, or of the community's newest."""
    if asked.lon is None or asked.lat is None:
        rows = [] if asked.community_id is None else _BY_COMMUNITY(community=asked.community_id, at=asked.at)
        return [row for row in rows if row[1] != asked.without]
    near = open_near(asked.lon, asked.lat, FARTHEST * _reach(asked))[: CANDIDATES + 1]
    cases = {one.pk: one for one in near if one.pk != asked.without}
    found = []
    for pk, case_id, sketch, seconds in _REPORTS(cases=list(cases), at=asked.at):
        case = cases[case_id]
        found.append((pk, case_id, sketch, case.lon, case.lat, seconds, case.event_type_id))
    return found


def _reach(asked: Asked) -> float:
    return reach_m(asked.major, asked.base_m)


def _photos(asked: Asked, rows: Sequence[tuple[Any, ...]]) -> dict[int, tuple[int, ...]]:
    """The likeness hashes of the candidates' photos by report; one SELECT where there is a photo to compare, else none."""
    found: dict[int, tuple[int, ...]] = {}
    for report_id, dhash in _PHOTOS(reports=[row[0] for row in rows]) if asked.photos else ():
        found[report_id] = (*found.get(report_id, ()), dhash or 0)
    return found


def _best(asked: Asked, rows: Sequence[tuple[Any, ...]], photos: dict[int, tuple[int, ...]]) -> list[int]:
    """Places of the ``WORTH`` rows worth a look: words by sketch, photos, distance, type and age, weighed as ``pairs`` does."""
    score = 6 * shares(asked.words, [row[2] for row in rows])
    score -= 3 * np.minimum(1.5, _metres(asked, rows) / _reach(asked)) ** 2
    if asked.event_type_id:
        score += np.array([0.7 if row[6] == asked.event_type_id else 0.0 if row[6] is None else -1.5 for row in rows])
    seconds = np.fromiter((row[5] for row in rows), np.float64, len(rows))
    score -= 0.7 * np.log1p(np.maximum(0.0, (asked.at.timestamp() - seconds) / 86_400))
    if photos:
        score += np.array([photo_odds(asked.photos, photos.get(row[0], ()))[0] for row in rows])
    order = np.argsort(-score, kind="stable")[:WORTH]
    return [int(n) for n in order]


def _metres(asked: Asked, rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
    if asked.lon is None or asked.lat is None or not rows:
        return np.zeros(len(rows))
    east, north = metres_per_degree(asked.lat)
    points = np.array([(row[3] or 0.0, row[4] or 0.0) for row in rows])
    return np.hypot((points[:, 0] - asked.lon) * east, (points[:, 1] - asked.lat) * north)


def _judged(
    asked: Asked, rows: Sequence[tuple[Any, ...]], photos: dict[int, tuple[int, ...]]
) -> list[tuple[int, Likeness, float | None]]:
    """The first ``READ`` of the rows that are not hidden, compared in full."""
    words = {pk: f"{place}\n{said}".strip() for pk, said, place in _WORDS(reports=[row[0] for row in rows])}
    rows = [row for row in rows if row[0] in words][:READ]
    if not rows:
        return []
    mine = Seen(asked.words, asked.at.timestamp(), "", asked.lon, asked.lat, str(asked.event_type_id or ""), asked.photos)
    others = [
        Seen(words.get(pk, ""), at, "", lon, lat, str(type_id or ""), photos.get(pk, ()))
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
