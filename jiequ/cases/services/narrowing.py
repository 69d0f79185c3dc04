"""The filters of a list of cases: read from an address, said in words, offered. Pages and files of the list share them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.grid.models import Community, ResponsibilityGrid
from jiequ.people.models import Department
from jiequ.people.rules import Actor

from .. import questions, words
from ..clocks import Light
from ..queries.listing import MINE, Filters
from ..queries.rows import named
from ..queries.types import current_types
from .phones import phone_mark

LIGHTS = {
    Light.RED.value: words.MARKS["red"],
    Light.YELLOW.value: words.MARKS["yellow"],
    Light.GREEN.value: words.LIGHT_GREEN,
    Light.PAUSED.value: words.STATES["suspended"],
}
FIELDS = (
    "q", "number", "state", "light", "type", "department", "part", "community", "area", "grid", "street", "period", "from",
    "to", "source", "mine", "open", "urgent", "undelivered",
)  # fmt: skip
"""Every filter an address may hold, in the order of its chips; the rest of an address is where a page begins."""
CHOICES_KEPT_SECONDS = 60.0
_LONGEST_QUESTION = 60


def query_of(data: QueryDict | str) -> QueryDict:
    """The filters of an address, in order, the empty ones left out."""
    given = QueryDict(data) if isinstance(data, str) else data
    query = QueryDict(mutable=True)
    for name in FIELDS:
        if values := [value for value in given.getlist(name) if value.strip()]:
            query.setlist(name, list(dict.fromkeys(values)))
    return query


def filters_of(query: QueryDict, actor: Actor, at: datetime) -> Filters:
    """The filters as data. Refusal for a value that is none; Throttled or Forbidden for a phone's last four."""
    one_of("light", query, LIGHTS)
    one_of("source", query, words.SOURCES)
    one_of("mine", query, MINE)
    one_of("open", query, ("1", "0"))
    one_of("part", query, ("any",))
    for state in query.getlist("state"):
        known("state", state, words.STATES)
    since, until = _period(query, at)
    filters = Filters(
        states=tuple(query.getlist("state")),
        light=query.get("light", ""),
        department_id=whole(query, "department"),
        is_assist=query.get("part") == "any",
        community_id=whole(query, "community"),
        responsibility_grid_id=whole(query, "area"),
        unit_grid=str(whole(query, "grid") or ""),
        street_id=whole(query, "street"),
        source=query.get("source", ""),
        number=query.get("number", ""),
        is_open={"1": True, "0": False}.get(query.get("open", "")),
        mine=query.get("mine", ""),
        since=since,
        until=until,
        is_urgent=True if query.get("urgent") else None,
        is_not_delivered=bool(query.get("undelivered")),
    )
    return _asked(_typed(filters, query), query.get("q", ""), actor, at)


def one_of(name: str, query: QueryDict, allowed: Iterable[str]) -> None:
    """Refusal for a value that is not offered."""
    if value := query.get(name):
        known(name, value, allowed)


def known(name: str, value: str, allowed: Iterable[str]) -> None:
    """Refusal for a value that is not offered."""
    if value not in allowed:
        raise Refusal(f"bad_{name}", _("没有“%(value)s”这一项。") % {"value": value[:20]}, facts={"field": name})


def _typed(filters: Filters, query: QueryDict) -> Filters:
    """A type by its id, a whole major by ``m`` and its code."""
    wanted = query.get("type", "")
    if not wanted.startswith("m"):
        return replace(filters, event_type_id=whole(query, "type"))
    ids = [kind.id for major in current_types() if f"m{major.code}" == wanted for kind in major.types]
    known("type", wanted, [wanted] if ids else [])
    return replace(filters, event_type_ids=tuple(ids))


def _asked(filters: Filters, text: str, actor: Actor, at: datetime) -> Filters:
    if not text:
        return filters
    if len(text) > _LONGEST_QUESTION:
        raise Refusal("question_too_long", _("查找的内容请不要超过 60 字。"), facts={"field": "q"})
    prefixes = list(Street.objects.order_by("pk").values_list("prefix", flat=True)) if questions.is_short(text) else []
    asked = questions.understood(text, prefixes=prefixes, year=localtime(at, ZONE).year)
    if asked.is_phone:
        message = _("为保护隐私，请不要输入完整的号码；受理台可以输入“尾号”加后四位查找。")
        raise Refusal("whole_phone", message, facts={"field": "q"})
    if asked.last4:
        return replace(filters, last4_blind=phone_mark(asked.last4, by=actor, at=at))
    return replace(filters, numbers=asked.numbers, terms=asked.terms, finds_nothing=asked.is_empty)


def _period(query: QueryDict, at: datetime) -> tuple[datetime | None, datetime | None]:
    today = localtime(at, ZONE).date()
    if period := query.get("period"):
        known("period", period, PERIODS)
        first = {"today": today, "week": today - timedelta(days=6), "month": today.replace(day=1)}[period]
        return _midnight(first), None
    first_day, last_day = _day(query, "from"), _day(query, "to")
    if first_day and last_day and first_day > last_day:
        raise Refusal("bad_period", _("开始日期晚于结束日期。"), facts={"field": "from"})
    return (_midnight(first_day) if first_day else None), (_midnight(last_day + timedelta(days=1)) if last_day else None)


PERIODS = ("today", "week", "month")


def _day(query: QueryDict, name: str) -> date | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2200:
        raise Refusal("bad_day", _("“%(value)s”不是一个日期。") % {"value": text[:20]}, facts={"field": name})
    return day


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


def whole(data: Any, name: str) -> int | None:
    """A whole number of a field; None if empty; Refusal for anything else."""
    value = str(data.get(name) or "").strip()
    if not value:
        return None
    if not value.isdecimal() or len(value) > 18:
        raise Refusal("bad_number", _("“%(name)s”不是一个编号。") % {"name": name}, facts={"field": name})
    return int(value)


def holds_phone(query: QueryDict) -> bool:
    """True if the question is a phone's last four: that is looked up, never kept."""
    return bool(questions.understood(query.get("q", ""), year=2000).last4)


# -- in words ----------------------------------------------------------------------------------------------------------


def chips(query: QueryDict, offered: Mapping[str, dict[str, str]]) -> list[dict[str, str]]:
    """Each filter in force in words, with the address without it."""
    words_of = labels()
    found = []
    for name in query:
        for value in query.getlist(name):
            rest = query.copy()
            rest.setlist(name, [other for other in query.getlist(name) if other != value])
            if name == "department":
                rest.pop("part", None)
            word = offered.get(name, {}).get(value, value)
            found.append({"label": words_of[name], "value": word, "without": query_of(rest).urlencode() or "all=1"})
    return found


def labels() -> dict[str, str]:
    """What each filter is called."""
    return _labels(get_language())


@lru_cache(maxsize=8)
def _labels(_language: str | None) -> dict[str, str]:
    return {
        "q": _("查找"), "number": _("编号"), "state": _("状态"), "light": _("灯"), "type": _("事件类型"),
        "department": _("部门"), "part": _("主办/协办"), "community": _("社区"), "area": _("责任网格"), "grid": _("单元网格"),
        "street": _("街道"), "period": _("上报时间"), "from": _("上报不早于"), "to": _("上报不晚于"), "source": _("来源"),
        "mine": _("与我有关"), "open": _("办结"), "urgent": _("紧急"), "undelivered": _("通知"),
    }  # fmt: skip


def offered(actor: Actor) -> dict[str, dict[str, str]]:
    """Name → value → words, of everything that can be chosen. Four SELECTs at most once a minute, mostly none."""
    return {**_fixed(get_language()), **_stored(actor)}


@lru_cache(maxsize=8)
def _fixed(_language: str | None) -> dict[str, dict[str, str]]:
    return {
        "state": {key: str(word) for key, word in words.STATES.items()},
        "light": {key: str(word) for key, word in LIGHTS.items()},
        "source": {key: str(word) for key, word in words.SOURCES.items()},
        "period": {"today": _("今天"), "week": _("近 7 天"), "month": _("本月")},
        "mine": {"opened": _("我上报的"), "handled": _("我处置的"), "department": _("我部门主办的")},
        "open": {"1": _("未办结"), "0": _("已办结")},
        "urgent": {"1": _("只看紧急")},
        "undelivered": {"1": _("有未送达的通知")},
        "part": {"any": _("主办、协办都算")},
    }


_kept: dict[Any, tuple[float, dict[str, dict[str, str]]]] = {}


def forget() -> None:
    """Read names anew at the next page (tests)."""
    _kept.clear()


def _stored(actor: Actor) -> dict[str, dict[str, str]]:
    """Departments, communities, responsibility grids and types: names, kept for a minute."""
    streets = None if any(seat.street_id is None for seat in actor.seats) else actor.streets()
    key = (get_language(), streets)
    held = _kept.get(key)
    if held is None or time.monotonic() - held[0] > CHOICES_KEPT_SECONDS:
        held = _kept[key] = (time.monotonic(), _read(streets))
    return held[1]


def _read(streets: frozenset[int] | None) -> dict[str, dict[str, str]]:
    within = {} if streets is None else {"street__in": streets}
    departments = Department.objects.filter(is_active=True, **within).order_by("street_id", "kind", "key")
    communities = Community.objects.filter(retired_at=None, **within).defer("outline").order_by("code12")
    areas = ResponsibilityGrid.objects.filter(retired_at=None, **within).order_by("name")
    there = Street.objects.filter(is_active=True).order_by("code9") if streets is None else ()
    types = {}
    for major in current_types():
        types[f"m{major.code}"] = major.name
        types |= {str(kind.id): kind.name for kind in major.types}
    return {
        "department": {str(d.pk): named(d) for d in departments},
        "community": {str(c.pk): named(c) for c in communities},
        "area": {str(a.pk): a.name for a in areas},
        "street": {str(s.pk): named(s) for s in there},
        "type": types,
    }
