"""QR codes with scenes, and their pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import segno

from emulator.errors import ApiError
from emulator.http import Answer, Request
from emulator.official.routes import mp_routes, routes
from emulator.store import Account, QrCode, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

LONGEST_SECONDS, USUAL_SECONDS = 2_592_000, 60
MOST_PERMANENT = 100_000
URL = "http://weixin.qq.com/q/"
ACTIONS = {"QR_SCENE": False, "QR_STR_SCENE": False, "QR_LIMIT_SCENE": True, "QR_LIMIT_STR_SCENE": True}


@routes("POST", "/cgi-bin/qrcode/create")
def create(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A temporary code of up to thirty days, or one of 100,000 permanent ones."""
    given = request.json()
    action = given.get("action_name")
    if action not in ACTIONS:
        raise ApiError(40053)
    scene = _scene(action, given)
    is_permanent = ACTIONS[action]
    seconds = 0 if is_permanent else int(given.get("expire_seconds", USUAL_SECONDS))
    if not is_permanent and not 0 < seconds <= LONGEST_SECONDS:
        raise ApiError(40058)
    code = _kept(emu, account, scene, seconds)
    return {"ticket": code.ticket, "url": code.url} | ({} if is_permanent else {"expire_seconds": seconds})


def _scene(action: str, given: dict[str, Any]) -> str:
    scene = (given.get("action_info") or {}).get("scene") or {}
    if action.endswith("STR_SCENE"):
        text = scene.get("scene_str")
        if not isinstance(text, str) or not 1 <= len(text) <= 64:
            raise ApiError(40053)
        return text
    number = scene.get("scene_id")
    most = MOST_PERMANENT if ACTIONS[action] else 2**32 - 1
    if not isinstance(number, int) or not 1 <= number <= most:
        raise ApiError(40053)
    return str(number)


def _kept(emu: Emulator, account: Account, scene: str, seconds: int) -> QrCode:
    if not seconds:
        permanent = [one for one in account.qrcodes.values() if not one.until]
        for one in permanent:
            if one.scene == scene:  # a permanent scene has one code for ever
                return one
        if len(permanent) >= account.limits.get("qrcodes", MOST_PERMANENT):
            raise ApiError(45029)
    ticket, mark = "gQ" + secret_text(92) + "==", secret_text(22)
    code = QrCode(ticket, scene, URL + mark, emu.clock.now() + seconds if seconds else 0.0)
    account.qrcodes[ticket] = code
    return code


@mp_routes("GET", "/cgi-bin/showqrcode", guard="none")
def show(emu: Emulator, request: Request) -> Answer:
    """The picture; 404 for an unknown ticket."""
    for account in emu.state.accounts.values():
        if code := account.qrcodes.get(request.query.get("ticket", "")):
            return Answer(picture(code.url), kind="image/png")
    return Answer(b"404 Not Found", 404, "text/plain")


def picture(text: str) -> bytes:
    """A QR code as PNG."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=8, border=3)
    return out.getvalue()


def scanned(emu: Emulator, text: str) -> tuple[Account, QrCode] | None:
    """The account and code of what a camera read: its address or its ticket; None if it is over or no code of ours."""
    for account in emu.state.accounts.values():
        for code in account.qrcodes.values():
            if text in (code.url, code.ticket) and (not code.until or code.until > emu.clock.now()):
                return account, code
    return None
