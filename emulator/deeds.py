"""What a person can do with a phone, by name: ``{"account": appid}`` or ``{"agent": "corpid:agentid"}`` says with whom."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulator import sms
from emulator.geo import gcj02
from emulator.official import menus, messages, qrcodes, subscriptions
from emulator.official.messages import NotAllowed
from emulator.plain import to_plain
from emulator.store import Account, Media, Person, State, secret_text
from emulator.wecom import people as work
from emulator.wecom.messages import where
from emulator.wecom.state import Agent, Corp

if TYPE_CHECKING:
    from emulator.app import Emulator

Given = dict[str, Any]
LONGEST_TEXT = 600
VOICE = b"#!AMR\n" + b"\x3c\x91\x17\x16\xbe\x66" * 40


async def do(emu: Emulator, person: Person, deed: str, given: Given) -> Any:
    """Do it; the message that is pushed for it, if any. NotAllowed, KeyError."""
    if deed not in DEEDS:
        raise NotAllowed(f"no such deed; there are {', '.join(sorted(DEEDS))}")
    found = DEEDS[deed](emu, person, given)
    return (await found if inspect.isawaitable(found) else found) or {}


def _account(emu: Emulator, given: Given) -> Account:
    if "account" not in given and len(emu.state.accounts) == 1:
        return next(iter(emu.state.accounts.values()))
    return emu.state.accounts[given["account"]]


def _agent(emu: Emulator, given: Given) -> tuple[Corp, Agent]:
    corpid, _colon, agentid = given["agent"].partition(":")
    corp = emu.state.corps[corpid]
    return corp, corp.agents[agentid]


def _say(emu: Emulator, person: Person, given: Given, kind: str, shown: Given, fields: Given) -> Given:
    if "agent" in given:
        return work.say(emu, *_agent(emu, given), person, kind, shown, **fields)
    return messages.say(emu, _account(emu, given), person, kind, shown, **fields)


def say(emu: Emulator, person: Person, given: Given) -> Given:
    """``text``; ``answer`` is the id of the offered answer that was tapped instead of written."""
    text = str(given["text"])
    if not 0 < len(text) <= LONGEST_TEXT:
        raise NotAllowed("1 to 600 characters")
    tapped = {"bizmsgmenuid": str(given["answer"])} if given.get("answer") else {}
    return _say(emu, person, given, "text", {"text": text}, {"Content": text, **tapped})


def _sent_media(emu: Emulator, given: Given, kind: str, name: str, mime: str, data: bytes) -> Media:
    owner = _agent(emu, given)[0].corpid if "agent" in given else _account(emu, given).appid
    return messages.keep_media(emu, owner, kind, name, mime, data)


def send_photo(emu: Emulator, person: Person, given: Given) -> Given:
    """``photo`` of the camera roll, or ``data`` (base64); ``pic_url`` overrides where the picture is said to lie."""
    if "data" in given:
        given = {
            **given,
            "photo": add_photo(emu.state, person, base64.b64decode(given["data"]), given.get("mime", "image/jpeg")),
        }
    photo = emu.state.media[given.get("photo") or person.photos[-1]]
    media = _sent_media(emu, given, "image", photo.name, photo.mime, photo.data)
    base = emu.state.settings.get("base", "http://127.0.0.1")
    fields = {"PicUrl": given.get("pic_url") or f"{base}/mp/media/{media.id}", "MediaId": media.id}
    return _say(emu, person, given, "image", {"media_id": media.id}, fields)


def send_voice(emu: Emulator, person: Person, given: Given) -> Given:
    """A voice of a few seconds; ``words``: what the platform recognises in it, where it does."""
    data = base64.b64decode(given["data"]) if "data" in given else VOICE
    media = _sent_media(emu, given, "voice", "voice.amr", "audio/amr", data)
    words = {"Recognition": given["words"]} if given.get("words") else {}
    shown = {"media_id": media.id, "seconds": given.get("seconds", 3), "words": given.get("words", "")}
    return _say(emu, person, given, "voice", shown, {"MediaId": media.id, "Format": "amr", **words})


def send_video(emu: Emulator, person: Person, given: Given) -> Given:
    """``data`` (base64 of an MP4), else a few bytes of one; ``kind``: video or shortvideo."""
    data = base64.b64decode(given["data"]) if "data" in given else b"\0\0\0\x18ftypmp42" + bytes(40)
    media = _sent_media(emu, given, "video", "video.mp4", "video/mp4", data)
    thumb = _sent_media(emu, given, "thumb", "thumb.jpg", "image/jpeg", b"\xff\xd8\xff\xd9")
    fields = {"MediaId": media.id, "ThumbMediaId": thumb.id}
    return _say(emu, person, given, given.get("kind", "video"), {"media_id": media.id}, fields)


def send_place(emu: Emulator, person: Person, given: Given) -> Given:
    """Where they are, or ``lat``, ``lon`` (WGS-84), ``label``; WeChat gives GCJ-02."""
    lat, lon = float(given.get("lat", person.lat)), float(given.get("lon", person.lon))
    label = str(given.get("label", person.label))
    x, y = gcj02(lat, lon)
    return _say(
        emu, person, given, "location", {"label": label, "lat": lat, "lon": lon},
        {"Location_X": x, "Location_Y": y, "Scale": 16, "Label": label},
    )  # fmt: skip


def send_link(emu: Emulator, person: Person, given: Given) -> Given:
    """``title``, ``text``, ``url``."""
    fields = {"Title": given["title"], "Description": given.get("text", ""), "Url": given["url"]}
    return _say(emu, person, given, "link", {"text": f"{given['title']} {given['url']}"}, fields)


def follow(emu: Emulator, person: Person, given: Given) -> Given | None:
    """Follow an account."""
    return messages.follow(emu, _account(emu, given), person)


def unfollow(emu: Emulator, person: Person, given: Given) -> Given:
    """Unfollow it."""
    return messages.unfollow(emu, _account(emu, given), person)


def block(emu: Emulator, person: Person, given: Given) -> None:
    """Refuse its messages (``is_blocking``: true or false), still following."""
    emu.state.following(_account(emu, given), person).is_blocking = bool(given.get("is_blocking", True))


def open_account(emu: Emulator, person: Person, given: Given) -> Given:
    """Open the chat: the phone pulls the menu if it is old, an application hears ``enter_agent``."""
    if "agent" in given:
        corp, agent = _agent(emu, given)
        return work.event(emu, corp, agent, person, "enter_agent", EventKey="")
    account = _account(emu, given)
    return {"menu": menus.pull(emu, account, emu.state.following(account, person))}


def tap_menu(emu: Emulator, person: Person, given: Given) -> Given:
    """The button of this ``name`` in the menu the phone shows (pulled anew with ``open_account``)."""
    if "agent" in given:
        return _tap_work_menu(emu, person, given)
    account = _account(emu, given)
    button = _find(emu.state.following(account, person).menu, str(given["name"]))
    lat, lon = gcj02(float(given.get("lat", person.lat)), float(given.get("lon", person.lon)))
    picture = emu.state.media[person.photos[-1]].data if person.photos else b""
    message = messages.click(emu, account, person, button, {**given, "lat": lat, "lon": lon, "picture": picture})
    return {**message, "url": button.get("url", "")}


def _tap_work_menu(emu: Emulator, person: Person, given: Given) -> Given:
    corp, agent = _agent(emu, given)
    button = _find(agent.menu, str(given["name"]))
    key = button.get("url") or button.get("key", "")
    message = work.event(emu, corp, agent, person, "view" if button.get("url") else "click", EventKey=key)
    return {**message, "url": button.get("url", "")}


def _find(menu: list[Given], name: str) -> Given:
    buttons: list[Given] = [*menu, *(one for top in menu for one in top.get("sub_button", []))]
    for button in buttons:
        if button["name"] == name and not button.get("sub_button"):
            return button
    raise NotAllowed(f"the phone's menu has no {name}")


def scan(emu: Emulator, person: Person, given: Given) -> Given:
    """Hold the camera to ``text``: a code of an account, or a page's address (``url`` of the answer is to be opened)."""
    found = qrcodes.scanned(emu, str(given["text"]))
    if found:
        return messages.follow(emu, found[0], person, found[1]) or {}
    if str(given["text"]).startswith(qrcodes.URL):
        raise NotAllowed("该二维码已过期")
    return {"url": given["text"]}


def report_place(emu: Emulator, person: Person, given: Given) -> Given:
    """The phone tells its place on opening the account, for those who allowed it."""
    lat, lon = gcj02(float(given.get("lat", person.lat)), float(given.get("lon", person.lon)))
    account = _account(emu, given)
    return messages.event(emu, account, person, "LOCATION", Latitude=lat, Longitude=lon, Precision=30.0)


def subscribe(emu: Emulator, person: Person, given: Given) -> Given:
    """Answer to a popup: ``answers`` (template: accept or reject)."""
    return subscriptions.answer_popup(emu, _account(emu, given), person, given["answers"])


def refuse_template(emu: Emulator, person: Person, given: Given) -> Given:
    """Take a long-term grant of ``template`` back."""
    return subscriptions.withdraw(emu, _account(emu, given), person, given["template"])


def revoke_authorization(emu: Emulator, person: Person, given: Given) -> Given:
    """The person withdraws what a page was told of them."""
    account = _account(emu, given)
    told = {"OpenID": emu.state.following(account, person).openid, "AppID": account.appid, "RevokeInfo": "301"}
    return messages.event(emu, account, person, "user_authorization_revoke", **told)


def modify_info(emu: Emulator, person: Person, given: Given) -> Given:
    """The person changed name or picture."""
    account = _account(emu, given)
    told = {"OpenID": emu.state.following(account, person).openid, "AppID": account.appid}
    return messages.event(emu, account, person, "user_info_modified", **told)


def push_raw(emu: Emulator, person: Person, given: Given) -> Given:
    """A message of any ``kind`` with any ``fields``, for types that nothing here makes."""
    return messages.push(emu, _account(emu, given), person, given["kind"], given.get("fields", {}))


def tap_card(emu: Emulator, person: Person, given: Given) -> Given:
    """Button ``key`` of the card ``item`` (a line's number) of an application; ``chosen`` options by question."""
    corp, agent = _agent(emu, given)
    return work.tap(emu, corp, agent, person, int(given["item"]), str(given["key"]), given.get("chosen", {}))


async def reply_sms(emu: Emulator, person: Person, given: Given) -> None:
    """Answer a text message with ``text``."""
    await sms.reply(emu, person.mobile, str(given["text"]))


def add_photo(state: State, person: Person, data: bytes, mime: str) -> str:
    """A picture into the camera roll; its id."""
    if not data:
        raise NotAllowed("an empty picture")
    ending = {"image/png": "png", "image/gif": "gif"}.get(mime, "jpg")
    media = Media("p" + secret_text(20), f"phone:{person.id}", "image", f"photo-{len(person.photos) + 1}.{ending}", mime, data)
    state.media[media.id] = media
    person.photos.append(media.id)
    return media.id


def phone(emu: Emulator, person: Person) -> Given:
    """What the phone shows."""
    accounts = []
    for account in emu.state.accounts.values():
        following = emu.state.following(account, person)
        accounts.append(
            {
                "where": account.appid,
                "name": account.name,
                "colour": account.colour,
                "openid": following.openid,
                "is_following": following.is_following,
                "menu": following.menu,
            }
        )
    agents = [
        {"where": where(corp, agent), "name": agent.name, "corp": corp.name, "menu": agent.menu, "home": agent.home}
        for corp in emu.state.corps.values()
        for agent in corp.agents.values()
        if person.userid in corp.members
    ]
    chats = {name: to_plain(lines[-1]) | {"count": len(lines)} for name, lines in person.chats.items() if lines}
    return {"person": _card(person), "accounts": accounts, "agents": agents, "chats": chats}


def _card(person: Person) -> Given:
    names = ("id", "name", "role", "colour", "mobile", "mail", "userid", "lat", "lon", "label", "photos", "is_snapshot")
    return {name: getattr(person, name) for name in names}


DEEDS: dict[str, Callable[[Emulator, Person, Given], Any]] = {
    one.__name__: one
    for one in (
        say, send_photo, send_voice, send_video, send_place, send_link, follow, unfollow, block, open_account, tap_menu, scan,
        report_place, subscribe, refuse_template, revoke_authorization, modify_info, push_raw, tap_card, reply_sms,
    )
}  # fmt: skip
