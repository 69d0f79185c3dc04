"""When it was, as English tells it: "last night from 10 pm to 2 am", "each morning", "every Wednesday", "two hours ago"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jiequ.triage.engine.spans import Span, last_begun, last_day, midnight

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
COUNTS = {word: n for n, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())}
COUNTS |= {"a": 1, "an": 1, "a couple of": 2, "half an": 0}
PARTS = {  # hours of a day
    **{"early morning": (4, 8), "morning": (6, 12), "noon": (12, 12), "afternoon": (12, 18)},
    **{"evening": (18, 22), "night": (18, 30), "midnight": (24, 24)},
}
_DAY = "(?:" + "|".join(WEEKDAYS) + ")"
_PART = "(?:" + "|".join(PARTS) + ")"
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_COUNT = r"(?:\d{1,3}|" + "|".join(sorted(COUNTS, key=len, reverse=True)) + ")"
EVERY = re.compile(
    rf"\b(?:every|each)\s+(?:single\s+)?(?:(?P<daily>day)|(?P<part>{_PART})|(?P<w>{_DAY})|(?P<work>week\s?day)"
    r"|(?P<end>weekend))\b"
    rf"|\b(?:(?P<adverb>daily|nightly)|on\s+(?P<ws>{_DAY})s|(?:at|on)\s+(?:(?P<ends>weekends)|(?P<works>week\s?days)))\b"
)
DATE = re.compile(
    rf"\b(?:(?P<ago>{_COUNT})\s+(?P<unit>minute|hour|day|week|month)s?\s+ago"
    rf"|(?P<before>the\s+day\s+before\s+yesterday)|(?P<back>today|tonight|yesterday)"
    rf"|(?P<last>last|this)\s+(?P<p>{_PART})|(?:last|this|on)\s+(?P<w>{_DAY})(?!s)"
    rf"|(?P<m>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d)"
    rf"|(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m2>{_MONTH}))\b"
)
PART = re.compile(rf"(?:in\s+the\s+|at\s+)?(?P<p>{_PART})\b")
CLOCK = re.compile(r"(?P<h>\d{1,2})(?::(?P<min>[0-5]\d))?\s*(?P<half>[ap]m\b|[ap]\.m\.|o.?clock\b)?|(?P<word>noon|midnight)\b")
LEAD = re.compile(r"[\s,]*(?:(?:from|between|at|around|about|since)\s+)*")
TO = re.compile(r"\s*(?:to|until|till|and|-|–|—)\s*(?:about\s+)?")


@dataclass(frozen=True, slots=True)
class _Base:
    """The day (midnight) that is told, the part of it, and where reading goes on."""

    end: int
    midnight: datetime
    hours: tuple[int, int] = (0, 24)
    every: str = ""


def english_times(text: str, *, told_at: datetime) -> Iterator[Span]:
    """The times told, in reading order; ``told_at`` is aware and local. What comes again is told by the last time it began."""
    said, at = text.lower(), 0
    if len(said) != len(text):  # a sign that grows when made small would move the places
        return
    while found := _next(said, at):
        told = _ago(found, told_at) if found.re is DATE and found["ago"] else _day(said, found, told_at)
        if told is not None:
            yield replace(told, text=text[told.start : told.end])
        at = max(found.end(), told.end if told else 0)


def _next(said: str, at: int) -> re.Match[str] | None:
    found = [one for one in (EVERY.search(said, at), DATE.search(said, at)) if one]
    return min(found, key=lambda one: (one.start(), one.re is DATE), default=None)


def _ago(found: re.Match[str], told_at: datetime) -> Span | None:
    word = " ".join(found["ago"].split())
    count = 0.5 if word == "half an" else float(word) if word.isdecimal() else float(COUNTS[word])
    unit = found["unit"]
    if unit in ("minute", "hour"):
        moment = told_at - timedelta(**{f"{unit}s": count})
        return Span(found[0], found.start(), found.end(), moment, moment)
    first = midnight(told_at) - timedelta(days=int(count * {"day": 1, "week": 7, "month": 30}[unit]))
    return Span(found[0], found.start(), found.end(), first, first + timedelta(days=1))


def _day(said: str, found: re.Match[str], told_at: datetime) -> Span | None:
    """A day or what comes again, with the part of it and the hours that follow."""
    base = _again(found, told_at) if found.re is EVERY else _dated(found, told_at)
    if base is None:
        return None
    if part := PART.match(said, LEAD.match(said, base.end).end()):  # type: ignore[union-attr]
        base = _Base(part.end(), base.midnight, PARTS[part["p"]], base.every)
    begins, ends, stop = _hours(said, base)
    if base.every == "day" and base.hours == (0, 24) and stop == base.end:
        return None  # "every day" alone says no time
    if base.every:
        begins, ends = last_begun(begins, ends, base.every, told_at)
    return Span(said[found.start() : stop], found.start(), stop, begins, ends, base.every)


def _again(found: re.Match[str], told_at: datetime) -> _Base:
    today = midnight(told_at)
    if day := found["w"] or found["ws"]:
        return _Base(found.end(), last_day("week", today, WEEKDAYS.index(day)), every="week")
    if found["end"] or found["ends"]:
        return _Base(found.end(), last_day("weekend", today), (0, 48), every="weekend")
    if found["work"] or found["works"]:
        return _Base(found.end(), last_day("workday", today), every="workday")
    part = found["part"] or ("night" if found["adverb"] == "nightly" else "")
    return _Base(found.end(), today, PARTS[part] if part else (0, 24), every="day")


def _dated(found: re.Match[str], told_at: datetime) -> _Base | None:
    today = midnight(told_at)
    if found["before"]:
        return _Base(found.end(), today - timedelta(days=2))
    if word := found["back"]:
        hours = PARTS["night"] if word == "tonight" else (0, 24)
        return _Base(found.end(), today - timedelta(days=word == "yesterday"), hours)
    if part := found["p"]:
        return _Base(found.end(), today - timedelta(days=found["last"] == "last"), PARTS[part])
    if day := found["w"]:
        return _Base(found.end(), last_day("week", today - timedelta(days=1), WEEKDAYS.index(day)))
    try:
        month = MONTHS.index((found["m"] or found["m2"])[:3]) + 1
        day_of = today.replace(month=month, day=int(found["d"] or found["d2"]))
        return _Base(found.end(), day_of if day_of <= today + timedelta(days=31) else day_of.replace(year=today.year - 1))
    except ValueError:  # 31 February
        return None


def _hours(said: str, base: _Base) -> tuple[datetime, datetime, int]:
    """The two moments of the hours told, else the whole part of the day; and where they end."""
    whole = tuple(base.midnight + timedelta(hours=hour) for hour in base.hours)
    first = CLOCK.match(said, LEAD.match(said, base.end).end())  # type: ignore[union-attr]
    joined = TO.match(said, first.end()) if first else None
    last = CLOCK.match(said, joined.end()) if joined else None
    if first is None or not _is_clock(first, last):
        return whole[0], whole[1], base.end
    if last is None or not _is_clock(last, None):
        moment = _at(first, base, "")
        return (moment, moment, first.end()) if moment else (whole[0], whole[1], base.end)
    begins, ends = _at(first, base, _half(last)), _at(last, base, "")
    if begins is None or ends is None:
        return whole[0], whole[1], base.end
    if begins > ends and not _half(first) and not first["min"]:
        begins = _at(first, base, "") or begins
    return begins, ends if ends >= begins else ends + timedelta(days=1), last.end()


def _is_clock(found: re.Match[str], other: re.Match[str] | None) -> bool:
    """A bare number is an hour only where the other end of the span is a clock: "8 to 10 pm", not "4 dogs"."""
    return bool(found["word"] or found["min"] or found["half"]) or (other is not None and _is_clock(other, None))


def _half(found: re.Match[str]) -> str:
    return (found["half"] or "")[:1].replace("o", "")


def _at(found: re.Match[str], base: _Base, half: str) -> datetime | None:
    """The moment of a clock. Without am or pm the part of the day tells: 10 at night is 22, 2 at night the next day."""
    if found["word"]:
        return base.midnight + timedelta(hours=12 if found["word"] == "noon" else 24)
    hour, half = int(found["h"]), _half(found) or half
    if hour > 24 or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    elif base.hours[0] >= 12 and hour < 12 and not (base.hours[1] > 24 and hour < 6):
        hour += 12
    if base.hours[1] > 24 and base.hours[0] < 24 and hour < 12:
        hour += 24  # at night, after midnight
    return base.midnight + timedelta(hours=hour, minutes=int(found["min"] or 0))
