"""The pair store: each verdict becomes a place with before, after and label, once everything in its window was judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import F, QuerySet

from jiequ.core.db import writing

from .. import children, files, ground
from ..models import Example, Finding, Hint, SuspectState, Verdict

AT_ONCE = 40
MOST_READY = 2000
SECONDS = 240.0
SIDE_M = 102.4  # child.pairs: 256 pixels of 0.4 m
NEW, GONE = 255, 100
Json = dict[str, Any]


def prefix_of(street_id: int) -> str:
    """Where a street's pairs lie in the store."""
    return f"{street_id}/pairs"


def name_of(example: Example) -> str:
    """The place, two hundred metres wide (training holds a fifth of the places back), then the example."""
    finding = example.verdict.finding
    lon, lat = (finding.lon or 0.0, finding.lat or 0.0) if finding else (0.0, 0.0)
    return f"s{int(lon * 500)}-{int(lat * 500)}_{example.pk}"


def cut_some(at: datetime) -> Callable[[], Any] | None:
    """Cut the next waiting examples of one street by a child; returns what is to be stored. Nothing to do: None."""
    waiting = Example.objects.filter(state=Example.State.WAITING).order_by(F("cut_at").asc(nulls_first=True), "pk")
    first = waiting.first()
    if first is None:
        return None
    joined = ("verdict__suspect", "verdict__finding__comparison")
    rows = waiting.filter(street_id=first.street_id).select_related(*joined)
    tiles, skipped, kept = [], {}, {}
    for example in rows[:AT_ONCE]:
        tile = tile_of(example)
        if isinstance(tile, str):
            skipped[example.pk] = tile
        else:
            kept[tile["name"]] = example.pk
            tiles.append(tile)
    told: Json = {"tiles": {}}
    if tiles:
        work = files.work(f"pairs-{first.street_id}")
        asked = {
            "do": "pairs",
            "place": files.described(),
            "prefix": prefix_of(first.street_id),
            "work": str(work),
            "tiles": tiles,
        }
        told = children.once("pairs", asked, seconds=SECONDS)
        if "fault" in told:
            raise children.ChildFailed(told["fault"])
    return partial(_kept, {kept[name]: why for name, why in told["tiles"].items()} | skipped, at)


def _kept(outcomes: dict[int, str], at: datetime) -> None:
    with writing():
        done = [pk for pk, why in outcomes.items() if not why]
        Example.objects.filter(pk__in=done).update(state=Example.State.READY, cut_at=at)
        for pk, why in outcomes.items():
            if why == "unjudged":
                Example.objects.filter(pk=pk).update(cut_at=at)  # its turn comes after the others'
            elif why:
                Example.objects.filter(pk=pk).update(state=Example.State.SKIPPED, reason=why, cut_at=at)


def tile_of(example: Example) -> Json | str:
    """What the child is told; or why there is no tile (yet): no two pictures, or something in the window that nobody judged."""
    verdict = example.verdict
    comparison = verdict.finding.comparison if verdict.finding else None
    if comparison is None or comparison.before_id is None or comparison.after_id is None or comparison.in_pixels:
        return "no_pictures"
    suspect = verdict.suspect
    bounds = ground.box_around((suspect.lon, suspect.lat, suspect.lon, suspect.lat), by=1.0, least_m=SIDE_M * 1.5)
    shapes = _judged(verdict, bounds)
    if shapes is None:
        return "unjudged"
    return {
        "name": name_of(example), "middle": [suspect.lon, suspect.lat], "shapes": shapes,
        "before": files.image_key(example.street_id, comparison.before_id),
        "after": files.image_key(example.street_id, comparison.after_id),
    }  # fmt: skip


def _judged(verdict: Verdict, bounds: Sequence[float]) -> list[list[Any]] | None:
    """Everything that changed in the window with its value in the label; None while something there is not judged."""
    west, south, east, north = bounds
    found = Finding.objects.filter(
        comparison_id=verdict.finding.comparison_id if verdict.finding else 0,
        lon__range=(west, east),
        lat__range=(south, north),
    ).select_related("suspect")
    shapes = []
    for one in found:
        value = GONE if one.hint == Hint.DEMOLITION else NEW
        if one.suspect is None:
            shapes.append([one.geometry, value])  # a permit explains it: it was built all the same
        elif one.suspect.state in (SuspectState.OPEN, SuspectState.REFLIGHT):
            return None
        elif one.suspect.state in (SuspectState.CONFIRMED, SuspectState.LAWFUL):
            shapes.append([one.suspect.geometry, value])
    return shapes


def ready(*, since: datetime | None = None) -> list[tuple[str, str]]:
    """(prefix, name) of the newest pairs that lie in the store; ``since``: only of verdicts said from then on. One SELECT."""
    rows = _ready(since).select_related("verdict__finding").order_by("-pk")[:MOST_READY]
    return [(prefix_of(row.street_id), name_of(row)) for row in reversed(rows)]


def count_since(moment: datetime) -> int:
    """How many pairs in the store are of verdicts said since a moment. One SELECT."""
    return _ready(moment).count()


def _ready(since: datetime | None) -> QuerySet[Example]:
    found = Example.objects.filter(state=Example.State.READY)
    return found.filter(made_at__gte=since) if since else found


def count_ready(*, after: datetime | None = None) -> int:
    """How many pairs lie in the store, or were cut after a moment. One SELECT."""
    found = Example.objects.filter(state=Example.State.READY)
    return (found.filter(cut_at__gt=after) if after else found).count()
