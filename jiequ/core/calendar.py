"""The district's work calendar: a day table, filled from the library, from a year's notice, or by hand.

Every process keeps one ``WorkCalendar`` and looks at the edition number at most every ``LOOK_AGAIN_SECONDS``. A change
raises the edition and enqueues one job that runs only after every process has looked again; the job tells the hooks of
``on_change`` which dates changed, so that open clocks are reckoned anew and nothing is left by a late reader.

Days 25–31 December stay provisional until the next year's notice is known: notices have moved them before (Saturday
29 December 2018 was worked for New Year 2019).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import chinese_calendar
from django.db import transaction
from django.utils.translation import gettext as _

from . import audit
from .db import writing
from .errors import Refusal, Stale
from .holidays import DayKind, holiday_name, rule_kind
from .ids import next_value
from .jobs import JobSpec, enqueue
from .kinds import every, job
from .models import CalendarDay, Counter, District
from .notice import DayNamed
from .worktime import DEFAULT_HOURS, FIRST_DAY, LAST_DAY, ZONE, WorkCalendar

LOOK_AGAIN_SECONDS = 5.0
TELL_AFTER = timedelta(seconds=15)
LIBRARY, NOTICE, HAND = "library", "notice", "hand"

_COUNTER = "calendar"
_YEAR_END = (12, 25)
_WARN_FROM = (11, 1)

ChangeHook = Callable[[date, date, int, datetime], None]


class By(Protocol):
    """Who changes the calendar; the caller's view has checked the role."""

    @property
    def person_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class DayChange:
    """One date and what it shall be; ``name`` is shown beside it."""

    day: date
    kind: DayKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class CalendarWarning:
    """Something about the calendar a person should mend, in the reader's language."""

    code: str
    year: int
    message: str


# --- reading ---------------------------------------------------------------------------------------------------------
_kept: tuple[float, WorkCalendar] | None = None


def calendar_for(at: datetime | None = None, *, is_fresh: bool = False) -> WorkCalendar:
    """The district's calendar. No statement when it was looked at lately, one when not, three after a change.

    One table holds every date, so ``at`` changes nothing. ``is_fresh`` looks at the edition in any case. Do not call it
    between a change and its commit.
    """
    global _kept
    if _kept is not None and not is_fresh and time.monotonic() - _kept[0] < LOOK_AGAIN_SECONDS:
        return _kept[1]
    edition = current_edition()
    calendar = _kept[1] if _kept is not None and _kept[1].edition == edition else _load(edition)
    _kept = (time.monotonic(), calendar)
    return calendar


def forget() -> None:
    """Read the table again at the next call (tests; after a change in this process)."""
    global _kept
    _kept = None


def current_edition() -> int:
    """The number of the table's last change, 0 for a table never filled."""
    row = Counter.objects.filter(name=_COUNTER).values_list("value").first()
    return int(row[0]) if row else 0


def _load(edition: int) -> WorkCalendar:
    days: dict[date, DayKind] = {}
    provisional: set[date] = set()
    fields = ("day", "is_workday", "is_statutory_holiday", "is_provisional")
    for day, is_workday, is_holiday, is_provisional in CalendarDay.objects.values_list(*fields).order_by():
        days[day] = DayKind.WORKDAY if is_workday else DayKind.HOLIDAY if is_holiday else DayKind.REST
        if is_provisional:
            provisional.add(day)
    return WorkCalendar(days, provisional, hours=_hours(), edition=edition)


def _hours() -> tuple[tuple[Any, Any], ...]:
    """The district's working spans: ``District.settings["work_hours"]``, [["08:00", "12:00"], …]."""
    row = District.objects.order_by("pk").values_list("settings").first()
    spans = (row[0] or {}).get("work_hours") if row else None
    if not spans:
        return DEFAULT_HOURS
    return tuple((_clock(start), _clock(end)) for start, end in spans)


def _clock(text: str) -> Any:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of day, not a moment


def warnings(at: datetime) -> list[CalendarWarning]:
    """What is missing: this year's days; from 1 November the next year's."""
    today = at.astimezone(ZONE).date()
    found = []
    if not is_settled(today.year):
        text = _("%(year)s年的工作日还没有按放假通知设定，期限只是暂定的。")
        found.append(CalendarWarning("calendar.this_year_unknown", today.year, text % {"year": today.year}))
    following = today.year + 1
    if (today.month, today.day) >= _WARN_FROM and not is_settled(following):
        text = _("%(year)s年的放假通知还没有录入。跨年的期限都是暂定的，录入后会自动重算。")
        found.append(CalendarWarning("calendar.next_year_unknown", following, text % {"year": following}))
    return found


def is_settled(year: int) -> bool:
    """True if a published notice covers the year (its last week may still wait for the next one)."""
    calendar = calendar_for()
    return not calendar.is_provisional(date(year, 1, 1), date(year, *_YEAR_END) - timedelta(days=1))


# --- changing --------------------------------------------------------------------------------------------------------
def change_days(*, changes: Iterable[DayChange], by: By, at: datetime, edition: int | None = None) -> int:
    """Set dates by hand; they stay as set when a notice comes that does not name them. Returns the new edition.

    ``edition`` is the one the reader saw: Stale if somebody changed the table since. Refusal if empty or odd.
    """
    wanted = {change.day: change for change in changes}
    if not wanted:
        raise Refusal("calendar.nothing_to_change", _("没有选择日期。"))
    for change in wanted.values():
        _check_change(change)
    rows = [_row(c.day, c.kind, c.name, is_provisional=False, source=HAND) for c in wanted.values()]
    with writing():
        facts = {"days": [f"{day.isoformat()}:{change.kind.value}" for day, change in sorted(wanted.items())]}
        return _store(rows, by=by, at=at, expected=edition, action="calendar.changed", facts=facts) or 0


def load_notice(*, year: int, named: Iterable[DayNamed], by: By, at: datetime, edition: int | None = None) -> int:
    """Settle a year by its published notice: the days it names; the others by weekday and decree. Returns the edition.

    ``named`` comes from ``notice.parse_notice``. Days set by hand stay unless the notice names them.
    """
    if not FIRST_DAY.year < year < LAST_DAY.year:
        raise Refusal("calendar.year", _("年份不在工作日历的范围内。"))
    days = {n.day: n.is_workday for n in named}
    with writing():
        by_hand = set(CalendarDay.objects.filter(source=HAND).values_list("day", flat=True))
        waits = () if _has_settled_rows(year + 1) else _year_end(year)
        wanted = sorted((set(_days_of_year(year)) - by_hand) | set(days) | _waiting(_year_end(year - 1)))
        rows = [_row(d, _kind_named(d, days), "", is_provisional=d in waits, source=NOTICE) for d in wanted]
        facts = {"year": year, "named": len(days)}
        return _store(rows, by=by, at=at, expected=edition, action="calendar.notice_loaded", facts=facts) or 0


def set_hours(*, spans: list[list[str]], by: By, at: datetime) -> int:
    """Set the district's daily working spans ([["08:00", "12:00"], ["14:00", "18:00"]]). Returns the new edition."""
    try:
        WorkCalendar(hours=[(_clock(start), _clock(end)) for start, end in spans])
    except ValueError as error:
        raise Refusal("calendar.hours", _("工作时段要按先后填写，互不重叠，例如08:00–12:00、14:00–18:00。")) from error
    with writing():
        district = District.objects.order_by("pk").first()
        if district is None:
            raise Refusal("calendar.no_district", _("请先建立区的信息。"))
        District.objects.filter(pk=district.pk).update(settings={**district.settings, "work_hours": spans})
        everything = (FIRST_DAY, LAST_DAY)
        return _publish(everything, by=by, at=at, expected=None, action="calendar.hours_set", facts={"spans": spans})


def fill(years: Iterable[int] | None = None, *, at: datetime, by: By | None = None) -> list[int]:
    """Store the years the library knows (default: last year on). What people set or loaded stays. Returns the years.

    A year the library does not know is left to the rule, provisionally. Doing it twice changes nothing.
    """
    start = at.astimezone(ZONE).year - 1
    wanted = sorted(set(years if years is not None else range(start, start + 6)))
    known = [year for year in wanted if _library_knows(year)]
    with writing():
        settled = CalendarDay.objects.exclude(source=LIBRARY).filter(is_provisional=False)
        kept = set(settled.values_list("day", flat=True))
        rows = [_library_row(day) for year in known for day in _days_of_year(year) if day not in kept]
        _store(rows, by=by, at=at, expected=None, action="calendar.filled", facts={"years": known})
    return known


def _store(
    rows: list[CalendarDay], *, by: By | None, at: datetime, expected: int | None, action: str, facts: dict[str, Any]
) -> int | None:
    """Write the rows that differ, under a new edition; None if nothing differs."""
    if not rows:
        return None
    stored = CalendarDay.objects.filter(day__range=(min(r.day for r in rows), max(r.day for r in rows)))
    present = {row.day: row for row in stored}
    changed = [row for row in rows if _shape(row) != _shape(present.get(row.day))]
    if not changed:
        return None
    days = [row.day for row in changed]
    edition = _publish((min(days), max(days)), by=by, at=at, expected=expected, action=action, facts=facts)
    for row in changed:
        row.edition = edition
    CalendarDay.objects.bulk_create(
        changed,
        batch_size=100,
        update_conflicts=True,
        unique_fields=["day"],
        update_fields=["is_workday", "is_statutory_holiday", "name", "is_provisional", "source", "edition"],
    )
    return edition


def _publish(
    span: tuple[date, date], *, by: By | None, at: datetime, expected: int | None, action: str, facts: dict[str, Any]
) -> int:
    """Raise the edition, write the audit row, and enqueue the one job that tells the others."""
    edition = next_value(_COUNTER)
    if expected is not None and edition != expected + 1:
        raise Stale("calendar.stale", _("工作日历刚被别人改过，请看过最新内容再改。"))
    audit.record(
        street_id=None,
        person_id=by.person_id if by else None,
        action=action,
        object_kind="calendar",
        object_id=str(edition),
        at=at,
        facts=facts,
    )
    args = {"first": span[0].isoformat(), "last": span[1].isoformat(), "edition": edition}
    enqueue(JobSpec("calendar.changed", args, at + TELL_AFTER, key=f"calendar.changed:{edition}"))
    transaction.on_commit(forget)
    return edition


# --- telling ---------------------------------------------------------------------------------------------------------
_hooks: dict[str, ChangeHook] = {}


def on_change(hook: ChangeHook) -> ChangeHook:
    """Register ``hook(first_day, last_day, edition, at)``, called by a job after each change, at least once."""
    _hooks[f"{hook.__module__}.{hook.__qualname__}"] = hook
    return hook


@job("calendar.changed")
def tell_hooks(*, first: str, last: str, edition: int, at: datetime) -> None:
    """Tell every hook which dates changed, with the new table in hand."""
    calendar_for(is_fresh=True)
    for hook in _hooks.values():
        hook(date.fromisoformat(first), date.fromisoformat(last), edition, at)


@every("calendar.fill", daily_at="03:10")
def fill_from_library(*, at: datetime) -> None:
    """Take what a new release of the library knows, without anybody asking."""
    fill(at=at)


# --- small parts -----------------------------------------------------------------------------------------------------
def _check_change(change: DayChange) -> None:
    if not FIRST_DAY <= change.day <= LAST_DAY:
        raise Refusal("calendar.day", _("日期不在工作日历的范围内。"))
    if change.kind is not DayKind.HOLIDAY and holiday_name(change.day):
        raise Refusal("calendar.decreed", _("%(day)s是法定节假日，不能改。") % {"day": change.day.isoformat()})
    if change.kind is DayKind.HOLIDAY and not holiday_name(change.day) and not change.name:
        raise Refusal("calendar.holiday_name", _("法定节假日要写明名称。"), facts={"day": change.day.isoformat()})


def _row(day: date, kind: DayKind, name: str, *, is_provisional: bool, source: str) -> CalendarDay:
    return CalendarDay(
        day=day,
        is_workday=kind is DayKind.WORKDAY,
        is_statutory_holiday=kind is DayKind.HOLIDAY,
        name=name or holiday_name(day),
        is_provisional=is_provisional,
        source=source,
    )


def _library_row(day: date) -> CalendarDay:
    """A day as the library has it; whether it is a statutory holiday, the decree says, not the library."""
    kind = _kind_named(day, {day: bool(chinese_calendar.is_workday(day))})
    waits = day >= date(day.year, *_YEAR_END) and not _library_knows(day.year + 1)
    return _row(day, kind, "", is_provisional=waits, source=LIBRARY)


def _library_knows(year: int) -> bool:
    """True if the State Council's notice of the year is in the library, which raises this for every other year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def _kind_named(day: date, named: Mapping[date, bool]) -> DayKind:
    """Work or rest as the notice says, by rule where it is silent; the decree's days off are holidays."""
    by_rule = rule_kind(day)
    if day not in named:
        return by_rule
    if named[day]:
        return DayKind.WORKDAY
    return by_rule if by_rule is DayKind.HOLIDAY else DayKind.REST


def _year_end(year: int) -> list[date]:
    """The days the next year's notice may still move."""
    return _days_of(date(year, *_YEAR_END), date(year, 12, 31))


def _waiting(days: list[date]) -> set[date]:
    """Those of the days that are in the table and provisional."""
    return set(CalendarDay.objects.filter(day__in=days, is_provisional=True).values_list("day", flat=True))


def _has_settled_rows(year: int) -> bool:
    return CalendarDay.objects.filter(day=date(year, 1, 1), is_provisional=False).exists()


def _days_of(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _days_of_year(year: int) -> list[date]:
    return _days_of(date(year, 1, 1), date(year, 12, 31))


def _shape(row: CalendarDay | None) -> tuple[Any, ...] | None:
    if row is None:
        return None
    return (row.is_workday, row.is_statutory_holiday, row.name, row.is_provisional, row.source)
