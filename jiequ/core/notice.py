"""Reading a year's holiday notice, pasted or uploaded as CSV: one line a day or span, "2027-02-05~2027-02-11,休". Pure
but for the words of its refusals.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from .errors import Refusal
from .holidays import statutory_holidays

MAX_BYTES = 64 * 1024
_OFF = frozenset({"休", "放假", "假", "法定", "rest", "off", "holiday"})
_WORK = frozenset({"班", "上班", "补班", "调休上班", "work", "workday"})
_DATE = re.compile(r"(?:(\d{4})\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_BETWEEN = re.compile(r"\s*(?:~|～|至|到|—+|–)\s*")
_HEADER = frozenset({"日期", "date", "day"})


@dataclass(frozen=True, slots=True)
class DayNamed:
    """A date the notice names, and whether people work on it."""

    day: date
    is_workday: bool


def parse_notice(data: bytes, year: int) -> list[DayNamed]:
    """The days a notice names, in order. Refusal naming the line that cannot be read, or the day that cannot be so.

    Two columns: a date or a span (2027-02-05, 2027/2/5, 2月5日, 2月5日至2月11日), and 休 or 班. UTF-8 or GB 18030.
    Dates lie in the year or in the last week of the year before.
    """
    if len(data) > MAX_BYTES:
        raise Refusal("notice.too_long", _("放假通知不应超过64 KB，请只贴日期两列。"))
    named: dict[date, bool] = {}
    for number, cells in _lines(_text(data)):
        first, last, is_workday = _line(number, cells, year)
        for day in _span(first, last):
            if named.get(day, is_workday) != is_workday:
                raise _unreadable(number, _("%(day)s前面已写成相反的安排") % {"day": day})
            _check(number, day, is_workday, year)
            named[day] = is_workday
    if not any(day.year == year for day in named):
        raise Refusal("notice.empty", _("没有读到%(year)s年的任何一天。") % {"year": year})
    return [DayNamed(day, named[day]) for day in sorted(named)]


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refusal("notice.encoding", _("文件的编码读不出来，请存为UTF-8的CSV。"))


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Numbered lines that hold something, cells trimmed; comma, tab, Chinese comma or blank may part them."""
    text = text.replace("，", ",").replace("\t", ",").replace("\x00", "")
    found = []
    for number, cells in enumerate(csv.reader(io.StringIO(text)), start=1):
        cells = [cell.strip() for cell in cells if cell.strip()]
        if len(cells) == 1 and " " in cells[0]:
            cells = cells[0].rsplit(maxsplit=1)
        if cells and cells[0].lower() not in _HEADER:
            found.append((number, cells))
    return found


def _line(number: int, cells: list[str], year: int) -> tuple[date, date, bool]:
    if len(cells) < 2:
        raise _unreadable(number, _("要有日期和“休”或“班”两列"))
    word = cells[1].lower()
    if word not in _OFF | _WORK:
        raise _unreadable(number, _("第二列要写“休”或“班”"))
    ends = [_date(number, part, year) for part in _BETWEEN.split(cells[0]) if part]
    if not 1 <= len(ends) <= 2 or ends[0] > ends[-1] or (ends[-1] - ends[0]).days > 31:
        raise _unreadable(number, _("起止日期不对"))
    return ends[0], ends[-1], word in _WORK


def _date(number: int, text: str, year: int) -> date:
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise _unreadable(number, _("日期写法读不出来，例如2027-02-05或2月5日"))
    try:
        return date(int(match[1] or year), int(match[2]), int(match[3]))
    except ValueError as error:
        raise _unreadable(number, _("没有这个日期")) from error


def _check(number: int, day: date, is_workday: bool, year: int) -> None:
    """What no notice says: another year's days, work on a statutory holiday, a make-up workday on a weekday."""
    if not date(year - 1, 12, 25) <= day <= date(year, 12, 31):
        raise _unreadable(number, _("%(day)s不属于%(year)s年的通知") % {"day": day, "year": year})
    if is_workday and day in statutory_holidays(day.year):
        raise _unreadable(number, _("%(day)s是法定节假日，不能上班") % {"day": day})
    if is_workday and day.weekday() < 5:
        raise _unreadable(number, _("%(day)s本来就是工作日") % {"day": day})


def _span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _unreadable(number: int, reason: str) -> Refusal:
    text = _("第%(line)s行：%(reason)s。没有录入任何一天。") % {"line": number, "reason": reason}
    return Refusal("notice.line", text, facts={"line": number})
