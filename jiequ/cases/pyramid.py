"""The pyramid of counts behind the map's clusters, as pure rules: groups of states, and the tiles of a place.

Imports nothing of Django. A row counts the cases of one street in one tile, one group of states and one major class, so
that the rows stay under 5 % of the cases; what depends on time (a light) is never counted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from jiequ.grid.rules import ZOOM

from .flow import ENDED, State

ZOOMS = (10, 12, 14, 16)
MAJOR_LENGTH = 2
"""A class is the first letter of the kind and the first two digits of the code (GB/T 30428.2: those are the 大类)."""


class StateGroup(StrEnum):
    """What a map tells apart without a clock."""

    WAITING = "waiting"  # nobody has it in hand: the desk's turn
    WORK = "work"  # a department has it
    ENDED = "ended"


_WAITING = frozenset({State.REPORTED, State.VERIFYING, State.ACCEPTED, State.RETURNED, State.REOPENED})
GROUP_STATES: dict[StateGroup, frozenset[State]] = {
    StateGroup.WAITING: _WAITING,
    StateGroup.WORK: frozenset(State) - _WAITING - ENDED,
    StateGroup.ENDED: ENDED,
}
_GROUP_OF = {state.value: group for group, states in GROUP_STATES.items() for state in states}


class Place(NamedTuple):
    """What a row's key is made of."""

    street_id: int
    group: str
    type_id: int | None
    q18: int


class Cell(NamedTuple):
    """A tile of one zoom, and how far inside it a zoom-18 tile lies (in those tiles, eastward and southward)."""

    zoom: int
    tile: int
    east: int
    south: int


def group_of(state: str) -> str:
    """The group of a state."""
    return _GROUP_OF[state].value


def cells(q18: int) -> Iterator[Cell]:
    """The tile of a place at every zoom of the pyramid."""
    for zoom in ZOOMS:
        bits = 2 * (ZOOM - zoom)
        inside = q18 & ((1 << bits) - 1)
        yield Cell(zoom, q18 >> bits, _gathered(inside), _gathered(inside >> 1))


def class_of(kind: str, code: str) -> str:
    """The class of an event type; the SQL of ``services.rollups`` says the same."""
    return kind[:1] + code[:MAJOR_LENGTH]


RowKey = tuple[int, int, str, str]  # zoom, tile, state group, type group
Sums = tuple[int, int, int]  # count, east, south


def counted(rows: Iterable[tuple[str, int | None, int, int]], classes: Mapping[int, str]) -> dict[RowKey, Sums]:
    """One street counted anew from (state, type, q18, how many); ``classes`` by type."""
    found: dict[RowKey, list[int]] = {}
    for state, type_id, q18, n in rows:
        group, type_group = group_of(state), classes[type_id] if type_id else ""
        for cell in cells(q18):
            sums = found.setdefault((cell.zoom, cell.tile, group, type_group), [0, 0, 0])
            sums[0] += n
            sums[1] += n * cell.east
            sums[2] += n * cell.south
    return {key: (n, east, south) for key, (n, east, south) in found.items()}


def corner(tile: int) -> tuple[int, int]:
    """(column, row) of a tile key at its own zoom."""
    return _gathered(tile), _gathered(tile >> 1)


def _gathered(key: int) -> int:
    """The bits at the even places of a z-order key, moved together."""
    key &= 0x5555555555555555
    key = (key | key >> 1) & 0x3333333333333333
    key = (key | key >> 2) & 0x0F0F0F0F0F0F0F0F
    key = (key | key >> 4) & 0x00FF00FF00FF00FF
    key = (key | key >> 8) & 0x0000FFFF0000FFFF
    return (key | key >> 16) & 0x00000000FFFFFFFF
