"""Times and distances as people say them, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

WEEKDAYS_ZH = "一二三四五六日"
MONTHS_EN = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True, slots=True)
class SpokenDue:
    """A due time in two pieces: when it is, and how far away."""

    when: str
    left: str


def moment(local: datetime, style: str, language: str) -> str:
    """A local time in words; ``style`` is short, day or full."""
    is_chinese = language.startswith("zh")
    day = f"{local.month}月{local.day}日" if is_chinese else f"{local.day} {MONTHS_EN[local.month - 1]}"
    if style == "day":
        return day
    clock = f"{local.hour:02}:{local.minute:02}"
    if style != "full":
        return f"{day} {clock}"
    return (
        f"{local.year}年{day} 星期{WEEKDAYS_ZH[local.weekday()]} {clock}"
        if is_chinese
        else f"{local:%a} {day} {local.year} {clock}"
    )


def due(at: datetime, now: datetime) -> SpokenDue:
    """Both times local. Within two days the day has a name; else the date; a different year is written out."""
    return SpokenDue(when=_when(at, now), left=_left(at - now))


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit: 45 分钟， 3 小时， 12 天."""
    minutes = max(1, round(abs(seconds) / 60))
    if minutes < 90:
        return ngettext("%(n)d 分钟", "%(n)d 分钟", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%(n)d 小时", "%(n)d 小时", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("%(n)d 天", "%(n)d 天", days) % {"n": days}


def _when(at: datetime, now: datetime) -> str:
    clock = f"{at.hour:02}:{at.minute:02}"
    match (at.date() - now.date()).days:
        case -1:
            return _("昨天 %(clock)s") % {"clock": clock}
        case 0:
            return _("今天 %(clock)s") % {"clock": clock}
        case 1:
            return _("明天 %(clock)s") % {"clock": clock}
    facts = {"year": at.year, "month": at.month, "day": at.day, "name": MONTHS_EN[at.month - 1], "clock": clock}
    if at.year != now.year:
        return _("%(year)d年%(month)d月%(day)d日") % facts
    return _("%(month)d月%(day)d日 %(clock)s") % facts


def _left(delta: timedelta) -> str:
    seconds = delta.total_seconds()
    if seconds < 0:
        return _("已超 %(span)s") % {"span": span(seconds)}
    return _("还剩 %(span)s") % {"span": span(seconds)}
