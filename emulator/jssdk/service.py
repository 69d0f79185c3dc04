"""The door of res.wx.qq.com: the script, and what it asks the platform and the phone for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from emulator import crypto
from emulator.geo import gcj02
from emulator.http import Answer, Request, as_json
from emulator.official.messages import NotAllowed, keep_media
from emulator.official.subscriptions import answer_popup
from emulator.routes import Routes, answer_of
from emulator.store import Account, Person, Token
from emulator.wecom.state import Corp

if TYPE_CHECKING:
    from emulator.app import Emulator

routes = Routes()
SCRIPT = Path(__file__).with_name("jweixin.js")
LOCAL = "weixin://resourceid/"


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/res/…``; pages of other origins may ask."""
    if request.method == "OPTIONS":
        return Answer(status=204, headers=_cors(request))
    route = routes.find(request, request.path.removeprefix("/res"))
    if not route:
        return as_json({"detail": "no such file"}, 404)
    try:
        found = await answer_of(route.handler(emu, request))
    except NotAllowed as fault:
        found = as_json({"errMsg": f"fail: {fault}"})
    found.headers |= _cors(request)
    return found


def _cors(request: Request) -> dict[str, str]:
    return {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-headers": "content-type, x-emu-person",
        "cache-control": "no-store",
    }


@routes("GET", "/open/js/{name}", guard="none")
def script(emu: Emulator, request: Request) -> Answer:
    """``jweixin-1.6.0.js`` and its like."""
    return Answer(SCRIPT.read_bytes(), kind="text/javascript; charset=utf-8")


@routes("POST", "/check", guard="none")
def check(emu: Emulator, request: Request) -> dict[str, Any]:
    """``wx.config`` and ``wx.agentConfig``: domain first, then the signature over the page's own address."""
    given = request.json()
    url = str(given.get("url", "")).split("#")[0]
    owner = emu.state.accounts.get(str(given.get("appId"))) or emu.state.corps.get(str(given.get("appId", given.get("corpid"))))
    if not owner:
        return {"errMsg": "config:invalid appid"}
    domains, tickets = _known(owner, str(given.get("agentid", "")))
    if urlsplit(url).netloc not in domains:
        return {"errMsg": "config:invalid url domain"}
    words = {"nonce": str(given.get("nonceStr", "")), "timestamp": str(given.get("timestamp", "")), "url": url}
    good = [crypto.jsapi_signature(ticket=one.value, **words) for one in tickets if one.until > emu.clock.now()]
    return {"errMsg": "config:ok" if given.get("signature") in good else "config:invalid signature"}


def _known(owner: Account | Corp, agentid: str) -> tuple[list[str], list[Token]]:
    if isinstance(owner, Account):
        return owner.js_domains, [one for one in owner.tickets if one.kind == "jsapi"]
    agents = [one for one in owner.agents.values() if agentid in ("", one.agentid)]
    held = [agents[0].ticket] if agentid and agents else [owner.ticket]
    return [name for one in agents for name in one.js_domains], [Token(one.value, one.until) for one in held if one]


def _person(emu: Emulator, request: Request) -> Person:
    name = request.headers.get("x-emu-person") or str(request.json().get("person", ""))
    person = emu.state.people.get(name) or next(iter(emu.state.people.values()), None)
    if not person:
        raise NotAllowed("nobody has a phone")
    return person


@routes("POST", "/device/getLocation", guard="none")
def location(emu: Emulator, request: Request) -> dict[str, Any]:
    """Where the phone is, in the asked system (wgs84 unless gcj02)."""
    person = _person(emu, request)
    lat, lon = gcj02(person.lat, person.lon) if request.json().get("type") == "gcj02" else (person.lat, person.lon)
    return {"errMsg": "getLocation:ok", "latitude": lat, "longitude": lon, "speed": "0", "accuracy": "30"}


@routes("POST", "/device/chooseImage", guard="none")
def choose(emu: Emulator, request: Request) -> dict[str, Any]:
    """The newest pictures of the camera roll; the phones page lets its reader choose."""
    count = int(request.json().get("count", 9))
    return {"errMsg": "chooseImage:ok", "localIds": [LOCAL + one for one in _person(emu, request).photos[-count:]]}


@routes("POST", "/device/uploadImage", guard="none")
def upload(emu: Emulator, request: Request) -> dict[str, Any]:
    """A picture of the phone as a temporary file of the account or corporation: ``serverId`` is its media id."""
    given = request.json()
    media = emu.state.media.get(str(given.get("localId", "")).removeprefix(LOCAL))
    owner = str(given.get("appId", ""))
    if not media or owner not in {*emu.state.accounts, *emu.state.corps}:
        return {"errMsg": "uploadImage:fail"}
    copy = keep_media(emu, owner, "image", media.name, media.mime, media.data)
    return {"errMsg": "uploadImage:ok", "serverId": copy.id}


@routes("POST", "/device/scanQRCode", guard="none")
def scan(emu: Emulator, request: Request) -> dict[str, Any]:
    """What the camera looks at: ``next_scan`` of the settings; the phones page asks its reader."""
    text = emu.state.settings.get("next_scan", "")
    return {"errMsg": "scanQRCode:ok" if text else "scanQRCode:cancel", "resultStr": text}


@routes("POST", "/device/subscribe", guard="none")
def subscribe(emu: Emulator, request: Request) -> dict[str, Any]:
    """``<wx-open-subscribe>`` was tapped and answered."""
    given = request.json()
    account = emu.state.accounts.get(str(given.get("appId", "")))
    if not account:
        raise NotAllowed("no such account")
    answers = {str(one): str(answer) for one, answer in (given.get("answers") or {}).items()}
    answer_popup(emu, account, _person(emu, request), answers)
    return {"errMsg": "subscribe:ok", "subscribeDetails": answers}


@routes("GET", "/local/{id}", guard="none")
def local_picture(emu: Emulator, request: Request) -> Answer:
    """A picture of a phone, for ``<img src=localId>`` turned into an address by the script."""
    media = emu.state.media.get(request.params["id"])
    return Answer(media.data, kind=media.mime) if media else Answer(status=404, kind="text/plain")
