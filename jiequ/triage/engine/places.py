"""Where it was: places in the words of a report, by the district's own gazetteer and by the shape of Chinese names.

A name is looked for between what is none: region words, marks and ordinary words (``data/plain_words.txt``, our own).
What is left and ends like a road, an estate, a village or a river, or stands where names stand, is a place. No city's
names are known here but those handed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from jiequ.triage.engine import place_names

MOST_LENGTH = 5_000  # characters that are read
MOST_PLACES = 20
DISAGREES_M = 300.0  # the pin and the words: DOMAIN §4, issue 5 §4
EARTH_M = 6_371_008.8  # mean radius, IUGG


class PlaceKind(StrEnum):
    """What sort of place a name is."""

    ROAD = "road"
    ESTATE = "estate"
    VILLAGE = "village"
    RIVER = "river"
    GRID = "grid"
    STREET = "street"
    COMMUNITY = "community"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """A place of the gazetteer; ``lon`` and ``lat`` in degrees where it is one point, else None."""

    code: str
    name: str
    kind: PlaceKind = PlaceKind.OTHER
    lon: float | None = None
    lat: float | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place told: code points ``[start, end)`` of the text as it was given, and what the gazetteer knows of it."""

    text: str
    start: int
    end: int
    kind: PlaceKind
    entry: Entry | None = None


class Gazetteer:
    """A district's names, to be found in one pass over a text: the longest name that begins at a place wins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_head: dict[str, list[tuple[str, Entry]]] = {}
        for entry in entries:
            for name in {entry.name, *entry.aliases}:
                if len(name) > 1:
                    self._by_head.setdefault(name[:2], []).append((name, entry))
        for names in self._by_head.values():
            names.sort(key=lambda pair: (-len(pair[0]), pair[1].code))

    def find(self, text: str) -> Iterator[Place]:
        """Its names in a text, from left to right, none over another."""
        at = 0
        while at < len(text) - 1:
            found = next((pair for pair in self._by_head.get(text[at : at + 2], []) if text.startswith(pair[0], at)), None)
            if found is None:
                at += 1
                continue
            name, entry = found
            yield Place(name, at, at + len(name), entry.kind, entry)
            at += len(name)


def find_places(text: str, *, gazetteer: Gazetteer | None = None, pattern: bool = True) -> list[Place]:
    """Places in reading order, at most ``MOST_PLACES``; a name of the gazetteer goes before a shape it overlaps."""
    read = text[:MOST_LENGTH]
    known = list(gazetteer.find(read)) if gazetteer is not None else []
    shaped = _shaped(read) if pattern else ()
    free = [one for one in shaped if not any(one.start < other.end and other.start < one.end for other in known)]
    return _each_once(sorted([*known, *free], key=lambda place: place.start))[:MOST_PLACES]


def _shaped(text: str) -> Iterator[Place]:
    for start, end, kind in place_names.names(text):
        yield Place(text[start:end], start, end, PlaceKind(kind))


def _each_once(places: Sequence[Place]) -> list[Place]:
    first: dict[tuple[str, str], Place] = {}
    for place in places:
        first.setdefault((place.text, place.entry.code if place.entry else ""), place)
    return list(first.values())


def places_to_offer(places: Sequence[Place], *, pin: tuple[float, float] | None) -> list[Place]:
    """What to ask the reporter about: all where there is no pin ``(lon, lat)``; else what lies over 300 m from it.

    A pin that agrees with one place told needs no question. Places of unknown position cannot disagree with a pin.
    """
    if pin is None:
        return list(places)
    placed = [(place, away) for place in places if (away := metres_from(place, pin)) is not None]
    return [] if any(away <= DISAGREES_M for _place, away in placed) else [place for place, _away in placed]


def metres_from(place: Place, pin: tuple[float, float]) -> float | None:
    """Metres between a place's point and ``(lon, lat)``; None where it has no point. Haversine on the mean sphere."""
    entry = place.entry
    if entry is None or entry.lon is None or entry.lat is None:
        return None
    east, north = math.radians(entry.lon - pin[0]), math.radians(entry.lat - pin[1])
    across = math.cos(math.radians(entry.lat)) * math.cos(math.radians(pin[1])) * math.sin(east / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(math.sin(north / 2) ** 2 + across)))
