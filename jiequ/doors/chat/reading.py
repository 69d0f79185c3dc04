"""What came from WeChat, read as a thing of the conversation: places are made out, plates and known names looked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jiequ.cases.queries import where
from jiequ.cases.services import Place, canonical
from jiequ.channels.arrivals.services import Incoming
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.grid import queries as grid
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
OFFER = "place"
"""A place that was offered to be tapped: ``place:``, its value and the draft's key."""
LEAST_NAME = 3  # characters; "桥" is in every second account


def thing_of(incoming: Incoming) -> Thing:
    """The thing, with its place made out. At most three SELECTs."""
    read = _READERS.get(incoming.kind, _other)
    sent = str(incoming.fields.get("MsgId") or "")[:20].zfill(20)  # it grows: puts in order what came in one second
    return read(Thing(Kind.OTHER, f"{sent}:{incoming.key}", incoming.at), incoming.fields)


def _text(thing: Thing, fields: Fields) -> Thing:
    words = str(fields.get("Content", "")).strip()
    name, _colon, target = str(fields.get("bizmsgmenuid") or "").partition(":")
    if name == OFFER and (tapped := _tapped(thing, target)):
        return tapped
    if target and name in OFFERED:
        return replace(thing, kind=Kind.MENU, words=words, command=Command(name), target=target)
    return told(thing, words)


def _tapped(thing: Thing, offer: str) -> Thing | None:
    value, _colon, target = offer.partition(":")
    spot = chosen(value)
    return replace(thing, kind=Kind.PLACE, spot=spot, target=target) if spot and target else None


def told(thing: Thing, words: str) -> Thing:
    """Words: a command, a place written as one, or an account in which a known place may be named."""
    if meaning.meaning_of(words) is not None:
        return replace(thing, kind=Kind.WORDS, words=words)
    if said := meaning.place_said(words):
        return replace(thing, kind=Kind.PLACE, words="", spot=written(said))
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


def written(said: str) -> Spot:
    """A place written as one: where one known name stands in it, that point; else mere words, if there is only one street."""
    known = known_in(said)
    one = _small(known) or (known[0] if len(known) == 1 else None)
    if one is not None:
        return replace(spot_of(one), words=said[:200], sure=Sure.WRITTEN)
    return Spot(said[:200], sure=Sure.WRITTEN, is_ours=only_street() is not None)


_SMALL = frozenset({PlaceKind.LANDMARK, PlaceKind.ESTATE, "grid"})
"""Small enough to be sent to once the summary is confirmed; a road, a river or a village is asked about (P)."""


def named_in(words: str) -> Spot | None:
    """The one small place that these words name; None without one, or with several: those are offered (``offers``)."""
    one = _small(known_in(words))
    return spot_of(one) if one else None


def known_in(words: str, pin: tuple[float, float] | None = None) -> tuple[where.Spot, ...]:
    """The district's places in these words, as pages offer them: with a pin only where all lie over 300 m from it."""
    found = where.places_told(words, pin=pin) if words.strip() else ()
    return tuple(one for one in found if one.is_known)


def _small(known: Sequence[where.Spot]) -> where.Spot | None:
    small = [one for one in known if one.sort in _SMALL]
    return small[0] if len(small) == 1 and len(small[0].told) >= LEAST_NAME else None


def spot_of(one: where.Spot) -> Spot:
    """A place that was found in words, as the conversation keeps it."""
    return Spot(one.name, one.lon, one.lat, "cgcs2000", Sure.GUESSED)


def offers(words: str, spot: Spot | None) -> tuple[where.Spot, ...]:
    """What to ask about: the places named where none is known yet, or where the point that was sent lies elsewhere."""
    if spot is None:
        return known_in(words)
    if spot.sure != Sure.SENT or spot.x is None or spot.y is None:
        return ()
    return known_in(words, canonical(Place(spot.x, spot.y, spot.system)))


def chosen(value: str) -> Spot | None:
    """The place of an offer that was tapped, as sure as one that was sent. None for one that is gone."""
    if value[:1] == "u":
        found = grid.plate(value[1:])
        return Spot(found.name, found.lon, found.lat, "cgcs2000", Sure.SENT) if found else None
    number = whole(value[1:]) if value[:1] == "p" else None
    row = grid.places().filter(pk=number).first() if number is not None else None
    return Spot(row.name, row.lon, row.lat, "cgcs2000", Sure.SENT) if row else None


def only_street() -> int | None:
    """The street, where there is only one: it needs no point. One SELECT."""
    streets = list(Street.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
    return streets[0] if len(streets) == 1 else None
