"""The demonstration's own page: how far its history is, and the guided story 河道堵塞, one button a step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.cases import services, words
from jiequ.cases.models import Case
from jiequ.core.clock import now
from jiequ.core.http import is_htmx
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.grid.models import UnitGrid
from jiequ.grid.queries import locate
from jiequ.people.access import public
from jiequ.people.models import Person

from . import flights
from .progress import began_at, progress, story_spot

RESIDENT_STEPS = ("report", "rate")
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@public
@require_GET
def guide(request: HttpRequest) -> HttpResponse:
    """The story's steps; the one that is due now stands out. There is no such page outside the demonstration."""
    if not settings.DEMO:
        raise Http404
    if is_htmx(request):
        if "flights" in request.GET:
            return render(request, "web/demo/flights.html", _flights())
        return render(request, "web/demo/progress.html", {"progress": progress()})
    grid = _story_grid()
    case = _story_case(grid)
    context = {
        "progress": progress(),
        "case": case,
        "state": words.STATES[case.state] if case else "",
        "steps": _steps(grid, case),
        "streets": Street.objects.order_by("code9"),
        "phones": settings.PHONES_URL,
    }
    return render(request, "web/demo/guide.html", context | _flights())


@public
@require_POST
def fly_more(request: HttpRequest) -> HttpResponse:
    """The next dozen of monitoring points are flown and compared, or the one that is named."""
    street = Street.objects.order_by("code9").first()
    if not settings.DEMO or street is None:
        raise Http404
    named = request.POST.get("point", "")
    flights.ask(street, now(), point_id=whole(named))
    return redirect(reverse("web:demo") + "#demo-flights")


def _flights() -> dict[str, Any]:
    street = Street.objects.order_by("code9").first()
    return {"flights": flights.progress(street) if street else None, "analyst": Person.objects.filter(username="pan").first()}


@public
@require_POST
def be_resident(request: HttpRequest) -> HttpResponse:
    """The resident's two steps: nobody is signed in, and the report's own link is in the hand."""
    step = request.POST.get("step")
    if not settings.DEMO or step not in RESIDENT_STEPS:
        raise Http404
    logout(request)
    grid = _story_grid()
    case = _story_case(grid)
    if step == "rate" and case is not None:
        report = case.reports.select_related("street").order_by("pk").first()
        if report is not None:
            return redirect("cases:mine", token=services.renew_link(report, at=now()))
    target = reverse("cases:report") + (f"?plate={grid.code15}" if grid else "")
    return redirect(target)


def _story_grid() -> UnitGrid | None:
    place = story_spot()
    spot = locate(*place) if place else None
    return UnitGrid.objects.filter(pk=spot.unit_grid_id).first() if spot else None


def _story_case(grid: UnitGrid | None) -> Case | None:
    """The newest resident's report in the story's grid that somebody sent; the demonstration's history tells no story."""
    if grid is None:
        return None
    sent = Case.objects.filter(unit_grid=grid, source="resident", reported_at__gte=began_at() or EVER)
    return sent.order_by("-pk").first()


def _steps(grid: UnitGrid | None, case: Case | None) -> list[dict[str, Any]]:
    people = {p.username: p for p in Person.objects.filter(username__in=["he", "shui", "qian", "chen", "lin"])}
    page = reverse("cases:case", args=[case.number]) if case else "/"
    report = reverse("cases:report") + (f"?plate={grid.code15}" if grid else "")
    told = [
        ("report", report, _("居民"), _("拍照上报：河涌被水浮莲堵住了。位置由点位牌带入，三下就报完。")),
        ("he", reverse("cases:leader"), _("街道领导"), _("“待处理”里选类型“河道阻塞”，一键派给水务和协办部门。")),
        ("shui", reverse("cases:todo"), _("水务人员"), _("在待办里点“接单”，到现场。")),
        ("shui", page, _("水务人员"), _("拍一张清理后的照片，提交处置。")),
        ("qian", page, _("水务负责人"), _("部门确认，处置时钟停在这里。")),
        ("chen", reverse("cases:todo"), _("网格员"), _("到现场看一眼，点“核查通过”。")),
        ("lin", page, _("受理员"), _("写一句给居民的话，结案。")),
        ("rate", "", _("居民"), _("打开自己的链接，看到结果，评价。")),
    ]
    done = _done(case)
    return [
        {
            "person": people.get(username),
            "resident": username if username in RESIDENT_STEPS else "",
            "next": target,
            "who": who,
            "what": what,
            "mark": "past" if i < done else "now" if i == done else "next",
        }
        for i, (username, target, who, what) in enumerate(told)
    ]


def _done(case: Case | None) -> int:
    """How many steps of the story are behind."""
    if case is None:
        return 0
    if case.state == "checking" and case.checked_at:
        return 6
    if case.state == "closed":
        return 8 if case.ratings.exists() else 7
    after = {"reported": 1, "accepted": 1, "dispatched": 2, "handling": 3, "rework": 3, "handled": 4, "checking": 5}
    return after.get(case.state, 1)
