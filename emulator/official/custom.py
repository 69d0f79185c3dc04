"""Customer-service messages: only while a window is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import chat
from emulator.errors import ApiError
from emulator.http import Request
from emulator.official import media, people
from emulator.official.routes import routes
from emulator.store import Account, Following

if TYPE_CHECKING:
    from emulator.app import Emulator

LONGEST_TEXT_BYTES = 2048
KINDS = ("text", "image", "voice", "video", "music", "news", "mpnewsarticle", "msgmenu", "miniprogrampage")


@routes("POST", "/cgi-bin/message/custom/send")
def send(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One message; 45015 no window, 45047 the window's messages are used up."""
    given = request.json()
    kind = given.get("msgtype")
    if kind not in KINDS:
        raise ApiError(40008)
    person, following = people.found(emu, account, given.get("touser"))
    if not following.is_following:
        raise ApiError(43004)
    shown = _content(emu, account, str(kind), given.get(str(kind)))
    _spend_window(emu, following)
    chat.add(emu, person, account.appid, "account", shown.pop("kind"), shown)
    return {"errcode": 0, "errmsg": "ok"}


def _content(emu: Emulator, account: Account, kind: str, part: Any) -> dict[str, Any]:
    if not isinstance(part, dict):
        raise ApiError(44004)
    if kind == "text":
        text = str(part.get("content", ""))
        if not text:
            raise ApiError(44004)
        if len(text.encode()) > LONGEST_TEXT_BYTES:
            raise ApiError(45002)
        return {"kind": "text", "text": text}
    if kind in ("image", "voice", "video"):
        return {"kind": kind, "media_id": media.kept(emu, account.appid, part.get("media_id")).id}
    if kind == "news":
        return {"kind": "news", "articles": [chat.article(one, chat.IN_JSON) for one in part.get("articles", [])[:1]]}
    if kind == "msgmenu":
        choices = [str(one.get("content", "")) for one in part.get("list", [])]
        ends = {"head": str(part.get("head_content", "")), "tail": str(part.get("tail_content", ""))}
        return {"kind": "choices", "choices": choices, "ids": [str(one.get("id", "")) for one in part.get("list", [])], **ends}
    return {"kind": "note", "text": f"[{kind}] {part.get('title', '')}"}


def _spend_window(emu: Emulator, following: Following) -> None:
    """Use one message of the window that closes first."""
    now = emu.clock.now()
    is_open = [one for one in following.windows.values() if one.until > now]
    if not is_open:
        raise ApiError(45015)
    usable = sorted((one for one in is_open if one.left > 0), key=lambda one: one.until)
    if not usable:
        raise ApiError(45047)
    usable[0].left -= 1


@routes("POST", "/cgi-bin/message/custom/typing")
def typing(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """'The other side is writing', while a window is open."""
    _person, following = people.found(emu, account, request.json().get("touser"))
    if not any(one.until > emu.clock.now() for one in following.windows.values()):
        raise ApiError(45080, words="can not set typing command when no msg rcvd")
    return {"errcode": 0, "errmsg": "ok"}
