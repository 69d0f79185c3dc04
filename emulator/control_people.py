"""Strings of people and their phones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import deeds
from emulator.http import Request
from emulator.plain import changed, made, to_plain
from emulator.store import Person
from emulator.strings import given, routes

if TYPE_CHECKING:
    from emulator.app import Emulator


@routes("POST", "/people")
def add_person(emu: Emulator, request: Request) -> Any:
    """Somebody with a phone."""
    person: Person = made(Person, given(request))
    emu.state.people[person.id] = person
    emu.news.tell("people", {})
    return to_plain(person)


@routes("POST", "/people/{id}")
def change_person(emu: Emulator, request: Request) -> Any:
    """Where they are, what they are called."""
    person = emu.state.people[request.params["id"]]
    changed(person, given(request))
    emu.news.tell("people", {})
    return to_plain(person)


@routes("GET", "/people/{id}/chats/{where}")
def lines(emu: Emulator, request: Request) -> Any:
    """The lines of one chat, newer than ``after``."""
    person = emu.state.people[request.params["id"]]
    after = int(request.query.get("after", 0))
    return [to_plain(one) for one in person.chats.get(request.params["where"], []) if one.number > after]


@routes("GET", "/people/{id}/phone")
def phone(emu: Emulator, request: Request) -> dict[str, Any]:
    """What is on a phone: its accounts with their menus, applications, other chats, camera roll."""
    return deeds.phone(emu, emu.state.people[request.params["id"]])


@routes("POST", "/people/{id}/photos")
def add_photo(emu: Emulator, request: Request) -> dict[str, Any]:
    """A picture into the camera roll: the body, with its content type."""
    person = emu.state.people[request.params["id"]]
    kind = request.headers.get("content-type", "image/jpeg")
    return {"photo": deeds.add_photo(emu.state, person, request.body, kind)}


@routes("POST", "/people/{id}/open")
async def open_page(emu: Emulator, request: Request) -> dict[str, Any]:
    """The address under which this phone's in-app browser shows a page (in a frame, with cookies of its own)."""
    words = given(request)
    return {
        "frame": await emu.browsers.frame(
            emu.state.people[request.params["id"]], words["url"], is_work=bool(words.get("is_work"))
        )
    }


@routes("POST", "/people/{id}/{deed}")
async def do(emu: Emulator, request: Request) -> Any:
    """Something a person does: see ``deeds.py``."""
    person = emu.state.people[request.params["id"]]
    return await deeds.do(emu, person, request.params["deed"], given(request))
