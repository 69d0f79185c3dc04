"""What followers do with an account, as it is pushed to its owner; and what its owner answers at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.envelope import Outcome, Target
from emulator.official.menus import menu_of
from emulator.push import Push
from emulator.store import Account, Media, Person, QrCode, Window, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"
MESSAGE_WINDOW = (48 * 3600.0, 5)
TOUCH_WINDOW = (60.0, 3)
"""Since 2023-06-12: a message opens 48 hours for five, a menu click, a follow or a scan a minute for three."""
MEDIA_LASTS = 3 * 86_400.0
TOUCHES = ("subscribe", "SCAN", "CLICK", "scancode_push", "scancode_waitmsg")
SILENT_EVENTS = ("unsubscribe", "LOCATION", "TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "VIEW", "subscribe_msg_sent_event")


class NotAllowed(Exception):
    """Something a phone would not let them do."""


def target_of(account: Account, openid: str) -> Target:
    """Where that account's pushes go."""
    server = account.server
    return Target(server.url, server.token, server.aes_key, account.appid, server.mode, openid=openid)


def push(emu: Emulator, account: Account, person: Person, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Tell the owner: ``fields`` are what this kind adds to the common ones. Returns the whole message."""
    openid = emu.state.following(account, person).openid
    event = fields.get("Event", "")
    message = {
        "ToUserName": account.original_id,
        "FromUserName": openid,
        "CreateTime": int(emu.clock.now()),
        "MsgType": kind,
        **fields,
    } | ({} if event else {"MsgId": emu.state.next_id()})
    name = f"event.{event}" if event else kind
    is_loud = event not in SILENT_EVENTS
    emu.pusher.push(
        Push(target_of(account, openid), message, name, person.id, lambda told: _told(emu, account, person, told, is_loud))
    )
    return message


def _told(emu: Emulator, account: Account, person: Person, told: Outcome, is_loud: bool) -> None:
    """What the person sees of the owner's answer."""
    if told.kind == "reply":
        show_reply(emu, person, account.appid, told.reply)
    elif told.kind in ("failed", "malformed") and is_loud:
        chat.add(emu, person, account.appid, "system", "fault", {"text": OUT_OF_ORDER, "why": told.why})


def show_reply(emu: Emulator, person: Person, where: str, reply: dict[str, Any]) -> None:
    """A passive reply as a line of the chat."""
    kind = reply["MsgType"]
    if kind == "text":
        chat.add(emu, person, where, "account", "text", {"text": reply.get("Content", "")})
    elif kind in ("image", "voice", "video", "music"):
        chat.add(emu, person, where, "account", kind, {"media_id": _inner(reply, kind, "MediaId")})
    elif kind == "news":
        items = (reply.get("Articles") or {}).get("item", [])
        articles = [chat.article(one, chat.IN_XML) for one in (items if isinstance(items, list) else [items])]
        chat.add(emu, person, where, "account", "news", {"articles": articles})


def _inner(reply: dict[str, Any], kind: str, name: str) -> str:
    part = reply.get(kind.capitalize())
    return str(part.get(name, "")) if isinstance(part, dict) else ""


def grant(emu: Emulator, account: Account, person: Person, kind: str) -> None:
    """Open the customer-service window: each deed renews it, none adds up."""
    seconds, count = MESSAGE_WINDOW if kind == "message" else TOUCH_WINDOW
    windows = emu.state.following(account, person).windows
    windows[kind] = Window(emu.clock.now() + seconds, count)


def _followed(emu: Emulator, account: Account, person: Person) -> None:
    if not emu.state.following(account, person).is_following:
        raise NotAllowed(f"{person.name} does not follow {account.name}")


def say(emu: Emulator, account: Account, person: Person, kind: str, shown: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Any message a follower sends; it stands in the chat and opens the 48 hours."""
    _followed(emu, account, person)
    chat.add(emu, person, account.appid, "person", kind, shown)
    grant(emu, account, person, "message")
    return push(emu, account, person, kind, fields)


def event(emu: Emulator, account: Account, person: Person, name: str, **fields: Any) -> dict[str, Any]:
    """Any event."""
    if name in TOUCHES:
        grant(emu, account, person, "touch")
    return push(emu, account, person, "event", {"Event": name, **fields})


def keep_media(emu: Emulator, owner: str, kind: str, name: str, mime: str, data: bytes) -> Media:
    """A file of three days. ``owner``: an appid or corpid."""
    media = Media(secret_text(64), owner, kind, name, mime, data, emu.clock.now() + MEDIA_LASTS)
    emu.state.media[media.id] = media
    return media


def follow(emu: Emulator, account: Account, person: Person, code: QrCode | None = None) -> dict[str, Any] | None:
    """Follow, or scan once more. A first scan by a stranger follows with ``qrscene_…``, a follower's is SCAN."""
    following = emu.state.following(account, person)
    if following.is_following:
        return event(emu, account, person, "SCAN", EventKey=code.scene, Ticket=code.ticket) if code else None
    following.is_following, following.since = True, emu.clock.now()
    following.scene = "ADD_SCENE_QR_CODE" if code else "ADD_SCENE_SEARCH"
    following.qr_scene = code.scene if code else ""
    following.menu, following.menu_at = menu_of(account, following), emu.clock.now()
    chat.add(emu, person, account.appid, "system", "note", {"text": "您已关注此公众号"})
    extra = {"EventKey": f"qrscene_{code.scene}", "Ticket": code.ticket} if code else {"EventKey": ""}
    return event(emu, account, person, "subscribe", **extra)


def unfollow(emu: Emulator, account: Account, person: Person) -> dict[str, Any]:
    """Unfollow: windows close, tags and grants are gone."""
    _followed(emu, account, person)
    following = emu.state.following(account, person)
    following.is_following = False
    following.windows, following.grants, following.tags, following.remark = {}, {}, [], ""
    chat.add(emu, person, account.appid, "system", "note", {"text": "您已取消关注"})
    return event(emu, account, person, "unsubscribe", EventKey="")


def click(emu: Emulator, account: Account, person: Person, button: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Tap a menu button. ``given``: what the phone adds: ``scan``, ``picture`` (bytes' MD5), ``lat``, ``lon``, ``label``."""
    _followed(emu, account, person)
    kind, key = button.get("type", ""), button.get("key", "")
    if kind == "click":
        return event(emu, account, person, "CLICK", EventKey=key)
    if kind == "view":
        return event(emu, account, person, "VIEW", EventKey=button["url"], MenuId=emu.state.next_id())
    if kind in ("scancode_push", "scancode_waitmsg"):
        info = {"ScanType": "qrcode", "ScanResult": given.get("scan", "")}
        return event(emu, account, person, kind, EventKey=key, ScanCodeInfo=info)
    if kind in ("pic_sysphoto", "pic_photo_or_album", "pic_weixin"):
        item = {"PicMd5Sum": hashlib.md5(given.get("picture", b"")).hexdigest()}
        return event(emu, account, person, kind, EventKey=key, SendPicsInfo={"Count": 1, "PicList": {"item": item}})
    if kind == "location_select":
        place = {
            "Location_X": f"{given.get('lat', person.lat):.6f}", "Location_Y": f"{given.get('lon', person.lon):.6f}",
            "Scale": "15", "Label": given.get("label", person.label), "Poiname": "",
        }  # fmt: skip
        return event(emu, account, person, kind, EventKey=key, SendLocationInfo=place)
    if kind == "miniprogram":
        return event(emu, account, person, "view_miniprogram", EventKey=button.get("pagepath", ""), MenuId=emu.state.next_id())
    raise NotAllowed(f"a button of type {kind!r} does nothing here")
