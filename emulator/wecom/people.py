"""What members do with an application, as it is pushed to its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.envelope import Outcome, Target
from emulator.official.messages import NotAllowed, show_reply
from emulator.push import Push
from emulator.store import Person, secret_text
from emulator.wecom.messages import CODE_LASTS, redraw, where
from emulator.wecom.state import Agent, Card, Corp

if TYPE_CHECKING:
    from emulator.app import Emulator


def target_of(corp: Corp, agent: Agent) -> Target:
    """Where that application's pushes go."""
    return Target(agent.url, agent.token, agent.aes_key, corp.corpid, "secure", agent=agent.agentid, is_work=True)


def push(emu: Emulator, corp: Corp, agent: Agent, person: Person, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Tell the application."""
    if person.userid not in corp.members:
        raise NotAllowed(f"{person.name} is not a member of {corp.name}")
    event = fields.get("Event", "")
    message = {
        "ToUserName": corp.corpid, "FromUserName": person.userid, "CreateTime": int(emu.clock.now()), "MsgType": kind,
        **fields, **({} if event else {"MsgId": emu.state.next_id()}), "AgentID": agent.agentid,
    }  # fmt: skip
    name = f"wecom.event.{event}" if event else f"wecom.{kind}"
    told = Push(
        target_of(corp, agent), message, name, person.id, lambda answer: _told(emu, corp, agent, person, fields, answer)
    )
    emu.pusher.push(told)
    return message


def _told(emu: Emulator, corp: Corp, agent: Agent, person: Person, fields: dict[str, Any], answer: Outcome) -> None:
    """A passive reply: words in the chat, or the tapped card drawn anew."""
    if answer.kind != "reply":
        return
    reply = answer.reply
    if reply["MsgType"] == "update_button":
        given = {"button": {"replace_name": (reply.get("Button") or {}).get("ReplaceName", "")}}
        redraw(emu, corp, agent, person.userid, fields.get("TaskId", ""), given)
    elif reply["MsgType"] == "update_template_card":
        card = reply.get("TemplateCard") or {}
        title = card.get("MainTitle") or {}
        shown = {
            "card_type": card.get("CardType", ""),
            "main_title": {"title": title.get("Title", ""), "desc": title.get("Desc", "")},
            "sub_title_text": card.get("SubTitleText", ""),
        }
        redraw(emu, corp, agent, person.userid, fields.get("TaskId", ""), {"template_card": shown})
    else:
        show_reply(emu, person, where(corp, agent), reply)


def say(
    emu: Emulator, corp: Corp, agent: Agent, person: Person, kind: str, shown: dict[str, Any], **fields: Any
) -> dict[str, Any]:
    """Any message to an application."""
    message = push(emu, corp, agent, person, kind, fields)
    chat.add(emu, person, where(corp, agent), "person", kind, shown)
    return message


def event(emu: Emulator, corp: Corp, agent: Agent, person: Person, name: str, **fields: Any) -> dict[str, Any]:
    """Any event: ``enter_agent``, ``click``, ``view`` …"""
    return push(emu, corp, agent, person, "event", {"Event": name, **fields})


def tap(
    emu: Emulator, corp: Corp, agent: Agent, person: Person, item_number: int, key: str, chosen: dict[str, list[str]]
) -> dict[str, Any]:
    """A button of a card. ``chosen``: ids of options by question, for votes and multiple choices."""
    lines = person.chats.get(where(corp, agent), [])
    item = next((one for one in lines if one.number == item_number and one.kind == "card"), None)
    if not item or item.data.get("replaced"):
        raise NotAllowed("no such card, or its button is grey")
    keys = [one.get("key") for one in item.data.get("button_list", [])] + [(item.data.get("submit_button") or {}).get("key")]
    if key not in keys:
        raise NotAllowed(f"no button {key!r} on this card")
    card = Card(secret_text(43), agent.agentid, [person.userid], emu.clock.now() + CODE_LASTS, item.data["task_id"])
    corp.cards[card.code] = card
    fields: dict[str, Any] = {
        "EventKey": key, "TaskId": item.data["task_id"], "CardType": item.data["card_type"], "ResponseCode": card.code,
    }  # fmt: skip
    if chosen:
        items = [{"QuestionKey": name, "OptionIds": {"OptionId": ids}} for name, ids in chosen.items()]
        fields["SelectedItems"] = {"SelectedItem": items}
    return event(emu, corp, agent, person, "template_card_event", **fields)
