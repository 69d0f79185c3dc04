"""The strings: accounts, people and what they do, faults, clock, transcript. ``/_emu/…``, for tests and the phones page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from emulator import control_owners, control_people, scene, store
from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json
from emulator.official.messages import NotAllowed
from emulator.plain import to_plain
from emulator.push import SETTINGS
from emulator.routes import answer_of
from emulator.strings import given, routes

if TYPE_CHECKING:
    from emulator.app import Emulator

PARTS = (control_owners, control_people)
"""The modules whose rows make up the table, with those of this one."""
LONGEST_REFUSAL_SECONDS = 60.0
OWN_HOSTS = ("127.0.0.1", "localhost")


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/_emu/…``: 404 for what is not there, 422 with a sentence for what cannot be."""
    if not _is_ours(request):
        return as_json({"why": "the strings are pulled from this machine's own pages and programs only"}, 403)
    try:
        route = routes.find(request, request.path.removeprefix("/_emu"))
        if not route:
            return as_json({"why": "no such string"}, 404)
        return await answer_of(route.handler(emu, request))
    except (NotAllowed, ValueError, TypeError) as fault:
        return as_json({"why": str(fault)}, 422)
    except KeyError as fault:
        return as_json({"why": f"not found: {fault}"}, 404)
    except ApiError as fault:
        return as_json({"why": fault.errmsg}, 405 if fault.errcode in (43001, 43002) else 422)


def _is_ours(request: Request) -> bool:
    """Not a page of some other site that a browser on this machine happens to show."""
    origin = request.headers.get("origin", request.base)
    return origin == request.base and urlsplit(request.base).hostname in OWN_HOSTS


@routes("GET", "/state")
def state(emu: Emulator, request: Request) -> dict[str, Any]:
    """All of it but files and chats."""
    found = {name: to_plain(value) for name, value in vars(emu.state).items() if name not in ("people", "media")}
    found["people"] = {one.id: to_plain({**vars(one), "chats": {}}) for one in emu.state.people.values()}
    found["media"] = {one.id: to_plain({**vars(one), "data": len(one.data)}) for one in emu.state.media.values()}
    return {**found, "now": emu.clock.now(), "number": emu.news.number}


@routes("POST", "/reset")
async def reset(emu: Emulator, request: Request) -> dict[str, Any]:
    """Forget everything; ``{"scene": true}``: and play the demonstration's street."""
    await emu.drop()
    words = given(request)
    emu.state = store.State(settings={"base": emu.state.settings.get("base", request.base)})
    emu.faults.clear()
    emu.transcript.clear()
    if words.get("scene"):
        scene.play(emu.state, **{name: value for name, value in words.items() if name != "scene"})
    emu.news.tell("reset", {})
    return {}


@routes("POST", "/settings")
def settings(emu: Emulator, request: Request) -> dict[str, Any]:
    """Of the push engine, and plans: ``template_status``, ``sms_status``, ``smtp_faults``, ``status_after``, ``next_scan``."""
    emu.state.settings |= given(request)
    return {**SETTINGS, **emu.state.settings}


@routes("POST", "/settle")
async def settle(emu: Emulator, request: Request) -> dict[str, Any]:
    """Answers when nothing is on its way any more."""
    if not await emu.settle():
        raise NotAllowed("something is still on its way; does the clock stand still?")
    return {"number": emu.news.number}


@routes("POST", "/refuse")
async def refuse(emu: Emulator, request: Request) -> dict[str, Any]:
    """Connections are refused for so many real seconds."""
    seconds = float(given(request).get("seconds", 1))
    if emu.refuse_for is None or not 0 < seconds <= LONGEST_REFUSAL_SECONDS:
        raise NotAllowed("this server cannot, or not for so long")
    await emu.refuse_for(seconds)
    return {"seconds": seconds}


# --- clock, faults, transcript


@routes("GET", "/clock")
def clock(emu: Emulator, request: Request) -> dict[str, Any]:
    """The moment and the speed."""
    return {"now": emu.clock.now(), "rate": emu.clock.rate}


@routes("POST", "/clock")
def set_clock(emu: Emulator, request: Request) -> dict[str, Any]:
    """``advance`` seconds, ``at`` a moment, ``rate`` a speed (0: stands still)."""
    words = given(request)
    emu.clock.set(at=words.get("at"), rate=words.get("rate"))
    if words.get("advance"):
        emu.clock.advance(float(words["advance"]))
    emu.news.tell("clock", {})
    return clock(emu, request)


@routes("GET", "/faults")
def faults(emu: Emulator, request: Request) -> list[dict[str, Any]]:
    """Those planted, with what is left of them."""
    return [asdict(one) for one in emu.faults.planted]


@routes("POST", "/faults")
def plant(emu: Emulator, request: Request) -> dict[str, Any]:
    """Plant one (see ``faults.py``)."""
    return asdict(emu.faults.plant(**given(request)))


@routes("DELETE", "/faults")
def clear_faults(emu: Emulator, request: Request) -> dict[str, Any]:
    """Take one out (``?number=``), or all."""
    emu.faults.clear(int(request.query.get("number", 0)))
    return {}


@routes("GET", "/transcript")
def transcript(emu: Emulator, request: Request) -> Any:
    """Entries; ``after``, ``way``, ``service``, ``path``, ``kind``, ``person``, ``method`` choose."""
    query = dict(request.query)
    return emu.transcript.read(after=int(query.pop("after", 0)), **query)


@routes("DELETE", "/transcript")
def clear_transcript(emu: Emulator, request: Request) -> dict[str, Any]:
    """Forget it."""
    emu.transcript.clear()
    return {}


@routes("GET", "/events")
def events(emu: Emulator, request: Request) -> Answer:
    """What happens, as server-sent events."""
    after = request.headers.get("last-event-id") or request.query.get("after") or emu.news.number
    return Answer(kind="text/event-stream", headers={"cache-control": "no-store"}, stream=emu.news.listen(int(after)))
