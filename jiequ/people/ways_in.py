"""Channels that know who holds the phone: each registers how its own browser brings somebody in.

A channel (WeChat, WeCom) says which browsers are its own and where its sign-in begins. People never learn more of it than
that: the channel's pages call ``entry`` with a person or an account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise

from jiequ.core.errors import Refusal, Unauthenticated
from jiequ.core.http import is_htmx, wants_json

from . import entry
from .models import Person
from .rules import Actor

TRIED, TRIED_SECONDS = "jiequ_tried", 10
"""A cookie: the channel was just asked, and brought nobody who may open the page; so it is not asked in a circle."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """A channel's sign-in. ``is_home`` is asked of a request's browser; ``begins_at`` is a path that takes ``?next=``."""

    name: str
    label: str | Promise
    is_home: Callable[[HttpRequest], bool]
    begins_at: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Offer:
    """A way in as a page shows it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What a channel has to say about a person on the roster's page and on the person's own: a sentence and a page."""

    title: str
    text: str
    url: str


_ways: dict[str, WayIn] = {}
_panels: dict[str, Callable[[Person, Actor, datetime], Panel | None]] = {}


def register_way_in(way: WayIn) -> None:
    """Called by a channel's app when it is ready and configured."""
    _ways[way.name] = way


def register_panel(name: str, panel: Callable[[Person, Actor, datetime], Panel | None]) -> None:
    """Called by a channel's app when it is ready; the panel is None where it has nothing to say."""
    _panels[name] = panel


def panels(person: Person, by: Actor, at: datetime) -> list[Panel]:
    """What the channels have to say about a person to this reader."""
    return [panel for panel in (make(person, by, at) for make in _panels.values()) if panel]


def at_home(request: HttpRequest, next_path: str) -> Offer | None:
    """The way in of the channel whose own browser asks; None in any other browser."""
    way = next((one for one in _ways.values() if one.is_home(request)), None)
    if way is None:
        return None
    return Offer(str(way.label), f"{way.begins_at()}?{urlencode({'next': next_path})}")


def silently(request: HttpRequest, refusal: Refusal) -> HttpResponse | None:
    """A page that needs somebody signed in, asked for in a channel's own browser: round by the channel, without a word.

    None where it must not be so: a form, a part of a page, after signing out, or when that was tried a moment ago.
    """
    if not isinstance(refusal, Unauthenticated) or request.user.is_authenticated:
        return None
    if request.method != "GET" or is_htmx(request) or wants_json(request):
        return None
    return round_by_channel(request, request.get_full_path())


def round_by_channel(request: HttpRequest, next_path: str) -> HttpResponse | None:
    """To the sign-in of the channel whose browser this is, and back to ``next_path``; None if it is not to be asked."""
    if entry.STAY_OUT in request.COOKIES or TRIED in request.COOKIES:
        return None
    offer = at_home(request, entry.own_path(next_path))
    if offer is None:
        return None
    return tried(HttpResponseRedirect(offer.url))


def tried(answer: HttpResponse) -> HttpResponse:
    """The channel was asked: it is not asked again within the next moments."""
    answer.set_cookie(TRIED, "1", max_age=TRIED_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return answer
