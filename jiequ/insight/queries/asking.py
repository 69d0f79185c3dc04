"""What a page or a file of figures is asked for: which streets, which period, which figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from jiequ.cases.policy import Policy
from jiequ.cases.queries.types import said
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.people.rules import Actor

from .. import access
from ..models import Group
from ..periods import KINDS, LONGEST, Period, around
from ..rules import BASIS_OF, local_day
from .figures import Behind


@dataclass(frozen=True, slots=True)
class Asked:
    """The streets and the period of one page."""

    streets: tuple[Street, ...]
    all_streets: tuple[Street, ...]
    period: Period
    today: date

    @property
    def street_ids(self) -> tuple[int, ...]:
        return tuple(street.pk for street in self.streets)

    @property
    def street_id(self) -> int | None:
        """The one street, where only one is asked for of several."""
        return self.streets[0].pk if len(self.streets) == 1 else None

    @property
    def policy(self) -> Policy:
        """The street's own rules; of several streets the product's, with the largest of their least samples."""
        if len(self.streets) == 1:
            return Policy.of(self.streets[0].settings)
        least = max((Policy.of(street.settings).compare_min_n for street in self.streets), default=Policy().compare_min_n)
        return Policy(compare_min_n=least)

    def query(self, **more: Any) -> str:
        """The same question as the part of an address after ``?``; ``more`` replaces or adds."""
        given: dict[str, Any] = {"street": self.street_id, "period": self.period.kind}
        if self.period.kind == "any":
            given |= {"since": self.period.since.isoformat(), "last": self.period.last.isoformat()}
        else:
            given["day"] = min(self.period.last, max(self.period.since, self.today)).isoformat()
        return urlencode({name: value for name, value in (given | more).items() if value not in (None, "")})

    def stored(self) -> dict[str, Any]:
        """The same question for a job: the dates as they were meant, and the streets it was allowed for."""
        span = {"period": "any", "since": self.period.since.isoformat(), "last": self.period.last.isoformat()}
        street = {"street": self.street_id} if self.street_id is not None else {}
        return span | street | {"streets": list(self.street_ids)}

    def link(self, route: str, *args: Any, **more: Any) -> str:
        """The address of another page with the same question."""
        return f"{reverse(route, args=args)}?{self.query(**more)}"


def of(data: Mapping[str, Any], actor: Actor, at: datetime, *, kind: str = "month") -> Asked:
    """The question of an address or a form. NotFound for a street that is not the reader's, Refusal for a bad period."""
    streets = access.streets_for(actor)
    return Asked(
        streets=tuple(access.chosen(streets, whole(data, "street"))),
        all_streets=tuple(streets),
        period=_period(data, local_day(at), kind),
        today=local_day(at),
    )


def behind(asked: Asked, data: Mapping[str, Any]) -> Behind:
    """The figure that is asked for; Refusal for a part or group that does not exist."""
    part, group = str(data.get("part", "")), str(data.get("group") or Group.ALL)
    if part not in BASIS_OF or group not in Group.values:
        raise Refusal("no_such_figure", _("没有这个数。"), facts={"field": "part"})
    return Behind(asked.street_ids, asked.period, part, group, whole(data, "of") or 0)


def whole(data: Mapping[str, Any], name: str) -> int | None:
    """A whole number of a field; None if empty; Refusal for anything else."""
    text = str(data.get(name) or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refusal("bad_number", _("编号应是数字。"), facts={"field": name})
    return int(text)


def day_of(data: Mapping[str, Any], name: str) -> date | None:
    """A date of a field; None if empty; Refusal for anything else."""
    text = str(data.get(name) or "").strip()
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise Refusal("bad_date", _("日期不对，请写成 2026-03-04 这样。"), facts={"field": name})
    return day


def _period(data: Mapping[str, Any], today: date, default: str) -> Period:
    kind = str(data.get("period") or default)
    if kind not in KINDS:
        raise Refusal("bad_period", _("没有这样的时段。"), facts={"field": "period"})
    if kind != "any":
        return around(kind, day_of(data, "day") or today)
    since, last = day_of(data, "since") or today, day_of(data, "last") or today
    if last < since:
        raise Refusal("bad_period", _("结束日期在开始日期之前。"), facts={"field": "last"})
    if last - since > LONGEST:
        raise Refusal("period_too_long", _("一次最多看三年。"), facts={"field": "since"})
    return Period("any", since, last)


def place_of(asked: Asked) -> str:
    """The street's name, or the district."""
    if len(asked.streets) == 1:
        return said(asked.streets[0].name_zh, asked.streets[0].name_en)
    return str(_("全区"))


def span_of(period: Period) -> str:
    """The period in figures: 2026-03-01 – 2026-03-31."""
    if period.since == period.last:
        return period.since.isoformat()
    return f"{period.since.isoformat()} – {period.last.isoformat()}"
