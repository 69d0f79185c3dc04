"""Web sign-in: the authorize page of WeChat and WeCom, and WeChat's exchange of codes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from emulator import tokens
from emulator.errors import ApiError
from emulator.http import Answer, Request, page, redirect
from emulator.official.routes import routes
from emulator.routes import Routes, answer_of
from emulator.store import Account, Code, Person, WebToken, digest, secret_text
from emulator.wecom.state import Corp

if TYPE_CHECKING:
    from emulator.app import Emulator

CODE_LASTS = 300.0
REFRESH_LASTS = 30 * 86_400.0
ORDER = ["appid", "redirect_uri", "response_type", "scope", "state"]
LONGEST_STATE = 128
open_routes = Routes()


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/open/…``."""
    route = open_routes.find(request, request.path.removeprefix("/open"))
    return await answer_of(route.handler(emu, request)) if route else page("<h1>404</h1>", 404)


class Refused(Exception):
    """An error page: a number and words."""


@open_routes("GET", "/connect/oauth2/authorize", guard="none")
def authorize(emu: Emulator, request: Request) -> Answer:
    """Sends the phone's owner back with a code. Outside a phone a page asks whose phone it shall be."""
    try:
        owner = _owner(emu, request.query)
        _check(request, owner)
    except Refused as fault:
        return _error_page(str(fault))
    person = emu.state.people.get(request.headers.get("x-emu-person") or request.query.get("emu_person", ""))
    if not person:
        return _whose(emu, request)
    scope = request.query["scope"]
    if scope != "snsapi_base" and not person.is_snapshot and request.query.get("emu_consent") != "1":
        return _consent(request, owner, person)
    return redirect(_back(emu, request.query, owner, person))


def _owner(emu: Emulator, query: dict[str, str]) -> Account | Corp:
    appid = query.get("appid", "")
    owner = emu.state.accounts.get(appid) or emu.state.corps.get(appid)
    if not owner:
        raise Refused("10005 appid 无效")
    return owner


def _check(request: Request, owner: Account | Corp) -> None:
    query = request.query
    asked = [name for name in query if name in ORDER]
    if [name for name in ORDER if name in query] != asked:
        raise Refused("10002 参数顺序错误：" + ", ".join(ORDER))
    if query.get("response_type") != "code" or len(query.get("state", "")) > LONGEST_STATE or not query.get("scope"):
        raise Refused("10002 参数错误")
    state = query.get("state", "")
    if state and not (state.isascii() and state.isalnum()):
        raise Refused("10002 state 只能是 a-zA-Z0-9")
    host = urlsplit(query.get("redirect_uri", "")).netloc
    if not host or host not in _domains(owner, query.get("agentid", "")):
        raise Refused(
            "10003 redirect_uri 域名与后台配置不一致" if isinstance(owner, Account) else "50001 redirect_uri 未登记可信域名"
        )


def _domains(owner: Account | Corp, agentid: str) -> list[str]:
    if isinstance(owner, Account):
        return [owner.oauth_domain]
    return [one.oauth_domain for one in owner.agents.values() if agentid in ("", one.agentid)]


def _back(emu: Emulator, query: dict[str, str], owner: Account | Corp, person: Person) -> str:
    value = ("0" if isinstance(owner, Account) else "w") + secret_text(31)
    name = owner.appid if isinstance(owner, Account) else owner.corpid
    code = Code(value, name, person.id, query["scope"], emu.clock.now() + CODE_LASTS, is_snapshot=person.is_snapshot)
    emu.state.codes[value] = code
    parts = urlsplit(query["redirect_uri"])
    words = [*parse_qsl(parts.query, keep_blank_values=True), ("code", value), ("state", query.get("state", ""))]
    return urlunsplit(parts._replace(query=urlencode(words)))


def _again(request: Request, **more: str) -> str:
    return request.path + "?" + urlencode({**request.query, **more}, quote_via=quote)


def _shell(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>body{{font:16px/1.6 sans-serif;margin:3rem 1.5rem;text-align:center;color:#222}}"
        "a.b{display:block;margin:1rem auto;max-width:15rem;padding:.6rem;border-radius:.4rem;background:#1f7a5a;color:#fff;"
        f"text-decoration:none}}</style><h1 style='font-size:1.2rem'>{title}</h1>{body}</html>"
    )


def _error_page(words: str) -> Answer:
    return page(_shell("该链接无法访问", f"<p>错误码：{html.escape(words)}</p>"))


def _whose(emu: Emulator, request: Request) -> Answer:
    links = [_link(_again(request, emu_person=one.id), f"{one.name} {one.role}") for one in emu.state.people.values()]
    return page(_shell("请在微信客户端打开链接", "<p>模拟器：以谁的手机打开？</p>" + "".join(links)))


def _link(url: str, words: str) -> str:
    return f'<a class="b" href="{html.escape(url)}">{html.escape(words)}</a>'


def _consent(request: Request, owner: Account | Corp, person: Person) -> Answer:
    link = html.escape(_again(request, emu_consent="1"))
    name = html.escape(owner.name)
    return page(
        _shell(f"{name} 申请使用", f"<p>你的昵称、头像（{html.escape(person.name)}）</p><a class='b' href='{link}'>允许</a>")
    )


@routes("GET", "/sns/oauth2/access_token", guard="none")
def exchange(emu: Emulator, request: Request) -> dict[str, Any]:
    """A code, once and within five minutes, for a web token. 41008, 40029, 40163."""
    query = request.query
    if not query.get("code"):
        raise ApiError(41008)
    account = emu.state.accounts.get(query.get("appid", ""))
    if not account:
        raise ApiError(40013)
    if account.secret != query.get("secret"):
        raise ApiError(40125)
    tokens.spend(emu, account, "sns/oauth2/access_token")
    code = use_code(emu, query["code"], account.appid)
    person = emu.state.people[code.person]
    openid = emu.state.following(account, person).openid
    if code.is_snapshot:
        openid = "o" + digest(account.appid, person.id, "snapshot")[:27]
    return _pair(emu, account, openid, code, person)


def use_code(emu: Emulator, value: str, owner: str) -> Code:
    """A code that is this owner's, in time and not used before."""
    code = emu.state.codes.get(value)
    if not code or code.owner != owner or code.until <= emu.clock.now():
        raise ApiError(40029)
    if code.is_used:
        raise ApiError(40163)
    code.is_used = True
    return code


def _pair(emu: Emulator, account: Account, openid: str, code: Code, person: Person) -> dict[str, Any]:
    access = _web_token(emu, "access", account, openid, code, tokens.LASTS)
    refresh = _web_token(emu, "refresh", account, openid, code, REFRESH_LASTS)
    found: dict[str, Any] = {
        "access_token": access.value, "expires_in": tokens.LASTS, "refresh_token": refresh.value,
        "openid": openid, "scope": code.scope,
    }  # fmt: skip
    if code.scope == "snsapi_userinfo":
        found["unionid"] = _unionid(person, is_snapshot=code.is_snapshot)
    return found | ({"is_snapshotuser": 1} if code.is_snapshot else {})


def _unionid(person: Person, *, is_snapshot: bool) -> str:
    """A snapshot user's is one of its own, that leads to nobody."""
    return "oU" + digest(person.id, "snapshot")[:26] if is_snapshot else person.unionid


def _web_token(emu: Emulator, kind: str, account: Account, openid: str, code: Code, lasts: float) -> WebToken:
    until = emu.clock.now() + lasts
    token = WebToken(secret_text(88), kind, account.appid, openid, code.person, code.scope, until, code.is_snapshot)
    emu.state.web_tokens[token.value] = token
    return token


def _held(emu: Emulator, value: str, kind: str, wrong: int, over: int) -> WebToken:
    token = emu.state.web_tokens.get(value)
    if not token or token.kind != kind:
        raise ApiError(wrong)
    if token.until <= emu.clock.now():
        raise ApiError(over)
    return token


@routes("GET", "/sns/oauth2/refresh_token", guard="none")
def refresh(emu: Emulator, request: Request) -> dict[str, Any]:
    """A new web token for a refresh token of thirty days."""
    held = _held(emu, request.query.get("refresh_token", ""), "refresh", 40030, 42002)
    account = emu.state.accounts[held.appid]
    code = Code("", account.appid, held.person, held.scope, 0, is_snapshot=held.is_snapshot)
    access = _web_token(emu, "access", account, held.openid, code, tokens.LASTS)
    return {
        "access_token": access.value, "expires_in": tokens.LASTS, "refresh_token": held.value,
        "openid": held.openid, "scope": held.scope,
    }  # fmt: skip


@routes("GET", "/sns/userinfo", guard="none")
def userinfo(emu: Emulator, request: Request) -> dict[str, Any]:
    """Name and picture, for the scope that includes them."""
    held = _held(emu, request.query.get("access_token", ""), "access", 40001, 42001)
    if held.openid != request.query.get("openid"):
        raise ApiError(40003)
    if held.scope != "snsapi_userinfo":
        raise ApiError(48001)
    person = emu.state.people[held.person]
    name = "微信用户" if held.is_snapshot else person.name
    return {
        "openid": held.openid, "nickname": name, "sex": 0, "province": "", "city": "", "country": "",
        "headimgurl": "", "privilege": [], "unionid": _unionid(person, is_snapshot=held.is_snapshot),
    }  # fmt: skip


@routes("GET", "/sns/auth", guard="none")
def is_valid(emu: Emulator, request: Request) -> dict[str, Any]:
    """Whether a web token still stands."""
    held = _held(emu, request.query.get("access_token", ""), "access", 40001, 42001)
    if held.openid != request.query.get("openid"):
        raise ApiError(40003)
    return {"errcode": 0, "errmsg": "ok"}
