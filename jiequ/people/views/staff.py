"""Staff: the list, one person, posts, hand-over, disabling. Changing is the system administrator's."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.core.once import idempotent

from .. import queries, services, ways_in
from ..access import actor_of, needs
from ..models import Department, Person, Post
from ..names import ROLE_NAMES
from ..rules import CASE_ROLES, Account, Actor, Role
from .fields import day, needed, number, page, role
from .signing_in import READ_AND_POST

LENGTH = 50
VIEWERS = (Role.SYSTEM_ADMIN, Role.LEADER, Role.DUTY_LEADER, Role.DEPARTMENT_LEAD)


@needs(*VIEWERS)
@require_GET
def staff(request: HttpRequest) -> HttpResponse:
    """Who works here, by name. No figures about persons (DOMAIN §5 rules 2 and 6)."""
    by, at = actor_of(request), now()
    words = request.GET.get("q", "").strip()[:60]
    found = queries.staff_page(streets=_streets(by), words=words, after=_after(request), limit=LENGTH + 1)
    rows = found[:LENGTH]
    posts = queries.posts_of([person.pk for person in rows], at)
    absent = queries.deputies(at)
    shown = [{"person": person, "posts": named(posts.get(person.pk, [])), "away": person.pk in absent} for person in rows]
    more = rows[-1] if len(found) > LENGTH else None
    context = {"rows": shown, "more": more, "q": words, "may_change": by.has(Role.SYSTEM_ADMIN)}
    return page(request, "people/staff.html", context)


def named(posts: list[Post]) -> list[dict[str, object]]:
    """Posts with the role's name beside each."""
    return [{"post": post, "role": ROLE_NAMES[Role(post.role)]} for post in posts]


def _streets(by: Actor) -> frozenset[int] | None:
    return None if by.has(Role.SYSTEM_ADMIN) else by.streets(*VIEWERS)


def _after(request: HttpRequest) -> tuple[str, int] | None:
    name, pk = request.GET.get("after", "")[:60], number(request.GET, "pk")
    return (name, pk) if name and pk is not None else None


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def new_person(request: HttpRequest) -> HttpResponse:
    """A new account with its first post; the password comes by a reset code."""
    refusal, data = None, request.POST
    if request.method == "POST":
        try:
            street_id = number(data, "street")
            person = services.create_person(
                username=data.get("username", ""),
                name=data.get("name", ""),
                phone=data.get("phone", ""),
                street_id=street_id,
                by=actor_of(request),
                at=now(),
            )
            sentence = _("已建立 %(name)s 的账号。请授予岗位，再请安全管理员发一次性重置码，由本人设置密码。")
            messages.success(request, sentence % {"name": person.name})
            return redirect("people:person", person_id=person.pk)
        except Refusal as refused:
            refusal = refused
    context = {"streets": Street.objects.filter(is_active=True), "given": data}
    return page(request, "people/new_person.html", context, refusal)


@needs(*VIEWERS)
@require_http_methods(READ_AND_POST)
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person: account, posts, leave; what the reader may not change is not offered."""
    by, at, refusal = actor_of(request), now(), None
    found = _visible(by, person_id, at)
    if request.method == "POST":
        if not by.has(Role.SYSTEM_ADMIN):
            raise Http404
        try:
            services.change_person(
                person_id=person_id,
                version=needed(request.POST, "version"),
                name=request.POST.get("name", ""),
                phone=request.POST.get("phone", ""),
                email=request.POST.get("email", ""),
                street_id=number(request.POST, "street"),
                by=by,
                at=at,
            )
            messages.success(request, _("已保存。"))
            return redirect("people:person", person_id=person_id)
        except Refusal as refused:
            refusal = refused
    return page(request, "people/person.html", _about(by, found, at), refusal)


def _visible(by: Actor, person_id: int, at: datetime) -> Person:
    """The person, for whoever may see them; others are told there is none."""
    found = get_object_or_404(Person.objects.select_related("street"), pk=person_id)
    if not services.may_manage(by, person_id, at):
        raise Http404
    return found


def _about(by: Actor, found: Person, at: datetime) -> dict[str, object]:
    may_change = by.has(Role.SYSTEM_ADMIN)
    return {
        "person": found,
        "posts": named(queries.posts_of([found.pk], at).get(found.pk, [])),
        "leaves": queries.leaves_of([found.pk], at),
        "open_work": sum(services.open_work(found.pk, at).values()),
        "is_staff": found.account == Account.STAFF,
        "may_change": may_change,
        "panels": ways_in.panels(found, by, at),
        "colleagues": queries.colleagues(found.pk, at) if found.account == Account.STAFF else [],
        "streets": Street.objects.filter(is_active=True) if may_change else [],
        "departments": Department.objects.filter(is_active=True).select_related("street").order_by("street_id", "key")
        if may_change
        else [],
        "roles": [(value.value, ROLE_NAMES[value]) for value in Role if value in CASE_ROLES],
    }


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def give_post(request: HttpRequest, person_id: int) -> HttpResponse:
    """A role in a street or a department."""
    data, at = request.POST, now()
    services.give_post(
        person_id=person_id,
        role=role(data),
        street_id=number(data, "street"),
        department_id=number(data, "department"),
        starts_on=day(data, "starts_on"),
        ends_on=day(data, "ends_on"),
        by=actor_of(request),
        at=at,
    )
    messages.success(request, _("岗位已授予。"))
    return redirect("people:person", person_id=person_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def end_post(request: HttpRequest, person_id: int, post_id: int) -> HttpResponse:
    """From today without it."""
    services.end_post(post_id=post_id, ends_on=day(request.POST, "ends_on"), by=actor_of(request), at=now())
    messages.success(request, _("岗位已结束。"))
    return redirect("people:person", person_id=person_id)


@needs(*VIEWERS)
@require_POST
@idempotent
def hand_over(request: HttpRequest, person_id: int) -> HttpResponse:
    """Everything open goes to another."""
    by, at = actor_of(request), now()
    _visible(by, person_id, at)
    moved = services.hand_over(person_id=person_id, to_id=needed(request.POST, "to"), by=by, at=at)
    messages.success(request, _("已移交 %(moved)d 件。") % {"moved": sum(moved.values())})
    return redirect("people:person", person_id=person_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def set_active(request: HttpRequest, person_id: int) -> HttpResponse:
    """Closes the account, or opens it again."""
    by, at = actor_of(request), now()
    if request.POST.get("active") == "1":
        services.enable_person(person_id=person_id, by=by, at=at)
        messages.success(request, _("账号已启用。岗位要重新授予，密码要用重置码重新设置。"))
    else:
        services.disable_person(person_id=person_id, by=by, at=at)
        messages.success(request, _("账号已停用，所有登录都已退出。"))
    return redirect("people:person", person_id=person_id)
