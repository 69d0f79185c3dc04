"""What GeoReport v2 says of times, lists, service codes and limits. Pure; imports nothing of Django.

The specification: wiki.open311.org/GeoReport_v2 (read 2026-11). Where it is silent, docs/open311.md says what we do.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
SPAN = timedelta(days=90)
MOST = 1000
"""A list is of ninety days or a thousand requests, whichever is smaller."""
LONGEST_DESCRIPTION = 4000
OPEN, CLOSED = "open", "closed"
COMPONENT = "component-"
"""Events and components have codes of their own, which may be the same: a component's service code begins so."""
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:T(?P<time>\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(?P<zone>Z|[+-]\d{2}:?\d{2}))?", re.ASCII
)


def moment(text: str, *, is_end: bool = False) -> datetime:
    """A W3C date-time with its zone; a bare day is that day in UTC (its end, if ``is_end``). ValueError for anything else.

    A ``+`` that a client did not escape arrives as a blank, and is taken for what it was.
    """
    found = _MOMENT.fullmatch(re.sub(r" (?=\d{2}:?\d{2}$)", "+", text.strip()))
    if found is None:
        raise ValueError(text)
    if found["time"] is None:
        day = datetime.fromisoformat(f"{found['day']}T00:00:00+00:00")
        return day + timedelta(days=1) - timedelta(seconds=1) if is_end else day
    zone = "+00:00" if found["zone"] == "Z" else found["zone"]
    return datetime.fromisoformat(f"{found['day']}T{found['time']}{zone}")


def told(at: datetime) -> str:
    """A moment as the specification writes it, to the second: ``2026-03-04T10:00:00+08:00``."""
    text = at.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def window(start: datetime | None, end: datetime | None, *, at: datetime) -> tuple[datetime, datetime]:
    """The span that is searched: ninety days back from now, forward from a start, back from an end. ValueError if wider or
    turned round."""
    if start is not None:
        first = start
        last = end if end is not None else min(start + SPAN, max(at, start))
    else:
        last = end if end is not None else at
        first = last - SPAN
    if last < first:
        raise ValueError("end_date lies before start_date")
    if last - first > SPAN + timedelta(days=1):
        raise ValueError("the span is wider than 90 days")
    return first, last


def listed(text: str) -> list[str]:
    """``a, b,c`` as its parts, each once, in order; none for an empty text."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def service_code(kind: str, code: str) -> str:
    """The service code of an event type."""
    return COMPONENT + code if kind == "component" else code


def type_of(service_code: str) -> tuple[str, str]:
    """The kind and code of an event type, by its service code."""
    if service_code.startswith(COMPONENT):
        return "component", service_code.removeprefix(COMPONENT)
    return "event", service_code
