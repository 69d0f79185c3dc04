"""The work calendar, for the administrator: a year at a glance, a day changed, the year's notice loaded, the hours set.

These pages stand in ``web`` and not in ``core`` because they ask for a role, and roles live in ``people``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_POST

from jiequ.core import calendar, clock
from jiequ.core.errors import Refusal
from jiequ.core.holidays import DayKind
from jiequ.core.models import CalendarDay
from jiequ.core.notice import MAX_BYTES, parse_notice
from jiequ.core.once import idempotent
from jiequ.core.worktime import FIRST_DAY, LAST_DAY, ZONE, WorkCalendar
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

FESTIVALS = (
    gettext_noop("元旦"),
    gettext_noop("春节"),
    gettext_noop("清明节"),
    gettext_noop("劳动节"),
    gettext_noop("端午节"),
    gettext_noop("中秋节"),
    gettext_noop("国庆节"),
)
"""The names that core.holidays stores, so that the catalogue has them."""


@dataclass(frozen=True, slots=True)
class DayCell:
    """One date as the page draws it; ``mark`` is 班 or 休 where the weekday alone would say otherwise."""

    day: date
    kind: str
    name: str
    mark: str
    is_provisional: bool
    is_today: bool
    label: str


@dataclass(frozen=True, slots=True)
class MonthTable:
    """A month as weeks of seven cells, Monday first; None where the month has no day."""

    name: str
    weeks: tuple[tuple[DayCell | None, ...], ...]
    workdays: int


@needs(Role.SYSTEM_ADMIN)
@require_GET
def year_page(request: HttpRequest) -> HttpResponse:
    """The year asked for (this one by default), with the form for one day if a day is asked for."""
    today = clock.now().astimezone(ZONE).date()
    text = request.GET.get("year", "")
    return _page(request, int(text) if text.isdecimal() and len(text) == 4 else today.year, today)


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def change_day(request: HttpRequest) -> HttpResponse:
    """One date becomes a workday, a rest day or a statutory holiday."""
    day = _day(request.POST.get("day", ""))
    kind = request.POST.get("kind", "")
    if day is None or kind not in set(DayKind):
        raise Http404
    try:
        name = request.POST.get("name", "").strip()[:60]
        change = calendar.DayChange(day, DayKind(kind), name)
        calendar.change_days(changes=[change], by=actor_of(request), at=clock.now(), edition=_edition(request))
    except Refusal as refusal:
        return _page(request, day.year, clock.now().astimezone(ZONE).date(), day=day, refusal=refusal)
    return redirect(f"{reverse('web:calendar')}?year={day.year}#month-{day.month}")


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def load_notice(request: HttpRequest) -> HttpResponse:
    """A year's notice, pasted or as a file."""
    text = request.POST.get("year", "")
    year = int(text) if text.isdecimal() and len(text) == 4 else 0
    file = request.FILES.get("file")
    data = file.read(MAX_BYTES + 1) if file else request.POST.get("text", "").encode()
    try:
        named = parse_notice(data, year)
        calendar.load_notice(year=year, named=named, by=actor_of(request), at=clock.now(), edition=_edition(request))
    except Refusal as refusal:
        today = clock.now().astimezone(ZONE).date()
        return _page(request, year or today.year, today, refusal=refusal, pasted=request.POST.get("text", ""))
    return redirect(f"{reverse('web:calendar')}?year={year}")


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def set_hours(request: HttpRequest) -> HttpResponse:
    """The daily working spans of the district."""
    times = [request.POST.get(name, "") for name in ("start1", "end1", "start2", "end2")]
    spans = [pair for pair in (times[:2], times[2:]) if any(pair)]
    today = clock.now().astimezone(ZONE).date()
    try:
        calendar.set_hours(spans=spans, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        return _page(request, today.year, today, refusal=refusal)
    return redirect("web:calendar")


def _page(
    request: HttpRequest,
    year: int,
    today: date,
    *,
    day: date | None = None,
    refusal: Refusal | None = None,
    pasted: str = "",
) -> HttpResponse:
    if not FIRST_DAY.year < year < LAST_DAY.year:
        raise Http404
    table = calendar.calendar_for(is_fresh=True)
    names = dict(CalendarDay.objects.filter(day__year=year).exclude(name="").values_list("day", "name"))
    day = day or _day(request.GET.get("day", ""))
    facts: dict[str, Any] = {
        "year": year,
        "years": range(today.year - 1, today.year + 3),
        "months": [_month(table, year, month, names, today) for month in range(1, 13)],
        "weekdays": [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")],
        "warnings": calendar.warnings(clock.now()),
        "is_settled": calendar.is_settled(year),
        "edition": table.edition,
        "day": _cell(table, day, names, today) if day and day.year == year else None,
        "hours": _hours(table),
        "pasted": pasted,
        "refusal": refusal,
    }
    return render(request, "web/pages/calendar.html", facts, status=refusal.status if refusal else 200)


def _hours(table: WorkCalendar) -> list[str]:
    """The four times of the form; the afternoon is empty for a day worked through."""
    spans = [f"{moment:%H:%M}" for span in table.hours[:2] for moment in span]
    return [*spans, "", "", ""][:4]


def _month(table: WorkCalendar, year: int, month: int, names: dict[date, str], today: date) -> MonthTable:
    first = date(year, month, 1)
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    cells: list[DayCell | None] = [None] * first.weekday()
    cells += [_cell(table, first + timedelta(days=n), names, today) for n in range(last.day)]
    cells += [None] * (-len(cells) % 7)
    weeks = tuple(tuple(cells[n : n + 7]) for n in range(0, len(cells), 7))
    workdays = sum(cell is not None and cell.kind == "workday" for cell in cells)
    return MonthTable(date_format(first, "F"), weeks, workdays)


def _cell(table: WorkCalendar, day: date, names: dict[date, str], today: date) -> DayCell:
    kind = table.kind_of(day)
    is_weekend = day.weekday() >= 5
    words = {DayKind.WORKDAY: _("工作日"), DayKind.REST: _("休息日"), DayKind.HOLIDAY: _("法定节假日")}
    mark = _("班") if is_weekend and kind is DayKind.WORKDAY else _("休") if not is_weekend and kind is DayKind.REST else ""
    is_provisional = table.is_provisional(day)
    parts = [date_format(day, "Y-m-d"), words[kind], _(names[day]) if day in names else "", _("暂定") if is_provisional else ""]
    label = " ".join(part for part in parts if part)
    name = _(names[day]) if day in names else ""
    return DayCell(day, kind.value, name, mark, is_provisional, day == today, label)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _edition(request: HttpRequest) -> int:
    text = request.POST.get("edition", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1
