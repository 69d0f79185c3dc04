"""Menus: the default one, conditional ones by tag, and what a phone has pulled of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from emulator.errors import ApiError
from emulator.http import Request
from emulator.official.routes import routes
from emulator.store import Account, Following

if TYPE_CHECKING:
    from emulator.app import Emulator

PULLED_AGAIN_AFTER = 300.0
"""A phone that opens the account asks for the menu again when it last did so long ago."""
WITHOUT_KEY = ("media_id", "view_limited", "article_id", "article_view_limited")
TYPES = (
    *("click", "view", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin"),
    *("location_select", "miniprogram", *WITHOUT_KEY),
)
FEWEST, MOST, MOST_BELOW = 1, 3, 5
NAME_BYTES, NAME_BYTES_BELOW, KEY_BYTES, URL_BYTES = 16, 60, 128, 1024
RULES = ("tag_id", "sex", "country", "province", "city", "client_platform_type", "language", "group_id")


def check(account: Account, given: dict[str, Any]) -> list[dict[str, Any]]:
    """The buttons of a menu; 400xx says what is wrong with it."""
    buttons = given.get("button")
    if not isinstance(buttons, list) or not FEWEST <= len(buttons) <= MOST:
        raise ApiError(40016)
    for button in buttons:
        _name(button, NAME_BYTES, 40018)
        below = button.get("sub_button")
        if not below:
            _button(account, button, 40055)
            continue
        if len(below) > MOST_BELOW:
            raise ApiError(40023)
        for one in below:
            _name(one, NAME_BYTES_BELOW, 40025)
            _button(account, one, 40054)
    return buttons


def _name(button: Any, longest: int, code: int) -> None:
    name = button.get("name") if isinstance(button, dict) else None
    if not isinstance(name, str) or not 0 < len(name.encode()) <= longest:
        raise ApiError(code)


def _button(account: Account, button: dict[str, Any], domain_code: int) -> None:
    kind = button.get("type")
    if kind not in TYPES:
        raise ApiError(40017)
    if kind in ("view", "miniprogram"):
        url = str(button.get("url", ""))
        if not 0 < len(url.encode()) <= URL_BYTES or not url.startswith(("http://", "https://")):
            raise ApiError(40020)
        if account.menu_domains and urlsplit(url).netloc not in account.menu_domains:
            raise ApiError(domain_code)
    elif kind not in WITHOUT_KEY and not 0 < len(str(button.get("key", "")).encode()) <= KEY_BYTES:
        raise ApiError(40019)


def _tag_of(rule: dict[str, Any]) -> int:
    """The tag a conditional menu asks for; 0 for none. ValueError, TypeError: not a number."""
    return int(rule.get("tag_id") or rule.get("group_id") or 0)


def menu_of(account: Account, following: Following) -> list[dict[str, Any]]:
    """What this follower should see: the newest conditional menu that fits, else the default one."""
    for one in reversed(account.conditional):
        if _tag_of(one["matchrule"]) in following.tags:
            found: list[dict[str, Any]] = one["button"]
            return found
    return account.menu or []


def pull(emu: Emulator, account: Account, following: Following) -> list[dict[str, Any]]:
    """The menu as the phone shows it when the account is opened."""
    if emu.clock.now() - following.menu_at > PULLED_AGAIN_AFTER or not following.menu:
        following.menu, following.menu_at = menu_of(account, following), emu.clock.now()
    return following.menu


@routes("POST", "/cgi-bin/menu/create")
def create(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The default menu."""
    account.menu = check(account, request.json())
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/menu/get")
def get(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Default and conditional menus; 46003 if there is none."""
    if account.menu is None:
        raise ApiError(46003)
    found: dict[str, Any] = {"menu": {"button": account.menu}}
    return found | ({"conditionalmenu": account.conditional} if account.conditional else {})


@routes("GET", "/cgi-bin/menu/delete")
def delete(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """All of them."""
    account.menu, account.conditional = None, []
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/get_current_selfmenu_info")
def current(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """The default menu in the other form."""

    def form(button: dict[str, Any]) -> dict[str, Any]:
        below = button.get("sub_button")
        return {"name": button["name"], "sub_button": {"list": below}} if below else button

    return {
        "is_menu_open": int(account.menu is not None),
        "selfmenu_info": {"button": [form(one) for one in account.menu or []]},
    }


@routes("POST", "/cgi-bin/menu/addconditional")
def add_conditional(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A menu for those a rule fits; there must be a default one."""
    given = request.json()
    if account.menu is None:
        raise ApiError(65303)
    rule = given.get("matchrule")
    if not isinstance(rule, dict) or not any(rule.get(name) for name in RULES):
        raise ApiError(65304)
    _tag_of(rule)
    number = str(emu.state.next_id() % 10**9)
    account.conditional.append({"button": check(account, given), "matchrule": rule, "menuid": number})
    return {"menuid": number}


@routes("POST", "/cgi-bin/menu/delconditional")
def delete_conditional(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """One of them."""
    number = str(request.json().get("menuid", ""))
    kept = [one for one in account.conditional if one["menuid"] != number]
    if len(kept) == len(account.conditional):
        raise ApiError(65301)
    account.conditional = kept
    return {"errcode": 0, "errmsg": "ok"}


@routes("POST", "/cgi-bin/menu/trymatch")
def try_match(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """What this follower would see."""
    found = emu.state.person_of(account, str(request.json().get("user_id", "")))
    if not found:
        raise ApiError(40003)
    return {"button": menu_of(account, found[1])}
