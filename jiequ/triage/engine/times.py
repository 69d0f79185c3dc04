"""When it was: dates, hours and spans in the words of a report, counted from when it was told; none ends before it begins.

What comes again and again (每天晚上, each morning) is told by the last time it began. English is read by ``times_en``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jiequ.triage.engine.spans import Span, last_begun, last_day, midnight
from jiequ.triage.engine.times_en import english_times

MOST_LENGTH = 5_000  # characters that are read
MOST_SPANS = 10
NUMBERS = {sign: at for at, sign in enumerate("零一二三四五六七八九十")} | {"两": 2, "〇": 0, "半": 0}
DAYS_BACK = {"今": 0, "昨": 1, "前": 2, "大前": 3, "当": 0}
PARTS = {  # hours of a day, as people say them
    **{"凌晨": (0, 6), "清晨": (5, 8), "早上": (6, 9), "早晨": (6, 9), "上午": (8, 12), "中午": (11, 14), "下午": (12, 18)},
    **{
        "傍晚": (17, 19),
        "晚上": (18, 24),
        "夜里": (20, 30),
        "夜间": (20, 30),
        "深夜": (22, 28),
        "半夜": (23, 28),
        "晚": (18, 24),
        "早": (6, 9),
    },
}
WEEKDAYS = "一二三四五六日"
_N = r"(?:\d{1,4}|[零〇一二两三四五六七八九十]{1,3})"
_PART = "(?:" + "|".join(PARTS) + ")"
DATE = re.compile(
    rf"(?P<y>(?:19|20)\d{{2}})\s?[年\-/.]\s?(?P<m>\d{{1,2}})\s?[月\-/.]\s?(?P<d>\d{{1,2}})(?!\d)[日号]?"
    rf"|(?P<m2>{_N})月(?P<d2>{_N})[日号]"
    r"|(?P<back>大前|[今昨前当])(?:天|日|(?=[早晚]))"
    r"|(?P<week>上上|上个?|本|这个?)(?:周|星期|礼拜)(?P<w>[一二三四五六日天])"
    rf"|(?P<ago>{_N}|半)\s?个?(?P<unit>天|小时|分钟|钟头|周|星期|月)[之以]?前"
)
CLOCK = re.compile(
    rf"(?P<h>{_N})(?:[点时](?!间|候|常|段)(?:(?P<half>半)|(?P<quarter>[一三])刻|(?P<min>\d{{2}}|{_N}(?=分))分?)?"
    r"|[:：](?P<min2>[0-5]\d)(?::[0-5]\d)?)(?:钟|左右|许)*"
)
PART = re.compile(_PART)
EVERY = re.compile(
    r"(?:(?P<work>每个?工作日|工作日|(?:每周|每星期|每个?礼拜|周|星期)一[到至](?:周|星期|礼拜)?五)"
    r"|(?P<end>(?:每到|每逢|每个?)?(?:周末|双休日))"
    r"|每个?(?:周|星期|礼拜)(?P<w>[一二三四五六日天])"
    r"|(?P<day>每天|每日|天天|每(?=[早晚夜])))[都是从在的大概差不多]*"
)
OVERNIGHT = re.compile("第二天|次日|翌日")
TO = re.compile(r"\s?(?:到|至|[-－—~～]{1,2})\s?(?:第二天|次日|翌日)?的?")


@dataclass(frozen=True, slots=True)
class _Told:
    """One moment or day as it was read; ``is_dated`` where its day was told and not taken from elsewhere."""

    end: int
    begins: datetime
    ends: datetime
    is_dated: bool
    has_clock: bool
    part: str = ""


def find_times(text: str, *, told_at: datetime) -> list[Span]:
    """The times told in a text, in reading order; ``told_at`` is aware and in local time, and relative words count from it."""
    read = text[:MOST_LENGTH]
    english = list(english_times(read, told_at=told_at))
    spans = [one for one in _spans(read, told_at) if not any(one.start < it.end and it.start < one.end for it in english)]
    return sorted([*spans, *english], key=lambda span: span.start)[:MOST_SPANS]


def _spans(text: str, told_at: datetime) -> Iterator[Span]:
    at = 0
    while at < len(text):
        every = EVERY.match(text, at)
        span = _again(text, at, every, told_at) if every else _once(text, at, told_at)
        if span is not None:
            yield span
        at = span.end if span else every.end() if every else at + 1


def _once(text: str, at: int, told_at: datetime) -> Span | None:
    first = _moment(text, at, told_at, day=None)
    if first is None:
        return None
    last = _until(text, first, told_at)
    return Span(text[at : last.end], at, last.end, *_in_order(first, last))


def _again(text: str, at: int, every: re.Match[str], told_at: datetime) -> Span | None:
    """What comes again: its hours on the last such day, one time earlier where they have not begun by now."""
    kind, day = _latest_day(every, told_at)
    first = _moment(text, every.end(), told_at, day=day, is_every=True)
    if first is None or first.is_dated:  # "every day" alone says no time; a weekday or a weekend does
        length = {"week": 1, "weekend": 2}.get(kind, 0)
        return Span(text[at : every.end()], at, every.end(), day, day + timedelta(days=length), kind) if length else None
    last = _until(text, first, told_at)
    begins, ends = last_begun(*_in_order(first, last), kind, told_at)
    return Span(text[at : last.end], at, last.end, begins, ends, kind)


def _latest_day(every: re.Match[str], told_at: datetime) -> tuple[str, datetime]:
    """How often, and the last such day up to today."""
    kind = "week" if every["w"] else "weekend" if every["end"] else "workday" if every["work"] else "day"
    weekday = WEEKDAYS.index(every["w"].replace("天", "日")) if every["w"] else 0
    return kind, last_day(kind, midnight(told_at), weekday)


def _until(text: str, first: _Told, told_at: datetime) -> _Told:
    """The other end of a span, or the same one again."""
    joined = TO.match(text, first.end)
    if joined is None:
        return first
    last = _moment(text, joined.end(), told_at, day=midnight(first.begins))
    if last is None or OVERNIGHT.search(joined[0]):
        return last or first
    return _same_half(first, last)


def _same_half(first: _Told, last: _Told) -> _Told:
    """晚上八点到十点 ends at 22, 上午9点到3点 at 15: a bare hour that would lie before the first is afternoon, if that fits.

    晚上十点到两点 stays as it is read, over midnight.
    """
    if not (first.part and last.has_clock and not last.part and not last.is_dated and last.begins < first.begins):
        return last
    later = last.begins + timedelta(hours=12)
    is_fitting = first.begins <= later <= midnight(first.begins) + timedelta(days=1)  # 8 to 12 in the evening ends at 24
    return replace(last, begins=later, ends=later) if is_fitting else last


def _in_order(first: _Told, last: _Told) -> tuple[datetime, datetime]:
    """10 in the evening to 2 is over midnight; 3 May to 1 May was told the wrong way round."""
    ends = last.ends
    if ends < first.begins and not last.is_dated:
        ends += timedelta(days=1)
    return (first.begins, ends) if ends >= first.begins else (last.begins, max(first.ends, last.begins))


def _moment(text: str, at: int, told_at: datetime, *, day: datetime | None, is_every: bool = False) -> _Told | None:
    """A date, a part of the day, a clock, in this order, each optional; ``day`` is the day where none is told.

    After 每天 (``is_every``) a part of the day alone says when: 早上 is no greeting there.
    """
    dated = DATE.match(text, at)
    base = _ago_or_day(dated, told_at) if dated else None
    if dated and base is None:
        return None
    if base is not None and not base.is_dated:  # two hours ago: a moment by itself
        return replace(base, end=dated.end() if dated else at)
    here = _skip(text, dated.end()) if dated else at
    part = PART.match(text, here)
    clock = CLOCK.match(text, _skip(text, part.end()) if part else here)
    says_part = part and day is not None and (is_every or part[0] not in ("早", "晚", "早上", "晚上"))
    if not dated and not clock and not says_part:
        return None
    if not dated and clock and not part and clock["min2"] is None and day is None and not _is_hour(text, clock):
        return None
    of_day = base.begins if base else day or midnight(told_at)
    return _placed(of_day, part, clock, end=(clock or part or dated).end(), is_dated=base is not None)  # type: ignore[union-attr]


def _is_hour(text: str, clock: re.Match[str]) -> bool:
    """Is a bare "3点" an hour and not a point of a list ("3点建议")."""
    return text[clock.end() : clock.end() + 1] not in ("建", "意", "要", "问", "理", "原", "诉") and bool(
        re.search("[点:：]", clock[0])
    )


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " 的，,":
        at += 1
    return at


def _placed(
    of_day: datetime, part: re.Match[str] | None, clock: re.Match[str] | None, *, end: int, is_dated: bool
) -> _Told | None:
    hours = PARTS[part[0]] if part else None
    if clock is None:
        from_hour, to_hour = hours or (0, 24)
        return _Told(end, of_day + timedelta(hours=from_hour), of_day + timedelta(hours=to_hour), is_dated, False)
    hour, minute = _number(clock["h"]), _minute(clock)
    if hour > 24 or minute > 59:
        return None
    moment = of_day + timedelta(hours=_on_24(hour, part[0] if part else ""), minutes=minute)
    return _Told(end, moment, moment, is_dated, True, part[0] if part else "")


def _on_24(hour: int, part: str) -> int:
    """An hour said with a part of the day: 晚上10 is 22, 晚上12 is 24, 下午3 is 15, 凌晨12 is 0."""
    if part in ("下午", "傍晚", "晚上", "晚") and hour <= 12:
        return hour + 12 if hour < 12 or part != "下午" else hour
    if part in ("夜里", "夜间", "深夜", "半夜") and 6 <= hour <= 12:
        return hour + 12
    if part == "中午" and hour < 6:
        return hour + 12
    return 0 if part == "凌晨" and hour == 12 else hour


def _minute(clock: re.Match[str]) -> int:
    if clock["half"]:
        return 30
    if clock["quarter"]:
        return 15 * _number(clock["quarter"])
    told = clock["min"] or clock["min2"]
    return _number(told) if told else 0


def _ago_or_day(told: re.Match[str], told_at: datetime) -> _Told | None:
    """The day that is told (from midnight), or a moment some hours ago; None where there is no such day."""
    today = midnight(told_at)
    if told["ago"]:
        return _ago(told, told_at)
    if told["back"]:
        return _day(told, today - timedelta(days=DAYS_BACK[told["back"]]))
    if told["week"]:
        monday = today - timedelta(days=today.weekday() + 7 * {"上": 1, "上上": 2}.get(told["week"].removesuffix("个"), 0))
        return _day(told, monday + timedelta(days=WEEKDAYS.index(told["w"].replace("天", "日"))))
    year, month, day = (_number(told[key]) for key in (("y", "m", "d") if told["y"] else ("m2", "m2", "d2")))
    try:
        if told["y"]:
            return _day(told, today.replace(year=year, month=month, day=day))
        this_year = today.replace(month=month, day=day)
        return _day(told, this_year if this_year <= today + timedelta(days=31) else this_year.replace(year=today.year - 1))
    except ValueError:  # 31 February
        return None


def _ago(told: re.Match[str], told_at: datetime) -> _Told | None:
    count = 0.5 if told["ago"] == "半" else float(_number(told["ago"]))
    unit = told["unit"]
    if unit in ("小时", "钟头", "分钟"):
        moment = told_at - (timedelta(minutes=count) if unit == "分钟" else timedelta(hours=count))
        return _Told(told.end(), moment, moment, False, True)
    days = count * {"天": 1, "周": 7, "星期": 7, "月": 30}[unit]
    return _day(told, midnight(told_at) - timedelta(days=int(days))) if days < 3_660 else None


def _day(told: re.Match[str], midnight: datetime) -> _Told:
    return _Told(told.end(), midnight, midnight + timedelta(days=1), True, False)


def _number(told: str) -> int:
    """Digits or Chinese numerals to 99; 十二 is 12, 二十 is 20."""
    if told.isdigit():
        return int(told)
    if "十" in told:
        tens, _ten, ones = told.partition("十")
        return (NUMBERS.get(tens, 1) if tens else 1) * 10 + (NUMBERS.get(ones, 0) if ones else 0)
    return int("".join(str(NUMBERS[sign]) for sign in told))
