"""Strings of who owns what: accounts with their callbacks, corporations, the text-message provider, robots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.http import Request
from emulator.official.messages import NotAllowed, target_of
from emulator.plain import changed, made, to_plain
from emulator.store import Account, Robot, Server, SmsProvider, Template
from emulator.strings import given, routes
from emulator.wecom import contacts, people
from emulator.wecom.state import Agent, Corp

if TYPE_CHECKING:
    from emulator.app import Emulator

VERIFY_SECONDS, VERIFY_WORK_SECONDS = 5.0, 1.0


@routes("POST", "/accounts")
def add_account(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new official account."""
    account: Account = made(Account, given(request))
    emu.state.accounts[account.appid] = account
    return to_plain(account)  # type: ignore[no-any-return]


@routes("POST", "/accounts/{appid}")
def change_account(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of an account, as its owner sets them at the platform."""
    account = emu.state.accounts[request.params["appid"]]
    changed(account, given(request))
    return to_plain(account)  # type: ignore[no-any-return]


@routes("POST", "/accounts/{appid}/server")
async def save_server(emu: Emulator, request: Request) -> dict[str, Any]:
    """'Save settings' of the callback: the address must prove itself first; 422 says why it was not saved.

    ``{"is_checked": false}`` leaves that out.
    """
    account = emu.state.accounts[request.params["appid"]]
    words = given(request)
    is_checked = words.pop("is_checked", True)
    wanted: Server = made(Server, words)
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
    words = given(request)
    table = account.subscriptions if words.pop("is_subscription", False) else account.templates
    template: Template = made(Template, words)
    table[template.id] = template
    return to_plain(template)  # type: ignore[no-any-return]


@routes("POST", "/corps")
def add_corp(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new corporation with its departments, members and applications."""
    corp: Corp = made(Corp, given(request))
    emu.state.corps[corp.corpid] = corp
    return to_plain(corp)  # type: ignore[no-any-return]


@routes("POST", "/corps/{corpid}/agents/{agentid}")
async def save_agent(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of an application; a new callback address must decrypt a word within one second."""
    agent: Agent = emu.state.corps[request.params["corpid"]].agents[request.params["agentid"]]
    words = given(request)
    is_checked = words.pop("is_checked", True)
    before = {name: getattr(agent, name) for name in words}
    changed(agent, words)
    if is_checked and {"url", "token", "aes_key"} & set(words):
        target = people.target_of(emu.state.corps[request.params["corpid"]], agent)
        if why := await emu.pusher.verify(target, seconds=VERIFY_WORK_SECONDS):
            changed(agent, before)
            raise NotAllowed(why)
    return to_plain(agent)  # type: ignore[no-any-return]


@routes("POST", "/corps/{corpid}/contacts/{kind}")
def change_contacts(emu: Emulator, request: Request) -> dict[str, Any]:
    """``create_user``, ``update_user``, ``delete_user``, ``create_party``, …: done and pushed."""
    return contacts.change(emu, emu.state.corps[request.params["corpid"]], request.params["kind"], given(request))


@routes("POST", "/corps/{corpid}")
def change_corp(emu: Emulator, request: Request) -> dict[str, Any]:
    """Fields of a corporation."""
    corp = emu.state.corps[request.params["corpid"]]
    changed(corp, given(request))
    return to_plain(corp)  # type: ignore[no-any-return]


@routes("POST", "/sms")
def change_sms(emu: Emulator, request: Request) -> dict[str, Any]:
    """The text-message provider's account."""
    provider: SmsProvider = emu.state.sms_provider
    changed(provider, given(request))
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
    robot: Robot = made(Robot, given(request))
    emu.state.robots[robot.token] = robot
    return to_plain(robot)
