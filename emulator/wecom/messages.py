"""Application messages and cards with buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official.media import kept
from emulator.store import Person, digest, secret_text
from emulator.wecom.contacts import below, visible
from emulator.wecom.routes import Caller, routes
from emulator.wecom.state import Agent, Card, Corp, Member

if TYPE_CHECKING:
    from emulator.app import Emulator

KINDS = ("text", "image", "voice", "video", "file", "textcard", "news", "markdown", "template_card")
CARDS = ("text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction")
WITH_CODE = CARDS[2:]
MOST_USERS, MOST_PARTS = 1000, 100
A_MINUTE, A_MINUTE_SECONDS = 30, 60.0
PER_MEMBER_A_DAY = 200
CODE_LASTS = 72 * 3600.0
USUAL_INTERVAL, LONGEST_INTERVAL = 1800, 4 * 3600
LONGEST_TEXT = 2048
RECALLED_WITHIN = 24 * 3600.0


def where(corp: Corp, agent: Agent) -> str:
    """The chat's name on a phone."""
    return f"{corp.corpid}:{agent.agentid}"


@routes("POST", "/cgi-bin/message/send", guard="agent")
def send(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """To members, departments, tags or @all; over 30 a minute to one member it is dropped in silence."""
    given = request.json()
    corp, agent = caller.corp, caller.agent
    if not agent or str(given.get("agentid")) != agent.agentid:
        raise ApiError(301002)
    kind = str(given.get("msgtype"))
    shown = _content(emu, corp, agent, kind, given.get(kind))
    reached, wrong = _receivers(corp, agent, given)
    if not reached:
        raise ApiError(81013)
    answer: dict[str, Any] = {"errcode": 0, "errmsg": "ok", **wrong}
    if _seen(emu, corp, agent, given):
        return answer | {"msgid": "", "errmsg": "ok, duplicated"}
    _spend_day(emu, corp, len(reached))
    number = "m" + secret_text(40)
    if kind == "template_card" and shown["card_type"] in WITH_CODE:
        card = Card(
            secret_text(43), agent.agentid, [one.userid for one in reached], emu.clock.now() + CODE_LASTS, shown["task_id"]
        )
        corp.cards[card.code] = card
        shown["response_code"] = answer["response_code"] = card.code
    items = [_deliver(emu, corp, agent, one, kind, {**shown, "msgid": number}) for one in reached]
    corp.messages[number] = {"at": emu.clock.now(), "agent": agent.agentid, "items": [one for one in items if one]}
    return answer | {"msgid": number}


def _content(emu: Emulator, corp: Corp, agent: Agent, kind: str, part: Any) -> dict[str, Any]:
    if kind not in KINDS:
        raise ApiError(40008)
    if not isinstance(part, dict):
        raise ApiError(44004)
    if kind in ("text", "markdown"):
        text = str(part.get("content", ""))
        if not text:
            raise ApiError(44004)
        return {"text": text.encode()[:LONGEST_TEXT].decode("utf-8", "ignore")}  # longer ones are cut
    if kind in ("image", "voice", "video", "file"):
        return {"media_id": kept(emu, corp.corpid, part.get("media_id")).id}
    if kind == "textcard":
        if not part.get("title") or not part.get("description") or not part.get("url"):
            raise ApiError(40058, "title, description and url are wanted")
        return {"title": str(part["title"])[:128], "text": str(part["description"])[:512], "url": part["url"]}
    if kind == "news":
        return {"articles": [chat.article(one, chat.IN_JSON) for one in part.get("articles", [])[:8]]}
    return _card(corp, agent, part)


def _card(corp: Corp, agent: Agent, part: dict[str, Any]) -> dict[str, Any]:
    """A card's parts, checked as the documentation says: type, title, a task id of its own, up to six buttons."""
    if part.get("card_type") not in CARDS:
        raise ApiError(42014, words="invalid template_card type")
    title = (part.get("main_title") or {}).get("title") or part.get("sub_title_text")
    if not title:
        raise ApiError(40058, "main_title.title or sub_title_text is wanted")
    if part["card_type"] not in WITH_CODE:
        if not (part.get("card_action") or {}).get("type"):
            raise ApiError(40058, "card_action is wanted")
        return {**part, "task_id": str(part.get("task_id", ""))}
    task = str(part.get("task_id", ""))
    if not 0 < len(task.encode()) <= 128 or any(
        one.task_id == task and one.agent == agent.agentid for one in corp.cards.values()
    ):
        raise ApiError(42016, words="invalid or repeated task_id")
    buttons = part.get("button_list", [])
    if part["card_type"] == "button_interaction" and not 1 <= len(buttons) <= 6:
        raise ApiError(40058, "1 to 6 buttons")
    if any(not one.get("text") or not (one.get("key") or one.get("url")) for one in buttons):
        raise ApiError(40058, "a button wants text and key")
    return dict(part)


def _receivers(corp: Corp, agent: Agent, given: dict[str, Any]) -> tuple[list[Member], dict[str, str]]:
    users, parties, tags = (_split(given.get(name)) for name in ("touser", "toparty", "totag"))
    if len(users) > MOST_USERS or len(parties) > MOST_PARTS or len(tags) > MOST_PARTS:
        raise ApiError(40058, "too many receivers")
    seen = visible(corp, agent)
    if users == ["@all"]:
        return seen, {}
    known = {one.userid.lower(): one for one in seen}
    chosen = {one.lower(): known[one.lower()] for one in users if one.lower() in known}
    right = [one for one in parties if one in corp.departments]
    wanted = {number for one in right for number in below(corp, int(one))}
    for one in seen:
        if wanted & set(one.departments) or set(tags) & set(map(str, one.tags)):
            chosen[one.userid.lower()] = one
    wrong = {
        "invaliduser": "|".join(one for one in users if one.lower() not in known),
        "invalidparty": "|".join(one for one in parties if one not in right),
    }
    return list(chosen.values()), {name: text for name, text in wrong.items() if text}


def _split(value: Any) -> list[str]:
    return [one for one in str(value or "").split("|") if one]


def _seen(emu: Emulator, corp: Corp, agent: Agent, given: dict[str, Any]) -> bool:
    """The same words to the same people within the interval, where that is to be looked at."""
    if not given.get("enable_duplicate_check"):
        return False
    now = emu.clock.now()
    interval = min(int(given.get("duplicate_check_interval", USUAL_INTERVAL)), LONGEST_INTERVAL)
    key = digest(agent.agentid, repr(sorted((name, repr(value)) for name, value in given.items())))
    before = corp.seen.get(key)
    if before is not None and now - before < interval:
        return True
    corp.seen[key] = now
    return False


def _spend_day(emu: Emulator, corp: Corp, count: int) -> None:
    """200 a day for each member of the corporation, all together."""
    if corp.day != emu.clock.today():
        corp.day, corp.day_count = emu.clock.today(), 0
    if corp.day_count + count > PER_MEMBER_A_DAY * max(1, len(corp.members)):
        raise ApiError(45009)
    corp.day_count += count


def person_of(emu: Emulator, userid: str) -> Person | None:
    """Whose phone a member has."""
    return next((one for one in emu.state.people.values() if one.userid == userid), None)


def _deliver(emu: Emulator, corp: Corp, agent: Agent, member: Member, kind: str, shown: dict[str, Any]) -> list[Any] | None:
    now = emu.clock.now()
    key = f"{agent.agentid}:{member.userid}"
    lately = [at for at in corp.sent.get(key, []) if now - at < A_MINUTE_SECONDS]
    if len(lately) >= A_MINUTE:
        return None
    corp.sent[key] = [*lately, now]
    person = person_of(emu, member.userid)
    if not person:
        return None
    item = chat.add(emu, person, where(corp, agent), "account", "card" if kind == "template_card" else kind, dict(shown))
    return [person.id, item.number]


@routes("POST", "/cgi-bin/message/recall", guard="agent")
def recall(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Within 24 hours it vanishes from the phones."""
    number = str(request.json().get("msgid", ""))
    sent = caller.corp.messages.get(number)
    if not sent or not caller.agent or sent["agent"] != caller.agent.agentid:
        raise ApiError(40097, "msgid")
    if emu.clock.now() - sent["at"] > RECALLED_WITHIN:
        raise ApiError(46004, words="message can not be recalled any more")
    for person_id, item in sent["items"]:
        lines = emu.state.people[person_id].chats.get(where(caller.corp, caller.agent), [])
        lines[:] = [one for one in lines if one.number != item]
        chat.told(emu, person_id, where(caller.corp, caller.agent), "recall")
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/message/update_template_card", guard="agent")
def update_card(emu: Emulator, request: Request, caller: Caller) -> dict[str, Any]:
    """Change a card that was sent, by its response_code: within 72 hours, once."""
    given = request.json()
    corp, agent = caller.corp, caller.agent
    card = corp.cards.get(str(given.get("response_code", "")))
    if not card or card.is_used or card.until <= emu.clock.now() or not agent or card.agent != agent.agentid:
        raise ApiError(42045)
    card.is_used = True
    wanted = card.userids if given.get("atall") else given.get("userids", [])
    wrong = [one for one in wanted if one not in card.userids]
    for userid in wanted:
        if userid in card.userids:
            redraw(emu, corp, agent, userid, card.task_id, given)
    return {"errcode": 0, "errmsg": "ok", "invaliduser": wrong}


def redraw(emu: Emulator, corp: Corp, agent: Agent, userid: str, task_id: str, given: dict[str, Any]) -> None:
    """The card on that member's phone: its button replaced by words, or all of it by another card."""
    person = person_of(emu, userid)
    for item in person.chats.get(where(corp, agent), []) if person else []:
        if item.kind == "card" and item.data.get("task_id") == task_id:
            if given.get("button"):
                item.data["replaced"] = str(given["button"].get("replace_name", ""))
            else:
                kept_words = {name: item.data.get(name) for name in ("msgid", "task_id")}
                item.data = {**given.get("template_card", {}), **kept_words}
            chat.told(emu, person.id if person else "", where(corp, agent), "card")
