"""What a phone shows: lines of a chat, added one at a time and told to the open pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.store import Item, Person

if TYPE_CHECKING:
    from emulator.app import Emulator

KEPT = 400
IN_JSON = {"title": "title", "text": "description", "picture": "picurl", "url": "url"}
IN_XML = {"title": "Title", "text": "Description", "picture": "PicUrl", "url": "Url"}
"""What a line of news calls an article's parts, and what the platforms call them."""


def add(emu: Emulator, person: Person, where: str, by: str, kind: str, data: dict[str, Any]) -> Item:
    """One line in the chat ``where`` (an appid, ``corpid:agentid``, or ``sms``)."""
    lines = person.chats.setdefault(where, [])
    emu.state.serial += 1  # small, unlike a message's: the page reads it as a JavaScript number
    item = Item(emu.state.serial, emu.clock.now(), by, kind, data)
    lines.append(item)
    del lines[:-KEPT]
    told(emu, person.id, where, kind, by)
    return item


def article(given: dict[str, Any], names: dict[str, str]) -> dict[str, str]:
    """An article of news as a line shows it; what lacks is empty. ``names``: IN_JSON or IN_XML."""
    return {ours: str(given.get(theirs) or "") for ours, theirs in names.items()}


def told(emu: Emulator, person_id: str, where: str, kind: str, by: str = "account") -> None:
    """Tell the open pages that a chat changed."""
    emu.news.tell("chat", {"person": person_id, "where": where, "by": by, "kind": kind})
