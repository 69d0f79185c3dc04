"""The duty rota: one week of a street; everybody of the street reads it, leads and the administrator edit it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.once import idempotent

from .. import queries, services
from ..access import actor_of, signed_in
from ..models import Shift
from ..names import ROLE_NAMES
from ..rules import Actor, Role
from .fields import day, needed, number, page
from .signing_in import READ_AND_POST

WEEK = timedelta(days=7)


@signed_in
@require_http_methods(READ_AND_POST)
@idempotent
def rota(request: HttpRequest) -> HttpResponse:
    """A week of one street, and the form for one turn more."""
    by, at, refusal = actor_of(request), now(), None
    streets = _streets(by)
    street = _chosen(streets, number(request.POST or request.GET, "street"), by)
    monday = _monday(day(request.POST or request.GET, "week"), at)
    if request.method == "POST":
        try:
            _set_shift(request, street, at)
            messages.success(request, _("班次已排。"))
            return redirect(f"{request.path}?street={street.pk}&week={monday.isoformat()}")
        except Refusal as refused:
            refusal = refused
    return page(request, "people/rota.html", _week(by, street, streets, monday, at) | {"given": request.POST}, refusal)


def _streets(by: Actor) -> list[Street]:
    """The streets whose rota the reader may see: own ones; with a district seat all."""
    found = Street.objects.filter(is_active=True)
    if all(seat.street_id is not None for seat in by.seats):
        found = found.filter(pk__in=by.streets())
    return list(found)


def _chosen(streets: list[Street], wanted: int | None, by: Actor) -> Street:
    wanted = wanted or by.street_id
    found = next((street for street in streets if street.pk == wanted), None)
    if found is None and (wanted is None or wanted == by.street_id) and streets:
        return streets[0]
    if found is None:
        raise Http404
    return found


def _monday(chosen: date | None, at: datetime) -> date:
    chosen = chosen or timezone.localtime(at).date()
    if not 2000 <= chosen.year <= 2100:
        raise Http404
    return chosen - timedelta(days=chosen.weekday())


def _week(by: Actor, street: Street, streets: list[Street], monday: date, at: datetime) -> dict[str, object]:
    starts = _midnight(monday)
    shifts = queries.roster(street.pk, starts, starts + WEEK)
    days = [_day(by, shifts, monday + timedelta(days=n), at) for n in range(7)]
    posts = [post for post in queries.rota_posts(street.pk, at) if _may_edit(by, street.pk, post.department_id)]
    return {
        "street": street,
        "streets": streets,
        "monday": monday,
        "before": monday - WEEK,
        "after": monday + WEEK,
        "days": days,
        "carried": [_shown(by, shift) for shift in shifts if shift.starts_at < starts],
        "posts": [{"post": post, "role": ROLE_NAMES[Role(post.role)]} for post in posts],
    }


def _day(by: Actor, shifts: list[Shift], chosen: date, at: datetime) -> dict[str, object]:
    begins = _midnight(chosen)
    inside = [shift for shift in shifts if begins <= shift.starts_at < begins + timedelta(days=1)]
    is_today = chosen == timezone.localtime(at).date()
    return {"day": chosen, "is_today": is_today, "shifts": [_shown(by, shift) for shift in inside]}


def _shown(by: Actor, shift: Shift) -> dict[str, object]:
    may_remove = _may_edit(by, shift.street_id, shift.department_id)
    return {"shift": shift, "role": ROLE_NAMES[Role(shift.role)], "may_remove": may_remove}


def _may_edit(by: Actor, street_id: int, department_id: int | None) -> bool:
    return services.may_edit_rota(by, street_id, department_id)


def _midnight(chosen: date) -> datetime:
    return timezone.make_aware(datetime.combine(chosen, time()))


def _set_shift(request: HttpRequest, street: Street, at: datetime) -> None:
    data = request.POST
    post_id = needed(data, "post")
    post = next((post for post in queries.rota_posts(street.pk, at) if post.pk == post_id), None)
    if post is None:
        raise NotFound("no_such_post", _("没有这个岗位，或者它已经结束。"))
    chosen = day(data, "day")
    if chosen is None:
        raise Refusal("bad_date", _("日期看不懂，请按 2026-03-04 这样填写。"))
    begins, ends = _hour(data.get("from", "")), _hour(data.get("to", ""))
    starts_at = timezone.make_aware(datetime.combine(chosen, begins))
    ends_at = timezone.make_aware(datetime.combine(chosen, ends))
    services.set_shift(
        person_id=post.person_id,
        role=Role(post.role),
        street_id=street.pk,
        department_id=post.department_id,
        starts_at=starts_at,
        ends_at=ends_at if ends > begins else ends_at + timedelta(days=1),  # past midnight
        by=actor_of(request),
        at=at,
    )


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text[:5])
    except ValueError:
        raise Refusal("bad_moment", _("时间看不懂，请按 2026-03-04 08:30 这样填写。")) from None


@signed_in
@require_POST
@idempotent
def remove_shift(request: HttpRequest, shift_id: int) -> HttpResponse:
    """One turn off the rota."""
    services.remove_shift(shift_id=shift_id, by=actor_of(request), at=now())
    messages.success(request, _("班次已取消。"))
    street, week = number(request.POST, "street"), day(request.POST, "week")
    query = f"?street={street}&week={week.isoformat()}" if street and week else ""
    response = redirect("people:rota")
    response["Location"] += query
    return response
