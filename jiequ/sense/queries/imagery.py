"""Lists of imagery: what is there, how far it is, what cannot be used and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from ..models import Asset, AssetState, Flight
from ..words import why

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One picture in a list."""

    asset: Asset
    kind: str
    tone: str
    state: str
    why: str
    size: str


def rows(
    *, street_id: int, state: str = "", before: int | None = None, ids: Sequence[int] = (), flight_id: int | None = None
) -> tuple[list[Row], int | None]:
    """The newest pictures of a street and where the next page begins. One SELECT."""
    found = Asset.objects.filter(street_id=street_id).select_related("flight", "point").order_by("-id")
    if state in AssetState.values:
        found = found.filter(state=state)
    if flight_id is not None:
        found = found.filter(flight_id=flight_id)
    if ids:
        found = found.filter(pk__in=list(ids)[:SHOWN])
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.defer("item", "footprint")[: SHOWN + 1])
    more = page[SHOWN - 1].pk if len(page) > SHOWN else None
    return [row_of(asset) for asset in page[:SHOWN]], more


TONES = {"waiting": "plain", "working": "go", "ready": "done", "unusable": "stop"}


def row_of(asset: Asset) -> Row:
    """An asset as lists and its page show it."""
    state = asset.get_state_display()
    if asset.state == AssetState.WORKING and asset.percent:
        state = f"{state} {asset.percent}%"
    return Row(
        asset,
        str(asset.get_kind_display()) if asset.kind else _("待识别"),
        TONES[asset.state],
        state,
        why(asset.reason, asset.reason_facts) if asset.reason else "",
        size_words(asset.size_bytes),
    )


def size_words(size: int) -> str:
    """12 KB, 3.4 MB, 1.2 GB."""
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{max(1, size >> 10)} KB"


def counts(street_id: int) -> dict[str, int]:
    """How many pictures are in each state. One SELECT."""
    found = Asset.objects.filter(street_id=street_id).order_by().values_list("state").annotate(n=Count("id"))
    told = dict(found)
    return {state: told.get(state, 0) for state in AssetState.values}


def flights(street_id: int) -> list[Flight]:
    """The newest flights, each with ``usable`` and ``unusable`` counted. One SELECT."""
    usable = Count("assets", filter=Q(assets__state=AssetState.READY))
    unusable = Count("assets", filter=Q(assets__state=AssetState.UNUSABLE))
    return list(Flight.objects.filter(street_id=street_id).annotate(usable=usable, unusable=unusable)[:SHOWN])
