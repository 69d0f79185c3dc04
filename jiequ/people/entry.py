"""Coming in and going out: what a request, its session and its device cookie have to do with a person.

Ways in: password (and second factor), the district's account (OIDC), a staff phone that was trusted before, and the account
of an outside channel (``ways_in``): of somebody on the roster, or of a resident, who then is that account and nobody else.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from jiequ.core.db import writing
from jiequ.core.ids import new_token, token_hash

from .access import actor_for, actor_of, is_too_weak, set_actor
from .models import Device, Person
from .rules import DEVICE_LIFE, Role, SessionKind, needs_second_factor, session_kind
from .services import record_sign_in
from .sessions import ACCOUNT, BEGUN, KIND, LABEL, STRONG

DEVICE_COOKIE = "jiequ_device"
PENDING = "_pending"
PENDING_SECONDS = 600
PROVED, PROVED_SECONDS = "_proved", 600
STAY_OUT, STAY_OUT_SECONDS = "jiequ_out", 30 * 24 * 3600
"""A cookie: whoever signed out here is not let in again by the channel's own browser until they ask."""
_SYSTEMS = ("iPhone", "iPad", "Android", "HarmonyOS", "Windows", "Macintosh", "Linux")
_BROWSERS = {
    "wxwork": "WeCom",
    "MicroMessenger": "WeChat",
    "Edg": "Edge",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}


def device_label(user_agent: str) -> str:
    """What a list of one's own sessions calls a browser: ``iPhone · WeChat``."""
    system = next((name for name in _SYSTEMS if name in user_agent), "")
    browser = next((name for mark, name in _BROWSERS.items() if mark in user_agent), "")
    return " · ".join(filter(None, (system, browser))) or "?"


def roles_of(person: Person, at: datetime) -> frozenset[Role]:
    """The roles the person holds now, lent ones without those that need the second factor. One SELECT."""
    return frozenset(seat.role for seat in actor_for(person, at=at, is_strong=False).seats)


def must_show_second_factor(person: Person, at: datetime) -> bool:
    """True if the password alone is not enough: by role, or because the person set one up. Never in the demo."""
    return not settings.DEMO and (bool(person.totp_sealed) or needs_second_factor(roles_of(person, at)))


def enter(
    request: HttpRequest,
    person: Person,
    *,
    at: datetime,
    how: str,
    is_strong: bool,
    device: Device | None = None,
    is_silent: bool = False,
) -> None:
    """Signs the person in with a fresh session key. ``how`` goes to the audit: password, oidc, device, wechat, demo, reset.

    ``is_silent``: nothing was shown but the phone itself (``has_just_proved``).
    """
    roles = roles_of(person, at)
    request.session.pop(PENDING, None)
    auth.login(request, person, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[KIND] = session_kind(roles).value
    request.session[LABEL] = device.label if device else device_label(request.headers.get("User-Agent", ""))
    request.session[STRONG] = is_strong or settings.DEMO
    request.session[BEGUN] = at.timestamp()
    if not is_silent:
        request.session[PROVED] = at.timestamp()
    set_actor(request, None)
    record_sign_in(person=person, how=how, at=at)


def has_just_proved(request: HttpRequest, at: datetime) -> bool:
    """True if whoever asks showed within ten minutes who they are; a phone that let itself in again showed nothing, by its
    cookie or by a channel that knows it."""
    return at.timestamp() - float(request.session.get(PROVED, 0)) <= PROVED_SECONDS


def remember_device(
    request: HttpRequest, response: HttpResponse, person: Person, *, at: datetime, is_strong: bool, stays: bool
) -> None:
    """The browser becomes one of the person's known devices. ``stays``: a staff phone that enters again by itself."""
    stays = stays and session_kind(roles_of(person, at)) is SessionKind.PHONE
    token = request.COOKIES.get(DEVICE_COOKIE) or new_token()
    hashed = token_hash(token)
    if stays:
        Device.objects.filter(token_hash=hashed).exclude(person=person).update(stays_signed_in=False)
    device = Device(
        token_hash=hashed,
        person=person,
        label=device_label(request.headers.get("User-Agent", "")),
        stays_signed_in=stays,
        second_factor=is_strong,
        trusted_at=at,
        ends_at=at + DEVICE_LIFE,
    )
    changing = ["label", "stays_signed_in", "second_factor", "trusted_at", "ends_at"]
    unique = ["token_hash", "person"]
    Device.objects.bulk_create([device], update_conflicts=True, unique_fields=unique, update_fields=changing)
    response.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=int(DEVICE_LIFE.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def re_enter(request: HttpRequest, at: datetime) -> bool:
    """Lets a trusted staff phone in again without a word. One SELECT when there is a device cookie, none otherwise."""
    token = request.COOKIES.get(DEVICE_COOKIE)
    if not token or request.user.is_authenticated:
        return False
    found = Device.objects.filter(token_hash=token_hash(token), stays_signed_in=True, ends_at__gt=at, person__is_active=True)
    device = found.select_related("person").order_by("-trusted_at").first()
    if device is None:
        return False
    roles = roles_of(device.person, at)
    is_weak = needs_second_factor(roles) and not device.second_factor and not settings.DEMO
    if session_kind(roles) is not SessionKind.PHONE or is_weak:
        return False
    enter(request, device.person, at=at, how="device", is_strong=device.second_factor, device=device, is_silent=True)
    return True


def account_of(request: HttpRequest) -> str:
    """The outside account this browser came in by (``wechat:12``), staff or not; empty if by none."""
    return str(request.session.get(ACCOUNT, ""))


def enter_as_account(request: HttpRequest, account: str, *, person: Person | None = None, at: datetime) -> None:
    """This browser is that account's from now on, under a fresh key; ``person`` is whose account it is on the roster, if any.

    Who is signed in stays so, unless it is somebody else's session or another account's.
    """
    signed_in = request.user.pk if request.user.is_authenticated else None
    if account_of(request) not in ("", account) or (person and signed_in not in (None, person.pk)):
        leave(request)
    request.session.cycle_key()
    request.session[ACCOUNT] = account
    if not request.user.is_authenticated:
        request.session[LABEL] = device_label(request.headers.get("User-Agent", ""))
        request.session[BEGUN] = at.timestamp()


def come_by_account(
    request: HttpRequest, account: str, person: Person | None, *, at: datetime, how: str, next_path: str
) -> HttpResponse:
    """Back from a channel that says whose phone it is: that account, signed in as its ``person`` on the roster if there is
    one, and on to the page. Nobody typed anything, so it proves nothing that outlives the session (``has_just_proved``)."""
    enter_as_account(request, account, person=person, at=at)
    actor = actor_of(request)
    if person is None or (actor.person_id == person.pk and not is_too_weak(request, actor)):
        answer: HttpResponse = redirect(next_path or "/")
    else:
        is_strong = _is_strong_here(request, person, at)
        answer = go_on(request, person, at=at, how=how, is_strong=is_strong, stays=False, next_path=next_path, is_silent=True)
    answer.delete_cookie(STAY_OUT)
    return answer


def _is_strong_here(request: HttpRequest, person: Person, at: datetime) -> bool:
    """True if this very phone showed the person's second factor within its ninety days; a desk's browser shows it each time."""
    token = request.COOKIES.get(DEVICE_COOKIE)
    if not token or session_kind(roles_of(person, at)) is not SessionKind.PHONE:
        return False
    known = Device.objects.filter(token_hash=token_hash(token), person=person, second_factor=True, ends_at__gt=at)
    return known.exists()


def go_on(
    request: HttpRequest,
    person: Person,
    *,
    at: datetime,
    how: str,
    is_strong: bool,
    stays: bool,
    next_path: str,
    is_silent: bool = False,
) -> HttpResponse:
    """After the first factor: in, or on to the second."""
    if not is_strong and must_show_second_factor(person, at):
        wait_for_second_factor(request, person, at=at, how=how, stays=stays, next=next_path)
        return redirect("people:second_factor" if person.totp_sealed else "people:enrol")
    kept: dict[str, Any] = {"how": how, "is_strong": is_strong, "stays": stays, "next_path": next_path}
    return let_in(request, person, at=at, is_silent=is_silent, **kept)


def let_in(
    request: HttpRequest,
    person: Person,
    *,
    at: datetime,
    how: str,
    is_strong: bool,
    stays: bool,
    next_path: str,
    is_silent: bool = False,
) -> HttpResponse:
    """In, the browser remembered, and on to the page that was asked for."""
    answer = redirect(next_path or "/")
    with writing():  # one wait for the writers' lock, not three
        enter(request, person, at=at, how=how, is_strong=is_strong, is_silent=is_silent)
        remember_device(request, answer, person, at=at, is_strong=is_strong, stays=stays)
    if person.care_mode and "care" not in request.COOKIES:
        answer.set_cookie("care", "1", max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    answer.delete_cookie(STAY_OUT)
    return answer


def stay_out(response: HttpResponse) -> HttpResponse:
    """After signing out: this browser waits to be asked, also where its channel would let it in without a word."""
    response.set_cookie(
        STAY_OUT, "1", max_age=STAY_OUT_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


def leave(request: HttpRequest) -> None:
    """Signs out: the session is gone, and the device waits to be asked for a password."""
    token = request.COOKIES.get(DEVICE_COOKIE)
    if token and request.user.is_authenticated:
        Device.objects.filter(token_hash=token_hash(token), person_id=request.user.pk).update(stays_signed_in=False)
    auth.logout(request)
    set_actor(request, None)


def wait_for_second_factor(request: HttpRequest, person: Person, *, at: datetime, how: str, **kept: Any) -> None:
    """The password was right: keeps who it is for ten minutes, under a fresh session key, until the second factor."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "person": person.pk,
        "epoch": person.session_epoch,
        "until": at.timestamp() + PENDING_SECONDS,
        "how": how,
        **kept,
    }


def who_waits(request: HttpRequest, at: datetime) -> tuple[Person, dict[str, Any]] | None:
    """Whose second factor is being waited for, and what was kept; None when nobody's, or for too long."""
    kept = request.session.get(PENDING)
    if not kept or kept["until"] < at.timestamp():
        return None
    person = Person.objects.active().filter(pk=kept["person"], session_epoch=kept["epoch"]).first()
    return (person, kept) if person else None


_SAFE_PATH = re.compile(r"^/(?![/\\])[^\x00-\x1f\\]*$")


def own_path(path: str) -> str:
    """``path`` if it is an address of this installation, else nothing: no sign-in leads elsewhere."""
    return path if _SAFE_PATH.match(path) else ""
