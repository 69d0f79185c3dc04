"""The strings: accounts, people and what they do, faults, clock, transcript. ``/_emu/…``, for tests and the phones page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from emulator import deeds, scene, store
from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json
from emulator.official.messages import NotAllowed, target_of
from emulator.push import SETTINGS
from emulator.routes import Routes, answer_of
from emulator.store import Account, Person, Robot, Server, SmsProvider, Template, changed, made, to_plain
from emulator.wecom import contacts, people
from emulator.wecom.state import Agent, Corp

if TYPE_CHECKING:
    from emulator.app import Emulator

routes = Routes()
VERIFY_SECONDS, VERIFY_WORK_SECONDS = 5.0, 1.0
LONGEST_REFUSAL_SECONDS = 60.0


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/_emu/…``: 404 for what is not there, 422 with a sentence for what cannot be."""
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


def _given(request: Request) -> dict[str, Any]:
    return request.json() if request.body.strip() else {}


@routes("GET", "/state")
def state(emu: Emulator, request: Request) -> dict[str, Any]:
    """All of it but files and chats."""
    found = to_plain(emu.state)
    for person in found["people"].values():
        del person["chats"]
    found["media"] = {
        one: {name: value for name, value in media.items() if name != "data"} for one, media in found["media"].items()
    }
    return {**found, "now": emu.clock.now(), "number": emu.news.number}


@routes("POST", "/reset")
async def reset(emu: Emulator, request: Request) -> dict[str, Any]:
    """Forget everything; ``{"scene": true}``: and play the demonstration's street."""
    await emu.drop()
    given = _given(request)
    emu.state = store.State(settings={"base": emu.state.settings.get("base", request.base)})
    emu.faults.clear()
    emu.transcript.clear()
    if given.get("scene"):
        scene.play(emu.state, **{name: value for name, value in given.items() if name != "scene"})
    emu.news.tell("reset", {})
    return {}


@routes("POST", "/settings")
def settings(emu: Emulator, request: Request) -> dict[str, Any]:
    """Of the push engine, and plans: ``template_status``, ``sms_status``, ``smtp_faults``, ``status_after``, ``next_scan``."""
    emu.state.settings |= _given(request)
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
    seconds = float(_given(request).get("seconds", 1))
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
    given = _given(request)
    emu.clock.set(at=given.get("at"), rate=given.get("rate"))
    if given.get("advance"):
        emu.clock.advance(float(given["advance"]))
    emu.news.tell("clock", {})
    return clock(emu, request)


@routes("GET", "/faults")
def faults(emu: Emulator, request: Request) -> list[dict[str, Any]]:
    """Those planted, with what is left of them."""
    return [asdict(one) for one in emu.faults.planted]


@routes("POST", "/faults")
def plant(emu: Emulator, request: Request) -> dict[str, Any]:
    """Plant one (see ``faults.py``)."""
    return asdict(emu.faults.plant(**_given(request)))


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


# --- accounts


@routes("POST", "/accounts")
def add_account(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new official account."""
    account: Account = made(Account, _given(request))
    emu.state.accounts[account.appid] = account
    return to_plain(account)  # type: ignore[no-any-return]


@routes("POST", "/accounts/{appid}")
def change_account(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of an account, as its owner sets them at the platform."""
    account = emu.state.accounts[request.params["appid"]]
    changed(account, _given(request))
    return to_plain(account)  # type: ignore[no-any-return]


@routes("POST", "/accounts/{appid}/server")
async def save_server(emu: Emulator, request: Request) -> dict[str, Any]:
    """'Save settings' of the callback: the address must prove itself first; 422 says why it was not saved.

    ``{"is_checked": false}`` leaves that out.
    """
    account = emu.state.accounts[request.params["appid"]]
    given = _given(request)
    is_checked = given.pop("is_checked", True)
    wanted: Server = made(Server, given)
    before, account.server = account.server, wanted
    why = await emu.pusher.verify(target_of(account, ""), seconds=VERIFY_SECONDS) if is_checked else ""
    if why:
        account.server = before
        raise NotAllowed(why)
    return to_plain(account.server)  # type: ignore[no-any-return]


@routes("POST", "/accounts/{appid}/templates")
def add_template(emu: Emulator, request: Request) -> dict[str, Any]:
    """A template of the account's own; ``{"is_subscription": true}``: of subscription notices."""
    account = emu.state.accounts[request.params["appid"]]
    given = _given(request)
    table = account.subscriptions if given.pop("is_subscription", False) else account.templates
    template: Template = made(Template, given)
    table[template.id] = template
    return to_plain(template)  # type: ignore[no-any-return]


@routes("POST", "/corps")
def add_corp(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new corporation with its departments, members and applications."""
    corp: Corp = made(Corp, _given(request))
    emu.state.corps[corp.corpid] = corp
    return to_plain(corp)  # type: ignore[no-any-return]


@routes("POST", "/corps/{corpid}/agents/{agentid}")
async def save_agent(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of an application; a new callback address must decrypt a word within one second."""
    agent: Agent = emu.state.corps[request.params["corpid"]].agents[request.params["agentid"]]
    given = _given(request)
    is_checked = given.pop("is_checked", True)
    before = {name: getattr(agent, name) for name in given}
    changed(agent, given)
    if is_checked and {"url", "token", "aes_key"} & set(given):
        target = people.target_of(emu.state.corps[request.params["corpid"]], agent)
        if why := await emu.pusher.verify(target, seconds=VERIFY_WORK_SECONDS):
            changed(agent, before)
            raise NotAllowed(why)
    return to_plain(agent)  # type: ignore[no-any-return]


@routes("POST", "/corps/{corpid}/contacts/{kind}")
def change_contacts(emu: Emulator, request: Request) -> dict[str, Any]:
    """``create_user``, ``update_user``, ``delete_user``, ``create_party``, …: done and pushed."""
    return contacts.change(emu, emu.state.corps[request.params["corpid"]], request.params["kind"], _given(request))


@routes("POST", "/corps/{corpid}")
def change_corp(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of a corporation."""
    corp = emu.state.corps[request.params["corpid"]]
    changed(corp, _given(request))
    return to_plain(corp)  # type: ignore[no-any-return]


@routes("POST", "/sms")
def change_sms(emu: Emulator, request: Request) -> dict[str, Any]:
    """The text-message provider's account."""
    provider: SmsProvider = emu.state.sms_provider
    changed(provider, _given(request))
    return to_plain(provider)  # type: ignore[no-any-return]


@routes("GET", "/sms")
def text_messages(emu: Emulator, request: Request) -> Any:
    """All text messages."""
    return to_plain(emu.state.sms)


@routes("GET", "/mails")
def mails(emu: Emulator, request: Request) -> Any:
    """All letters."""
    return to_plain(emu.state.mails)


@routes("POST", "/robots")
def add_robot(emu: Emulator, request: Request) -> Any:
    """A DingTalk robot."""
    robot: Robot = made(Robot, _given(request))
    emu.state.robots[robot.token] = robot
    return to_plain(robot)


# --- people


@routes("POST", "/people")
def add_person(emu: Emulator, request: Request) -> Any:
    """Somebody with a phone."""
    person: Person = made(Person, _given(request))
    emu.state.people[person.id] = person
    emu.news.tell("people", {})
    return to_plain(person)


@routes("POST", "/people/{id}")
def change_person(emu: Emulator, request: Request) -> Any:
    """Where they are, what they are called."""
    person = emu.state.people[request.params["id"]]
    changed(person, _given(request))
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
    given = _given(request)
    return {
        "frame": await emu.browsers.frame(
            emu.state.people[request.params["id"]], given["url"], is_work=bool(given.get("is_work"))
        )
    }


@routes("POST", "/people/{id}/{deed}")
async def do(emu: Emulator, request: Request) -> Any:
    """Something a person does: see ``deeds.py``."""
    person = emu.state.people[request.params["id"]]
    return await deeds.do(emu, person, request.params["deed"], _given(request))
