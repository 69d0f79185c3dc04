"""Subscription notices (订阅通知): sent only to who granted one, each grant once unless it is a long-term one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official import fields, people
from emulator.official.messages import NotAllowed, event, push
from emulator.official.routes import routes
from emulator.store import Account, Person, Template, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

FOR_EVER = -1
MOST_AT_ONCE = 5
CATEGORIES = [{"id": 616, "name": "政务民生"}]


@routes("POST", "/cgi-bin/message/subscribe/bizsend")
def send(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Use up a grant; 43101 if there is none."""
    given = request.json()
    template = account.subscriptions.get(str(given.get("template_id", "")))
    if not template:
        raise ApiError(40037)
    person, following = people.found(emu, account, given.get("touser"))
    values = fields.check(template, given.get("data"))
    left = following.grants.get(template.id, 0)
    if not left or following.is_blocking:
        raise ApiError(43101)
    if left > 0:
        following.grants[template.id] = left - 1
    card = {"title": template.title, "lines": fields.shown(template, values), "url": str(given.get("page", ""))}
    chat.add(emu, person, account.appid, "account", "template", card)
    told = {"TemplateId": template.id, "MsgID": emu.state.next_id(), "ErrorCode": 0, "ErrorStatus": "success"}
    fields_told = {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": told}}
    emu.later(0.2, lambda: push(emu, account, person, "event", fields_told))
    return {"errcode": 0, "errmsg": "ok"}


def answer_popup(emu: Emulator, account: Account, person: Person, answers: dict[str, str], scene: int = 2) -> dict[str, Any]:
    """Somebody is asked for grants (``accept`` or ``reject`` by template) and the owner is told."""
    if not 0 < len(answers) <= MOST_AT_ONCE or not set(answers) <= set(account.subscriptions):
        raise NotAllowed("one to five templates of this account")
    if len({account.subscriptions[one].kind for one in answers}) > 1:
        raise NotAllowed("one-time and long-term templates are not asked for together")
    grants = emu.state.following(account, person).grants
    for one, answer in answers.items():
        if answer == "accept":
            grants[one] = FOR_EVER if account.subscriptions[one].kind == 3 else grants.get(one, 0) + 1
    listed = [{"TemplateId": one, "SubscribeStatusString": answer, "PopupScene": scene} for one, answer in answers.items()]
    return event(emu, account, person, "subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": listed})


def withdraw(emu: Emulator, account: Account, person: Person, template_id: str) -> dict[str, Any]:
    """Refuse a template in the account's settings."""
    emu.state.following(account, person).grants.pop(template_id, None)
    listed = {"TemplateId": template_id, "SubscribeStatusString": "reject"}
    return event(emu, account, person, "subscribe_msg_change_event", SubscribeMsgChangeEvent={"List": listed})


@routes("GET", "/wxaapi/newtmpl/getcategory")
def categories(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The account's categories."""
    return {"errcode": 0, "errmsg": "ok", "data": CATEGORIES}


@routes("GET", "/wxaapi/newtmpl/gettemplate")
def listed(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Its subscription templates."""
    found = [
        {"priTmplId": one.id, "title": one.title, "content": one.content, "example": "", "type": one.kind}
        for one in account.subscriptions.values()
    ]
    return {"errcode": 0, "errmsg": "ok", "data": found}


@routes("POST", "/wxaapi/newtmpl/addtemplate")
def add(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Take one of the library (the same as for template messages)."""
    from emulator.official.templates import LIBRARY

    model = LIBRARY.get(str(request.json().get("tid", "")))
    if not model:
        raise ApiError(200011, words="template not found")
    made = Template(secret_text(43), model.title, model.content, model.short, model.category)
    account.subscriptions[made.id] = made
    return {"errcode": 0, "errmsg": "ok", "priTmplId": made.id}


@routes("POST", "/wxaapi/newtmpl/deltemplate")
def delete(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One less."""
    if not account.subscriptions.pop(str(request.json().get("priTmplId", "")), None):
        raise ApiError(40037)
    return {"errcode": 0, "errmsg": "ok"}
