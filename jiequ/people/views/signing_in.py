"""Signing in: password, second factor, reset code, the demo's one click; and signing out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import client_network

from .. import entry, oidc, queries, services, ways_in
from ..access import actor_of, is_too_weak, public, signed_in
from ..models import Person
from ..names import ROLE_NAMES
from .fields import needed, page

READ_AND_POST = ["GET", "HEAD", "POST"]


@public
@require_http_methods(READ_AND_POST)
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name or phone, and password; in the demo one click per role."""
    next_path = entry.own_path(request.POST.get("next") or request.GET.get("next", ""))
    if _is_in(request) and request.method != "POST":
        return redirect(next_path or "/")
    refusal = None
    if request.method == "POST":
        try:
            return _by_password(request, next_path, at=now())
        except Refusal as refused:
            refusal = refused
    return _sign_in_page(request, next_path, refusal)


def _sign_in_page(request: HttpRequest, next_path: str, refusal: Refusal | None) -> HttpResponse:
    context = {
        "next": next_path,
        "login": request.POST.get("login", "")[:100],
        "stays": request.POST.get("stays") == "1",
        "has_oidc": oidc.is_on(),
        "way_in": ways_in.at_home(request, next_path),
        "demo": _demo_choices() if settings.DEMO else [],
    }
    return page(request, "people/sign_in.html", context, refusal)


def _is_in(request: HttpRequest) -> bool:
    actor = actor_of(request)
    return actor.person_id is not None and not is_too_weak(request, actor)


def _by_password(request: HttpRequest, next_path: str, *, at: datetime) -> HttpResponse:
    person = services.check_password(
        login=request.POST.get("login", ""),
        password=request.POST.get("password", "")[:1000],
        device_token=request.COOKIES.get(entry.DEVICE_COOKIE, ""),
        network=client_network(request),
        at=at,
    )
    stays = request.POST.get("stays") == "1"
    return entry.go_on(request, person, at=at, how="password", is_strong=False, stays=stays, next_path=next_path)


@public
@require_http_methods(READ_AND_POST)
def second_factor(request: HttpRequest) -> HttpResponse:
    """The six digits, or a spare code."""
    at, refusal = now(), None
    waiting = entry.who_waits(request, at)
    if waiting is None:
        return redirect("people:sign_in")
    person, kept = waiting
    if not person.totp_sealed:
        return redirect("people:enrol")
    if request.method == "POST":
        try:
            services.check_second_factor(person=person, code=request.POST.get("code", "")[:40], at=at)
            return entry.let_in(request, person, at=at, is_strong=True, **_kept(kept))
        except Refusal as refused:
            refusal = refused
    return page(request, "people/second_factor.html", {"name": person.name}, refusal)


def _kept(kept: dict[str, Any]) -> dict[str, Any]:
    return {"how": kept["how"], "stays": kept["stays"], "next_path": kept["next"]}


@public
@require_http_methods(READ_AND_POST)
def enrol(request: HttpRequest) -> HttpResponse:
    """First sign-in of somebody whose role needs a second factor: scan, show one code, keep the spare codes."""
    at, refusal = now(), None
    waiting = entry.who_waits(request, at)
    if waiting is None:
        return redirect("people:sign_in")
    person, kept = waiting
    if person.totp_sealed:
        return redirect("people:second_factor")
    if "secret" not in kept:
        kept = {**kept, "secret": services.begin_second_factor()}
        request.session[entry.PENDING] = kept
    if request.method == "POST":
        try:
            code = request.POST.get("code", "")[:40]
            codes = services.confirm_second_factor(person_id=person.pk, secret=kept["secret"], code=code, at=at)
            shown = {"codes": codes, "next": kept["next"] or "/"}
            entry.enter(request, person, at=at, how=kept["how"], is_strong=True)
            answer = page(request, "people/recovery_codes.html", shown)
            entry.remember_device(request, answer, person, at=at, is_strong=True, stays=kept["stays"])
            return answer
        except Refusal as refused:
            refusal = refused
    return page(request, "people/enrol.html", enrolment(person, kept["secret"]), refusal)


def enrolment(person: Person, secret: str) -> dict[str, object]:
    """What the set-up page shows: the QR code, and the secret to type in groups of four."""
    address = services.enrolment_address(secret, person.username, _("街区"))
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return {"qr": qr_code(address), "secret": groups, "name": person.name}


def qr_code(text: str) -> SafeString:
    """An inline SVG without style attributes (the page's policy allows none)."""
    svg = segno.make(text, error="m").svg_inline(scale=5, border=3, light="#fff", svgclass="qr", lineclass=None)
    return mark_safe(svg)


@public
@require_http_methods(READ_AND_POST)
def reset(request: HttpRequest) -> HttpResponse:
    """A new password by a one-time code from the security administrator; no e-mail anywhere."""
    refusal = None
    if request.method == "POST":
        at = now()
        try:
            if request.POST.get("new") != request.POST.get("again"):
                raise Refusal("passwords_differ", _("两次填写的新密码不一样。"))
            person = services.use_reset_code(
                login=request.POST.get("login", ""),
                code=request.POST.get("code", "")[:40],
                new=request.POST.get("new", "")[:1000],
                network=client_network(request),
                at=at,
            )
            return entry.go_on(request, person, at=at, how="reset", is_strong=False, stays=False, next_path="")
        except Refusal as refused:
            refusal = refused
    return page(request, "people/reset.html", {"login": request.POST.get("login", "")[:100]}, refusal)


@signed_in
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends this session; this phone will ask for the password again."""
    entry.leave(request)
    return entry.stay_out(redirect("people:sign_in"))


@public
@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """One click in as somebody of the demo; there is no such address outside the demo."""
    if not settings.DEMO:
        raise Http404
    chosen = needed(request.POST, "person")
    person = next((person for _role, person in queries.one_per_role(now()) if person.pk == chosen), None)
    if person is None:
        raise Http404
    next_path = entry.own_path(request.POST.get("next", ""))
    return entry.let_in(request, person, at=now(), how="demo", is_strong=True, stays=False, next_path=next_path)


def _demo_choices() -> list[tuple[str, Person]]:
    return [(str(ROLE_NAMES[role]), person) for role, person in queries.one_per_role(now())]


@public
@require_POST
def oidc_begin(request: HttpRequest) -> HttpResponse:
    """Off to the district's sign-in page: to enter, or (signed in already) to tie that account to one's own."""
    if not oidc.is_on():
        raise Http404
    try:
        address, kept = oidc.begin(_return_address(), at=now())
    except Refusal as refusal:
        return _sign_in_page(request, "", refusal)
    owner = actor_of(request).person_id if _is_in(request) else None
    request.session["_oidc"] = {**kept, "next": entry.own_path(request.POST.get("next", "")), "owner": owner}
    return redirect(address)


@public
@require_http_methods(["GET"])
def oidc_return(request: HttpRequest) -> HttpResponse:
    """Back from there; what the session kept is good once."""
    if not oidc.is_on():
        raise Http404
    at, kept = now(), request.session.pop("_oidc", None)
    try:
        answer = oidc.finish(kept, request.GET.dict(), _return_address(), at=at)
        if kept and kept["owner"] is not None:
            return _link(request, kept["owner"], answer.subject, at=at)
        person = oidc.person_of(answer)
    except Refusal as refusal:
        return _sign_in_page(request, "", refusal)
    next_path = kept["next"] if kept else ""
    return entry.go_on(request, person, at=at, how="oidc", is_strong=answer.is_strong, stays=False, next_path=next_path)


def _link(request: HttpRequest, owner: int, subject: str, *, at: datetime) -> HttpResponse:
    by = actor_of(request)
    if by.person_id != owner or not _is_in(request):
        raise Refusal("oidc_state", _("统一身份登录没有成功，请再试一次，或用用户名和密码登录。"))
    services.link_district_account(subject=subject, by=by, at=at)
    messages.success(request, _("已关联区统一账号，下次可以用它登录。"))
    return redirect("people:me")


def _return_address() -> str:
    return f"{settings.BASE_URL}/sign-in/oidc/return"
