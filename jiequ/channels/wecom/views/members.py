"""The administrator's page of members: how the contacts were read, who is matched, who is not."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import config, queries, services, words
from ..models import WecomUser

TABS = ("open", "matched", "gone")
DIGITS_MAX = 18


@needs(Role.SYSTEM_ADMIN)
@require_GET
def members(request: HttpRequest) -> HttpResponse:
    """A page of members; those who are nobody of ours yet come first."""
    return _page(request, None)


def _page(request: HttpRequest, refusal: Refusal | None, *, given: dict[str, Any] | None = None) -> HttpResponse:
    which = request.GET.get("which", "open")
    which = which if which in TABS else "open"
    after = request.GET.get("after", "")
    start = whole(after, DIGITS_MAX) or 0
    found = queries.members(which=which, after=start, limit=queries.LENGTH + 1)
    rows = found[: queries.LENGTH]
    suggested = {row.pk: person for row, person in queries.suggestions(rows)} if which == "open" else {}
    sync = queries.last_sync()
    context = {
        "rows": _rows(rows, suggested),
        "which": which,
        "tabs": _tabs(which),
        "counts": queries.counts(),
        "suggested": len(suggested),
        "sync": sync,
        "sync_error": words.reason(sync.error) if sync and sync.error else "",
        "is_on": config.is_on(),
        "may_sync": config.syncs_contacts(),
        "more": rows[-1].pk if len(found) > queries.LENGTH else None,
        "given": given or {},
        "refusal": refusal,
    }
    answer = render(request, "wecom/members.html", context, status=refusal.status if refusal else 200)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _rows(rows: list[WecomUser], suggested: dict[int, Any]) -> list[dict[str, Any]]:
    names = queries.names_of_units(rows)
    return [
        {
            "member": row,
            "units": [names.get(number, str(number)) for number in row.departments],
            "suggested": suggested.get(row.pk),
        }
        for row in rows
    ]


def _tabs(which: str) -> list[dict[str, Any]]:
    words = {"open": _("未关联"), "matched": _("已关联"), "gone": _("已离开")}
    return [{"key": key, "label": words[key], "is_current": key == which} for key in TABS]


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def sync(request: HttpRequest) -> HttpResponse:
    """Begin to read the contacts."""
    try:
        services.begin_sync(by=actor_of(request), at=now())
    except Refusal as refusal:
        return _page(request, refusal)
    messages.success(request, _("开始读取通讯录，稍后刷新本页查看结果。"))
    return redirect("wecom:members")


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def match(request: HttpRequest, member_id: int) -> HttpResponse:
    """Say who a member is."""
    login = request.POST.get("login", "")[:60]
    try:
        row = services.match(member_id=member_id, login=login, by=actor_of(request), at=now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, refusal, given={"member": member_id, "login": login})
    assert row.person is not None
    messages.success(request, _("已关联：%(userid)s 是%(name)s。") % {"userid": row.userid, "name": row.person.name})
    return redirect("wecom:members")


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def match_all(request: HttpRequest) -> HttpResponse:
    """Take every suggestion."""
    done = services.match_suggested(by=actor_of(request), at=now())
    messages.success(request, ngettext("已按建议关联 %(n)d 人。", "已按建议关联 %(n)d 人。", done) % {"n": done})
    return redirect("wecom:members")


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def unmatch(request: HttpRequest, member_id: int) -> HttpResponse:
    """The member stands for nobody from now on."""
    services.unmatch(member_id=member_id, by=actor_of(request), at=now())
    messages.success(request, _("已解除关联。"))
    return redirect("wecom:members")
