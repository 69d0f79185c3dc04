"""Template messages (category templates): the library, the account's own, sending, and the status told afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official import fields, people
from emulator.official.messages import push
from emulator.official.routes import routes
from emulator.store import Account, Person, Template, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

MOST_TEMPLATES = 25
MOST_CATEGORIES = 5
DEDUPE_SECONDS = 600.0
STATUS_AFTER_SECONDS = 0.2
SUCCESS, BLOCKED = "success", "failed:user block"
MODELS = (
    ("43216", "工单处理通知", "工单编号", "事项类型", "所在网格", "thing", "办理期限"),
    ("43217", "上报受理通知", "受理编号", "事项类型", "当前状态", "phrase", "受理时间"),
    ("43218", "办理结果通知", "受理编号", "事项类型", "办理结果", "phrase", "办结时间"),
    ("43219", "待办事项提醒", "事项编号", "事项类型", "待办环节", "thing", "截止时间"),
)
"""Number, title, the four labels, and the type of the third field."""


def _model(short: str, title: str, first: str, second: str, third: str, kind: str, fourth: str) -> Template:
    named = {first: "character_string1", second: "thing2", third: f"{kind}3", fourth: "time4"}
    content = "\n".join(f"{label}：{{{{{name}.DATA}}}}" for label, name in named.items())
    return Template("", title, content, short)


LIBRARY = {row[0]: _model(*row) for row in MODELS}
"""A few of the public library, with numbers of our own: a real account's templates have others."""


@routes("POST", "/cgi-bin/template/api_add_template")
def add(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Take one from the library, at most 25 of at most five categories."""
    short = str(request.json().get("template_id_short", ""))
    if short not in LIBRARY:
        raise ApiError(40037, words="invalid template_id_short")
    model = LIBRARY[short]
    if (
        len(account.templates) >= MOST_TEMPLATES
        or len({one.category for one in account.templates.values()} | {model.category}) > MOST_CATEGORIES
    ):
        raise ApiError(45026, words="template num exceeds limit")
    made = Template(secret_text(43), model.title, model.content, short, model.category)
    account.templates[made.id] = made
    return {"errcode": 0, "errmsg": "ok", "template_id": made.id}


@routes("GET", "/cgi-bin/template/get_all_private_template")
def listed(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The account's own."""
    none = {"primary_industry": "", "deputy_industry": "", "example": ""}
    found = [{"template_id": one.id, "title": one.title, "content": one.content, **none} for one in account.templates.values()]
    return {"template_list": found}


@routes("POST", "/cgi-bin/template/del_private_template")
def delete(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One less."""
    if not account.templates.pop(str(request.json().get("template_id", "")), None):
        raise ApiError(40037)
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/template/api_set_industry")
def set_industry(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The two industries."""
    given = request.json()
    account.industry = [str(given.get("industry_id1", "")), str(given.get("industry_id2", ""))]
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/template/get_industry")
def industry(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The two industries."""
    first, second = account.industry
    return {
        "primary_industry": {"first_class": "政府与公共事业", "second_class": first},
        "secondary_industry": {"first_class": "政府与公共事业", "second_class": second},
    }


@routes("POST", "/cgi-bin/message/template/send")
def send(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One card to one follower; the same openid and client_msg_id within ten minutes are sent once."""
    given = request.json()
    template = account.templates.get(str(given.get("template_id", "")))
    if not template:
        raise ApiError(40037)
    person, following = people.found(emu, account, given.get("touser"))
    if not following.is_following:
        raise ApiError(43004)
    values = fields.check(template, given.get("data"))
    number, is_repeated = _once(emu, account, following.openid, str(given.get("client_msg_id", "")))
    if not is_repeated:
        _deliver(emu, account, person, following.is_blocking, template, values, given, number)
    return {"errcode": 0, "errmsg": "ok", "msgid": number}


def _once(emu: Emulator, account: Account, openid: str, key: str) -> tuple[int, bool]:
    """The message's number; and whether it was sent before under this key."""
    now = emu.clock.now()
    name = f"{openid}\0{key}"
    if key and (before := account.sent_ids.get(name)) and now - before[0] < DEDUPE_SECONDS:
        return int(before[1]), True
    number = emu.state.next_id() % 10**10
    if key:
        account.sent_ids[name] = [now, float(number)]
    return number, False


def _deliver(
    emu: Emulator, account: Account, person: Person, is_blocking: bool, template: Template,
    values: dict[str, str], given: dict[str, Any], number: int,
) -> None:  # fmt: skip
    """Show it, and tell its status a little later; ``/_emu/settings`` may make the next ones fail."""
    plan = emu.state.settings.get("template_status", [])
    status = BLOCKED if is_blocking else (plan.pop(0) if plan else SUCCESS)
    if status == SUCCESS:
        card = {"title": template.title, "lines": fields.shown(template, values), "url": str(given.get("url", ""))}
        chat.add(emu, person, account.appid, "account", "template", card | {"msgid": number})
    told = {"Event": "TEMPLATESENDJOBFINISH", "MsgID": number, "Status": status}
    emu.later(emu.state.settings.get("status_after", STATUS_AFTER_SECONDS), lambda: push(emu, account, person, "event", told))
