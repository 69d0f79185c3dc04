"""今日简报 on the leader's phone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.cases.queries.types import said
from jiequ.core import clock
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import access
from ..periods import Period
from ..queries import brief as briefs
from ..queries import figures
from ..rules import local_day
from ..services import briefing
from .asked import whole

READERS = (Role.LEADER, Role.DUTY_LEADER)


@needs(*READERS)
@require_GET
def brief(request: HttpRequest) -> HttpResponse:
    """What a leader should know now: residents' verdicts first, then yesterday and today, what is late, what waits."""
    actor, at = actor_of(request), clock.now()
    all_of_them = access.streets_for(actor)
    streets = tuple(access.chosen(all_of_them, whole(request.GET, "street")))
    found = briefs.brief(streets, at=at, actor=actor)
    link = _Links(streets[0].pk if len(streets) == 1 else None, at, found.since)
    context = {
        "lines": _lines(found, link),
        "days": [_day(link, period, sums, at) for period, sums in found.days],
        "departments": [
            {"name": one.name, "n": one.count, "url": link.matter("light_red", group="department", of=one.key)}
            for one in found.departments
        ],
        "red_url": link.matter("light_red"),
        "red": found.counts["light_red"],
        "place": said(streets[0].name_zh, streets[0].name_en) if len(streets) == 1 else _("全区"),
        "streets": [(s.pk, said(s.name_zh, s.name_en)) for s in all_of_them] if len(all_of_them) > 1 else [],
        "street_id": streets[0].pk if len(streets) == 1 else None,
        "lost": found.lost,
        "lost_url": link.matter("undelivered"),
        "counted_at": figures.counted_at(),
        "is_told": briefing.wants_notice(actor.person_id),
        "now": at,
    }
    return render(request, "insight/brief.html", context)


class _Links:
    """Addresses of the lists behind the sentences, for one street or the district."""

    def __init__(self, street_id: int | None, at: datetime, since: date) -> None:
        self.street, self.today, self.since = street_id, at, since

    def matter(self, name: str, **more: Any) -> str:
        span = {"period": "any", "since": self.since.isoformat(), "last": local_day(self.today).isoformat()}
        return self._with(reverse("insight:matter", args=[name]), span | more)

    def part(self, name: str, period: Period) -> str:
        return self._with(reverse("insight:behind"), {"part": name, "period": "day", "day": period.since.isoformat()})

    def _with(self, address: str, query: dict[str, Any]) -> str:
        return f"{address}?{urlencode(query | ({'street': self.street} if self.street else {}))}"


def _lines(found: briefs.Brief, link: _Links) -> list[dict[str, Any]]:
    """The sentences above all others; the first is what residents say of closed cases, also when they say nothing."""
    n = found.counts
    said_so = _("结案后，居民说没有解决：%(n)d 件") % {"n": n["unsolved"]}
    lines = [
        _line("unsolved", said_so if n["unsolved"] else _("结案后，没有居民说未解决"), n, link, tone="stop"),
        _line("decide", _("等您决定：%(n)d 件") % {"n": n["decide"]}, n, link, tone="wait"),
        _line("urgent", _("紧急的，还没办结：%(n)d 件") % {"n": n["urgent"]}, n, link, tone="stop"),
        _line("repeated", _("不止一人反映，还没办结：%(n)d 件") % {"n": n["repeated"]}, n, link),
    ]
    return [line for line in lines if line["n"] or line["key"] == "unsolved"]


def _line(key: str, sentence: str, counts: dict[str, int], link: _Links, *, tone: str = "") -> dict[str, Any]:
    return {"key": key, "sentence": sentence, "n": counts[key], "url": link.matter(key), "tone": tone if counts[key] else ""}


def _day(link: _Links, period: Period, sums: dict[str, int], at: datetime) -> dict[str, Any]:
    is_today = period.last == local_day(at)
    words = {"reported": _("新上报"), "closed": _("已结案"), "turned_late": _("超期")}
    return {
        "title": _("今天") if is_today else _("昨天"),
        "day": period.since,
        "parts": [{"word": words[part], "n": sums[part], "url": link.part(part, period)} for part in briefs.DAY_PARTS],
    }


@needs(*READERS)
@require_POST
@idempotent
def notice(request: HttpRequest) -> HttpResponse:
    """Turn the morning's notice on or off for oneself."""
    is_wanted = request.POST.get("on") == "1"
    briefing.set_notice(is_wanted=is_wanted, by=actor_of(request), at=clock.now())
    messages.success(request, _("工作日早上会提醒您看简报。") if is_wanted else _("不再提醒您看简报，随时可以打开。"))
    return redirect("insight:brief")
