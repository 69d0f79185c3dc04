"""The district's own names of places, as they are looked for in people's words: roads, estates, villages, rivers, grids.

Kept in the process by the streets' map tokens: looked at again at most once in ``RECHECK_SECONDS``, read anew
where one changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

from django.db.models import Avg, BooleanField, ExpressionWrapper, Q

from .models import MapVersion, Place, ResponsibilityGrid

RECHECK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Named:
    """A place by all of its names; ``place_id`` None: a responsibility grid, whose point is the middle of its unit grids.

    ``has_line``: it is a road or a river with its course, which is not held here (``queries.courses``).
    """

    names: tuple[str, ...]
    kind: str
    lon: float
    lat: float
    street_id: int
    community_id: int | None = None
    community_zh: str = ""
    community_en: str = ""
    place_id: int | None = None
    has_line: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    checked: float
    tokens: tuple[tuple[int, str], ...]
    rows: tuple[Named, ...]


_held: _Held | None = None
_reading = Lock()


def named_places() -> tuple[Named, ...]:
    """Every name in force in the district: the same object until a street's map changes; what is made of it may stay."""
    global _held
    held = _held
    if held is not None and time.monotonic() - held.checked < RECHECK_SECONDS:
        return held.rows
    with _reading:
        now, tokens = time.monotonic(), tuple(MapVersion.objects.order_by("street_id").values_list("street_id", "token"))
        same = _held is not None and _held.tokens == tokens
        rows = _held.rows if same and _held is not None else (*_places(), *_grids())
        _held = _Held(now, tokens, rows)
    return rows


def forget() -> None:
    """Look at the tokens again before the next answer (after a change in this process)."""
    global _held
    if _held is not None:
        _held = _Held(-RECHECK_SECONDS, _held.tokens, _held.rows)


def _places() -> Iterator[Named]:
    names = ("community__name_zh", "community__name_en", "name", "aliases")
    rows = Place.objects.filter(community__retired_at=None).order_by("pk")
    is_point = ExpressionWrapper(Q(line=""), output_field=BooleanField())
    columns = rows.values_list("kind", "lon", "lat", "street_id", "community_id", *names, "pk", is_point)
    for kind, lon, lat, street_id, community_id, zh, en, name, aliases, pk, point in columns:
        yield Named((name, *aliases), kind, lon, lat, street_id, community_id, zh, en, pk, has_line=not point)


def _grids() -> Iterator[Named]:
    rows = ResponsibilityGrid.objects.filter(retired_at=None, unit_grids__retired_at=None).order_by("pk")
    middles = rows.values_list("name", "street_id").annotate(x=Avg("unit_grids__lon"), y=Avg("unit_grids__lat"))
    for name, street_id, lon, lat in middles:
        yield Named((name,), "grid", lon, lat, street_id)
