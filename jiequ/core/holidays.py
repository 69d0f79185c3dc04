"""What a date is by rule alone, for days no published notice covers. Pure.

The decree is the State Council's 全国年节及纪念日放假办法 as amended from 2025 on: 13 days. It is a set of its own:
a Saturday, a day off in exchange (调休) or the rest of a long National Day week is no statutory holiday, whatever a
library calls it. A festival that falls on another one (Mid-Autumn on 1 October 2031) counts once here; where its day
goes, the notice says. Festival dates are astronomical facts, checked against two independent lunar calendars.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum


class DayKind(StrEnum):
    """What a date is. HOLIDAY is one of the days the State Council's decree names, REST any other day off."""

    WORKDAY = "workday"
    REST = "rest"
    HOLIDAY = "holiday"


def rule_kind(day: date) -> DayKind:
    """What a date is by rule alone: the decree's days are holidays, Saturdays and Sundays rest, the others work."""
    if holiday_name(day):
        return DayKind.HOLIDAY
    return DayKind.REST if day.weekday() >= 5 else DayKind.WORKDAY


def holiday_name(day: date) -> str:
    """The decree's name (Chinese) of a statutory holiday, empty for any other date.

    The festivals are known from 2025 to 2040, the fixed dates always (2 May is one since 2025).
    """
    if (day.month, day.day) == (5, 2) and day.year < 2025:
        return ""
    return _FIXED.get((day.month, day.day)) or _FESTIVAL_NAMES.get(day, "")


def statutory_holidays(year: int) -> frozenset[date]:
    """The decree's own days of a year: New Year 1, Spring Festival 4, Qingming 1, Labour Day 2, Dragon Boat 1,
    Mid-Autumn 1, National Day 3.
    """
    first = date(year, 1, 1)
    days = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    return frozenset(day for day in days if holiday_name(day))


_FIXED = {
    (1, 1): "元旦",
    (5, 1): "劳动节",
    (5, 2): "劳动节",
    (10, 1): "国庆节",
    (10, 2): "国庆节",
    (10, 3): "国庆节",
}
# Year: first day of the first lunar month, Qingming, Dragon Boat (5/5), Mid-Autumn (8/15), each as month × 100 + day.
_FESTIVALS = {
    2025: (129, 404, 531, 1006),
    2026: (217, 405, 619, 925),
    2027: (206, 405, 609, 915),
    2028: (126, 404, 528, 1003),
    2029: (213, 404, 616, 922),
    2030: (203, 405, 605, 912),
    2031: (123, 405, 624, 1001),
    2032: (211, 404, 612, 919),
    2033: (131, 404, 601, 908),
    2034: (219, 405, 620, 927),
    2035: (208, 405, 610, 916),
    2036: (128, 404, 530, 1004),
    2037: (215, 404, 618, 924),
    2038: (204, 405, 607, 913),
    2039: (124, 405, 527, 1002),
    2040: (212, 404, 614, 920),
}


def _festival_names() -> dict[date, str]:
    """Spring Festival is the eve and three days; the other three are a day each."""
    names: dict[date, str] = {}
    for year, (spring, qingming, dragon_boat, mid_autumn) in _FESTIVALS.items():
        new_year = date(year, *divmod(spring, 100))
        names |= {new_year + timedelta(days=n): "春节" for n in (-1, 0, 1, 2)}
        names[date(year, *divmod(qingming, 100))] = "清明节"
        names[date(year, *divmod(dragon_boat, 100))] = "端午节"
        names[date(year, *divmod(mid_autumn, 100))] = "中秋节"
    return names


_FESTIVAL_NAMES = _festival_names()
