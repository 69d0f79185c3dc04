"""One's own things: profile, password, second factor, sessions, leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.once import idempotent

from .. import entry, oidc, queries, services, ways_in
from ..access import STRONG, actor_of, posts_for, signed_in
from ..models import Department, Device, Person, Session
from ..names import ROLE_NAMES
from ..rules import Account
from .fields import end_of_day, moment, needed, page
from .signing_in import READ_AND_POST, enrolment
from .staff import VIEWERS

SECRET = "_totp_secret"
YEAR_SECONDS = 365 * 24 * 3600


@signed_in
@require_http_methods(READ_AND_POST)
def me(request: HttpRequest) -> HttpResponse:
    """Who I am here: posts, whom I stand in for, language and type size, and the way to the rest."""
    person, at = _person(request), now()
    if request.method == "POST":
        language = request.POST.get("language", "")
        care_mode = request.POST.get("care_mode") == "1"
        services.change_profile(language=language, care_mode=care_mode, by=actor_of(request), at=at)
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
        messages.success(request, _("已保存。"))
        response = redirect("people:me")
        keep: dict[str, Any] = {"max_age": YEAR_SECONDS, "samesite": "Lax", "httponly": True, "secure": request.is_secure()}
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, translation.get_language() or "zh-hans", **keep)
        response.set_cookie("care", "1" if care_mode else "0", **keep)
        return response
    context = {
        "person": person,
        "posts": _posts(person, at),
        "leave": _running_leave(person, at),
        "languages": settings.LANGUAGES,
        "may_see_staff": actor_of(request).has(*VIEWERS),
        "panels": ways_in.panels(person, actor_of(request), at),
        "may_link": oidc.is_on() and person.account == Account.STAFF,
    }
    return page(request, "people/me.html", context)


def _person(request: HttpRequest) -> Person:
    """The session's own person, already read."""
    if not isinstance(request.user, Person):  # pragma: no cover  (the middleware has let nobody else in)
        raise Http404
    return request.user


def _posts(person: Person, at: datetime) -> list[dict[str, object]]:
    """One's own posts and the lent ones, with the names of role and department."""
    held = posts_for(person.pk, at)
    ids = {post.seat.department_id for post in held if post.seat.department_id}
    names = {row.pk: row for row in Department.objects.filter(pk__in=ids)}
    owners = dict(Person.objects.filter(pk__in={post.person_id for post in held}).values_list("pk", "name"))
    return [
        {
            "role": ROLE_NAMES[post.seat.role],
            "department": names.get(post.seat.department_id or 0),
            "owner": "" if post.person_id == person.pk else owners[post.person_id],
        }
        for post in sorted(held, key=lambda post: (post.person_id != person.pk, post.seat.role))
    ]


def _running_leave(person: Person, at: datetime) -> object:
    return next((leave for leave in queries.leaves_of([person.pk], at) if leave.starts_at <= at), None)


@signed_in
@require_POST
def unlink(request: HttpRequest) -> HttpResponse:
    """The district's account no longer opens this one."""
    services.unlink_district_account(by=actor_of(request), at=now())
    messages.success(request, _("已解除关联。"))
    return redirect("people:me")


@signed_in
@require_http_methods(READ_AND_POST)
def password(request: HttpRequest) -> HttpResponse:
    """A new password; every other session ends."""
    refusal, at = None, now()
    if request.method == "POST":
        try:
            if request.POST.get("new") != request.POST.get("again"):
                raise Refusal("passwords_differ", _("两次填写的新密码不一样。"))
            is_strong = bool(request.session.get(STRONG))
            services.change_password(
                old=request.POST.get("old", "")[:1000],
                new=request.POST.get("new", "")[:1000],
                by=actor_of(request),
                at=at,
            )
            return _stay_in(request, _person(request).pk, at, is_strong)
        except Refusal as refused:
            refusal = refused
    return page(request, "people/password.html", {}, refusal)


def _stay_in(request: HttpRequest, person_id: int, at: datetime, is_strong: bool) -> HttpResponse:
    """The one who changed the password goes on under a new session; everybody else is out."""
    person = Person.objects.get(pk=person_id)
    entry.enter(request, person, at=at, how="password_changed", is_strong=is_strong)
    messages.success(request, _("密码已更改，其他登录都已退出。"))
    response = redirect("people:me")
    entry.remember_device(request, response, person, at=at, is_strong=is_strong, stays=False)
    return response


@signed_in
@require_http_methods(READ_AND_POST)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Sets up a second factor, or another phone for it (a code of the old one is asked first); new spare codes."""
    person, at, refusal = _person(request), now(), None
    secret = request.session.get(SECRET)
    if secret is None:
        secret = request.session[SECRET] = services.begin_second_factor()
    if request.method == "POST":
        try:
            if person.totp_sealed:
                services.check_second_factor(person=person, code=request.POST.get("current", "")[:40], at=at)
            if request.POST.get("only") == "codes" and person.totp_sealed:
                codes = services.make_recovery_codes(by=actor_of(request), at=at)
            else:
                code = request.POST.get("code", "")[:40]
                codes = services.confirm_second_factor(person_id=person.pk, secret=secret, code=code, at=at)
                request.session.pop(SECRET)
            request.session[STRONG] = True
            shown = {"codes": codes, "next": "/me"}
            return page(request, "people/recovery_codes.html", shown)
        except Refusal as refused:
            refusal = refused
    return page(request, "people/my_second_factor.html", enrolment(person, secret) | {"person": person}, refusal)


@signed_in
@require_http_methods(READ_AND_POST)
def sessions(request: HttpRequest) -> HttpResponse:
    """Where I am signed in; each ends by one tap."""
    person, by, at, refusal = _person(request), actor_of(request), now(), None
    if request.method == "POST":
        try:
            return _end(request, person, at)
        except Refusal as refused:
            refusal = refused
    rows = Session.objects.filter(person=person, idle_end_at__gt=at).order_by("-begun_at")
    devices = Device.objects.filter(person=person, ends_at__gt=at).order_by("-trusted_at")
    context = {"rows": rows, "devices": devices, "current": request.session.key_hash, "by": by}  # type: ignore[attr-defined]
    return page(request, "people/sessions.html", context, refusal)


def _end(request: HttpRequest, person: Person, at: datetime) -> HttpResponse:
    by, what = actor_of(request), request.POST.get("what", "")
    if what == "all":
        services.end_sessions(person_id=person.pk, by=by, at=at)
        entry.leave(request)
        return entry.stay_out(redirect("people:sign_in"))
    if what == "device":
        services.end_device(device_id=needed(request.POST, "device"), by=by, at=at)
    else:
        key_hash = request.POST.get("session", "")[:64]
        if key_hash == request.session.key_hash:  # type: ignore[attr-defined]
            entry.leave(request)
            return entry.stay_out(redirect("people:sign_in"))
        services.end_session(key_hash=key_hash, by=by, at=at)
    messages.success(request, _("已退出。"))
    return redirect("people:sessions")


@signed_in
@require_http_methods(READ_AND_POST)
@idempotent
def leave(request: HttpRequest, person_id: int | None = None) -> HttpResponse:
    """Leave and deputy: one tap hands over for a day, three, a week, or a period; for oneself, or for one's person."""
    by, at, refusal = actor_of(request), now(), None
    person = get_object_or_404(Person.objects.active(), pk=person_id or by.person_id)
    if not services.may_manage(by, person.pk, at) or person.account != Account.STAFF:
        raise Http404
    if request.method == "POST":
        try:
            return _set_leave(request, person, at)
        except Refusal as refused:
            refusal = refused
    colleagues = queries.colleagues(person.pk, at)
    local = timezone.localtime(at)
    context = {
        "person": person,
        "is_mine": person.pk == by.person_id,
        "leaves": queries.leaves_of([person.pk], at),
        "lent": queries.leaves_to(person.pk, at),
        "colleagues": colleagues,
        "last_deputy": queries.last_deputy(person.pk),
        "starts": request.POST.get("starts_at") or local.strftime("%Y-%m-%dT%H:%M"),
        "ends": request.POST.get("ends_at", ""),
        "now": at,
    }
    return page(request, "people/leave.html", context, refusal)


def _set_leave(request: HttpRequest, person: Person, at: datetime) -> HttpResponse:
    data = request.POST
    days = data.get("days", "")
    starts_at = at if days else moment(data, "starts_at")
    ends_at = end_of_day(at, int(days)) if days.isdecimal() and len(days) < 4 else moment(data, "ends_at")
    deputy_id = needed(data, "deputy")
    set_leave = services.set_leave(
        person_id=person.pk, deputy_id=deputy_id, starts_at=starts_at, ends_at=ends_at, by=actor_of(request), at=at
    )
    messages.success(request, _("已交给%(name)s代理。") % {"name": set_leave.deputy.name})
    return redirect(request.path)


@signed_in
@require_POST
@idempotent
def end_leave(request: HttpRequest, leave_id: int) -> HttpResponse:
    """Back again: from now on nobody stands in."""
    services.cancel_leave(leave_id=leave_id, by=actor_of(request), at=now())
    messages.success(request, _("代理已结束。"))
    return redirect(entry.own_path(request.POST.get("next", "")) or "people:leave")
