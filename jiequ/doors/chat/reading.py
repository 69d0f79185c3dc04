"""What came from WeChat, read as a thing of the conversation: places are made out, plates and known names looked up."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jiequ.cases.services import Place, canonical
from jiequ.channels.arrivals.services import Incoming
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.grid import queries as grid
from jiequ.grid.models import Place as NamedPlace
from jiequ.grid.models import PlaceKind
from jiequ.grid.rules import is_position

from . import meaning
from .flow import Kind, Spot, Sure, Thing
from .meaning import Command

Fields = Mapping[str, Any]


PLATE = re.compile(r"^(?:qrscene_)?(?P<on>gp|mp):(?P<row>[1-9][0-9]{0,17})$")
"""A plate's permanent scene: of a unit grid or a monitoring point, by its row."""
OFFERED = (Command.CONFIRM, Command.CANCEL)
"""Answers that stand beneath a summary to be tapped: ``confirm:`` and the draft's key."""
NAMES_FOR_SECONDS = 60.0
LEAST_NAME = 3  # characters; "桥" is in every second account


def thing_of(incoming: Incoming) -> Thing:
    """The thing, with its place made out. At most three SELECTs."""
    read = _READERS.get(incoming.kind, _other)
    sent = str(incoming.fields.get("MsgId") or "")[:20].zfill(20)  # it grows: puts in order what came in one second
    return read(Thing(Kind.OTHER, f"{sent}:{incoming.key}", incoming.at), incoming.fields)


def _text(thing: Thing, fields: Fields) -> Thing:
    words = str(fields.get("Content", "")).strip()
    name, _colon, target = str(fields.get("bizmsgmenuid") or "").partition(":")
    if target and name in OFFERED:
        return replace(thing, kind=Kind.MENU, words=words, command=Command(name), target=target)
    return told(thing, words)


def told(thing: Thing, words: str) -> Thing:
    """Words: a command, a place written as one, or an account in which a known place may be named."""
    if meaning.meaning_of(words) is not None:
        return replace(thing, kind=Kind.WORDS, words=words)
    if where := meaning.place_said(words):
        return replace(thing, kind=Kind.PLACE, words="", spot=written(where))
    return replace(thing, kind=Kind.WORDS, words=words, spot=named_in(words))


def _image(thing: Thing, fields: Fields) -> Thing:
    return replace(thing, kind=Kind.PHOTO, media_id=str(fields.get("MediaId", "")))


def _voice(thing: Thing, fields: Fields) -> Thing:
    words = str(fields.get("Recognition") or "").strip()
    return replace(thing, kind=Kind.VOICE, words=words, media_id=str(fields.get("MediaId", "")), spot=named_in(words))


def _video(thing: Thing, _fields: Fields) -> Thing:
    return replace(thing, kind=Kind.VIDEO)


def _link(thing: Thing, fields: Fields) -> Thing:
    """A shared page is kept as words; nobody here opens it."""
    said = " ".join(str(fields.get(name) or "").strip() for name in ("Title", "Description", "Url"))
    return replace(thing, kind=Kind.WORDS, words=said.strip())


def _location(thing: Thing, fields: Fields) -> Thing:
    """A place that was sent: Location_X is the latitude, in GCJ-02."""
    label = str(fields.get("Label") or "").strip()[:200]
    return replace(thing, kind=Kind.PLACE, spot=sent(fields.get("Location_Y"), fields.get("Location_X"), label))


def _event(thing: Thing, fields: Fields) -> Thing:
    name, key = str(fields.get("Event", "")).lower(), str(fields.get("EventKey") or "")
    if name == "unsubscribe":
        return replace(thing, kind=Kind.LEAVE)
    if name == "click":
        return replace(thing, kind=Kind.MENU, command=_COMMANDS.get(key, Command.HELP))
    if name in ("subscribe", "scan"):
        if (plate := PLATE.match(key)) and (spot := _plate(plate["on"], int(plate["row"]))):
            return replace(thing, kind=Kind.SCAN, spot=spot)
        return replace(thing, kind=Kind.FOLLOW) if name == "subscribe" and not key else thing
    return thing


_COMMANDS = {command.value: command for command in Command}


def _other(thing: Thing, _fields: Fields) -> Thing:
    return thing


_READERS: dict[str, Callable[[Thing, Fields], Thing]] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "link": _link,
    "location": _location,
    "event": _event,
}


# -- places ----------------------------------------------------------------------------------------------------------


def sent(lon: Any, lat: Any, label: str) -> Spot:
    """A point somebody sent. One that is none, or lies in no grid, is not ours."""
    try:
        x, y = float(lon), float(lat)
    except (TypeError, ValueError):
        return Spot(label, is_ours=False)
    if not is_position(x, y):
        return Spot(label, is_ours=False)
    return Spot(label, x, y, "gcj02", Sure.SENT, is_ours=_is_ours(Place(x, y, "gcj02")))


def _is_ours(place: Place) -> bool:
    try:
        return grid.locate(*canonical(place)) is not None
    except Refusal:
        return False


def _plate(on: str, row_id: int) -> Spot | None:
    found = grid.plate_of(row_id, is_point=on == "mp")
    return Spot(found.name, found.lon, found.lat, "cgcs2000", Sure.SENT) if found else None


def written(where: str) -> Spot:
    """A place written as one: where a known name stands in it, that point; else mere words, if there is only one street."""
    known = named_in(where, _ANY)
    if known is not None:
        return replace(known, words=where[:200], sure=Sure.WRITTEN)
    return Spot(where[:200], sure=Sure.WRITTEN, is_ours=only_street() is not None)


_SMALL = frozenset({PlaceKind.LANDMARK, PlaceKind.ESTATE})
"""Small enough to be sent to without being asked; a road or a village is taken only from who wrote it as the place."""
_ANY = frozenset(PlaceKind)


def named_in(words: str, kinds: frozenset[PlaceKind] = _SMALL) -> Spot | None:
    """The known place that these words name, the longest name; None without one."""
    said = words.lower()
    for name, kind, known, lon, lat in _names():
        if name in said and kind in kinds:
            return Spot(known, lon, lat, "cgcs2000", Sure.GUESSED)
    return None


def only_street() -> int | None:
    """The street, where there is only one: it needs no point. One SELECT."""
    streets = list(Street.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
    return streets[0] if len(streets) == 1 else None


Name = tuple[str, str, str, float, float]
"""A name in small letters; the place's kind, own name and point."""
_held: tuple[float, list[Name]] | None = None


def _names() -> list[Name]:
    """Every name of a place, the longest first. Read once a minute.

    A name that stands for two places says nothing and is left out.
    """
    global _held
    if _held is None or time.monotonic() - _held[0] > NAMES_FOR_SECONDS:
        _held = (time.monotonic(), _read_names())
    return _held[1]


def _read_names() -> list[Name]:
    found: dict[str, set[tuple[str, str, float, float]]] = {}
    rows = NamedPlace.objects.filter(community__retired_at=None).values_list("words", "kind", "name", "lon", "lat")
    for words, kind, name, lon, lat in rows:
        for one in words.split("\n"):
            if len(one) >= LEAST_NAME:
                found.setdefault(one, set()).add((kind, name, lon, lat))
    single = [(name, *next(iter(places))) for name, places in found.items() if len(places) == 1]
    return sorted(single, key=lambda row: (-len(row[0]), row[0]))


def forget() -> None:
    """Read the names again before the next account (tests, and whoever changes places)."""
    global _held
    _held = None
