"""A DingTalk group's robot (oapi.dingtalk.com): signed, 20 messages a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json
from emulator.store import Robot
from emulator.tokens import client_of

if TYPE_CHECKING:
    from emulator.app import Emulator

A_MINUTE, LIMITED_SECONDS = 20, 600.0
SIGN_LASTS_MS = 3_600_000
KINDS = ("text", "link", "markdown", "actionCard", "feedCard")


def sign(secret: str, timestamp_ms: str) -> str:
    """What the query carries (before URL quoting)."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/oapi/robot/send``."""
    if request.path != "/oapi/robot/send":
        return as_json({"errcode": 404, "errmsg": "请求的URI地址不存在"})
    if request.method != "POST":
        raise ApiError(43002, words="require POST method")
    robot = emu.state.robots.get(request.query.get("access_token", ""))
    if not robot:
        raise ApiError(300001, words="token is not exist")
    given = request.json()
    if given.get("msgtype") not in KINDS:
        raise ApiError(400101, words="msgtype is not supported")
    _guard(emu, robot, request, given)
    _spend(emu, robot)
    robot.messages.append({"at": emu.clock.now(), **given})
    emu.news.tell("robot", {"token": robot.token})
    return as_json({"errcode": 0, "errmsg": "ok"})


def _guard(emu: Emulator, robot: Robot, request: Request, given: dict[str, Any]) -> None:
    if robot.secret:
        stamp = request.query.get("timestamp", "")
        is_fresh = stamp.isdigit() and abs(emu.clock.now() * 1000 - int(stamp)) <= SIGN_LASTS_MS
        if not is_fresh or not hmac.compare_digest(sign(robot.secret, stamp), request.query.get("sign", "")):
            raise ApiError(310000, words="sign not match")
    if robot.ips and client_of(request) not in robot.ips:
        raise ApiError(310000, words=f"ip {client_of(request)} not in whitelist")
    if robot.keywords and not any(word in str(given) for word in robot.keywords):
        raise ApiError(310000, words="keywords not in content")


def _spend(emu: Emulator, robot: Robot) -> None:
    """Over twenty a minute nothing is taken for ten minutes."""
    now = emu.clock.now()
    robot.sent = [at for at in robot.sent if now - at < 60]
    if robot.limited_until > now or len(robot.sent) >= A_MINUTE:
        robot.limited_until = robot.limited_until if robot.limited_until > now else now + LIMITED_SECONDS
        raise ApiError(130101, words="send too fast, exceed 20 times per minute")
    robot.sent.append(now)
