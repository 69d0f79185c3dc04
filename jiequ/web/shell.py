"""What every page needs to know about its reader and its house; a context processor, evaluated only if a template asks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from jiequ.channels.wecom import config as wecom
from jiequ.core import clock
from jiequ.core.http import is_htmx
from jiequ.doors.wechat_pages import config as wechat
from jiequ.people.access import actor_of
from jiequ.people.rules import Actor, Role

from . import navigation
from .navigation import Tab

THEMES = ("auto", "light", "dark")
HOUSE_KEPT_SECONDS = 60.0
_DARK_MEDIA = {"auto": "(prefers-color-scheme: dark)", "light": "", "dark": "all"}
_COLOR_SCHEME = {"auto": "light dark", "light": "light", "dark": "dark"}


@dataclass(frozen=True, slots=True)
class House:
    """The installation's name and who answers for it."""

    name_zh: str = ""
    name_en: str = ""
    sponsor: str = ""
    filing: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of a page: reader, tabs, language, type size, theme, sponsor; where live events come from, and when it was
    made (milliseconds), so that what happened since is told; WeChat's own script, in WeChat only."""

    actor: Actor
    person_id: int | None
    tabs: list[Tab]
    desk: list[Tab]
    home_url: str
    place_name: str
    sponsor: str
    filing: str
    live_url: str
    jssdk_url: str
    jssdk_config: str
    made_at: int
    is_demo: bool
    is_care: bool
    theme: str
    language: str
    other_language: str
    other_language_name: str

    def __getitem__(self, name: str) -> Any:
        """As ``getattr``: a template asks for an item first, and is spared an exception for each word of the frame."""
        return getattr(self, name)

    @property
    def dark_media(self) -> str:
        """The media query under which the dark tokens apply ("" for never)."""
        return _DARK_MEDIA[self.theme]

    @property
    def color_scheme(self) -> str:
        """For the browser's own controls."""
        return _COLOR_SCHEME[self.theme]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``shell`` in every template; worked out at once for a page, on demand for a part of one."""
    return {"shell": SimpleLazyObject(lambda: _shell(request)) if is_htmx(request) else _shell(request)}


def _shell(request: HttpRequest) -> Shell:
    actor = actor_of(request)
    roles = frozenset(seat.role for seat in actor.seats) if actor.person_id else frozenset({Role.RESIDENT})
    house = _house()
    is_chinese = (get_language() or "zh-hans").startswith("zh")
    theme = request.COOKIES.get("theme", "light")
    script, signs = _platform_script(request)
    return Shell(
        actor=actor,
        person_id=actor.person_id,
        tabs=navigation.tabs("phone", roles, request.path),
        desk=navigation.tabs("desk", roles, request.path),
        home_url=navigation.start_page(roles) if actor.person_id else "/",
        place_name=house.name_zh if is_chinese else house.name_en,
        sponsor=house.sponsor,
        filing=house.filing,
        live_url=settings.LIVE_URL,
        jssdk_url=script,
        jssdk_config=navigation.address(signs) if script else "",
        made_at=int(clock.now().timestamp() * 1000),
        is_demo=settings.DEMO,
        is_care=request.COOKIES.get("care") == "1",
        theme=theme if theme in THEMES else "light",
        language="zh-hans" if is_chinese else "en",
        other_language="en" if is_chinese else "zh-hans",
        other_language_name="English" if is_chinese else "中文",
    )


def _platform_script(request: HttpRequest) -> tuple[str, str]:
    """The addresses of the script of the platform whose browser asks, the preferred first, and the route that signs pages for
    it; empty in every other browser."""
    if wechat.is_on() and wechat.is_in_wechat(request):
        return " ".join(settings.WECHAT_JSSDK), "wechat_pages:config"
    if wecom.is_home(request):
        return " ".join(settings.WECOM_JSSDK), "wecom:config"
    return "", ""


_kept: tuple[float, House] | None = None


def forget() -> None:
    """Read the house again at the next page (after its settings were changed in this process)."""
    global _kept
    _kept = None


def _house() -> House:
    """The district's name and sponsor; kept for a minute, so most pages spend no query on it."""
    global _kept
    if _kept is not None and time.monotonic() - _kept[0] < HOUSE_KEPT_SECONDS:
        return _kept[1]
    from jiequ.core.models import District

    row = District.objects.order_by("pk").values("name_zh", "name_en", "sponsor_unit", "filing_number").first()
    house = House(row["name_zh"], row["name_en"], row["sponsor_unit"], row["filing_number"]) if row else House()
    _kept = (time.monotonic(), house)
    return house
