"""评价: every indicator with its formula and n; one of them over time and compared; the cases behind each figure."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.cases.queries.rows import row as case_row
from jiequ.core import clock
from jiequ.core.errors import NotFound
from jiequ.people.access import actor_of, needs

from ..access import WATCHERS
from ..catalogue import BASES, COMMON, FAMILIES, STRENGTHS, Indicator, Reading, Strength
from ..models import Group
from ..queries import asking, figures, sheets
from ..queries.figures import Rate
from ..queries.names import group_words, names_of
from ..words import part_words
from .asked import Asked, asked_of, day_of, export_of, frame


@needs(*WATCHERS)
@require_GET
def indicators(request: HttpRequest) -> HttpResponse:
    """Every indicator of a street (or the district) and period; what residents say comes first."""
    at = clock.now()
    asked = asked_of(request, at)
    rows = sheets.lines(asked.street_ids, asked.period, asked.policy)
    context = (
        frame(asked)
        | export_of(asked, "indicators")
        | {
            "families": [
                {"key": f.key, "name": f.name, "lines": [_line(asked, line) for line in rows[f.key]]} for f in FAMILIES
            ],
            "rated": _share(sheets.sums_of_lines(rows)),
            "common": COMMON,
            "counted_at": figures.counted_at(),
            "check": figures.last_check(),
            "now": at,
        }
    )
    return render(request, "insight/indicators.html", context)


def _line(asked: Asked, line: sheets.Line) -> dict[str, Any]:
    indicator, reading = line.indicator, line.reading
    return _reading(asked, indicator, reading, line.rate) | {
        "key": indicator.key,
        "name": indicator.name,
        "is_bad": indicator.is_bad,
        "is_rated_share": indicator.key == "rated_share",
        "is_chosen": line.is_chosen,
        "has_readings": len(indicator.readings) > 1,
        "url": asked.link("insight:indicator", indicator.key, reading=reading.key),
        "notes": indicator.notes,
    }


def _reading(asked: Asked, indicator: Indicator, reading: Reading, rate: Rate) -> dict[str, Any]:
    strength = reading.strength or indicator.strength
    return {
        "reading": reading.key,
        "formula": reading.formula,
        "basis": BASES[reading.basis],
        "strength": STRENGTHS[strength],
        "is_unverified": strength == Strength.NO,
        "share": _share(rate),
        "above": rate.above,
        "below": rate.below,
        "above_url": asked.link("insight:behind", part=reading.above),
        "below_url": asked.link("insight:behind", part=reading.below),
    }


def _share(rate: Rate) -> str:
    return "—" if rate.share is None else f"{rate.share * 100:.1f}%"


@needs(*WATCHERS)
@require_GET
def indicator(request: HttpRequest, name: str) -> HttpResponse:
    """One indicator: its readings, how it went, and compared by department, community or type."""
    found = sheets.indicator_of(name)
    if found is None:
        raise NotFound("no_such_indicator", _("没有这个指标。"))
    asked = asked_of(request, clock.now())
    reading = found.reading(request.GET.get("reading", "") or sheets.chosen(found, asked.policy).key)
    groups = sheets.groups_of(found)
    by = request.GET.get("by", "")
    group = by if by in groups else groups[0]
    least = asked.policy.compare_min_n
    sums = figures.sums(asked.street_ids, asked.period, [reading.above, reading.below, "rated", "asked"])
    steps = sheets.trend(asked.street_ids, asked.period, reading)
    context = frame(asked) | {
        "indicator": found,
        "readings": [
            {
                "key": one.key,
                "formula": one.formula,
                "is_current": one == reading,
                "query": asked.query(reading=one.key, by=group),
            }
            for one in found.readings
        ],
        "current": _reading(asked, found, reading, figures.rate_of(sums, reading)),
        "rated": _share(Rate(sums["rated"], sums["asked"])),
        "rated_of": (sums["rated"], sums["asked"]),
        "groups": [
            (name, words, asked.query(reading=reading.key, by=name)) for name, words in group_words().items() if name in groups
        ],
        "group": group,
        "group_word": group_words()[group],
        "least": least,
        "rows": [
            _compared(asked, reading, group, one)
            for one in sheets.compared(asked.street_ids, asked.period, reading, group, least=least)
        ],
        "steps": [{"day": day, "share": _share(rate), "above": rate.above, "below": rate.below} for day, rate in steps],
        "chart": _chart(steps, str(found.name)),
        "step": {"day": _("每天"), "week": _("每周"), "month": _("每月")}[asked.period.step],
        "common": COMMON,
        "kept": [("reading", reading.key), ("by", group)],
        "counted_at": figures.counted_at(),
    }
    return render(request, "insight/indicator.html", context)


def _compared(asked: Asked, reading: Reading, group: str, row: sheets.Compared) -> dict[str, Any]:
    place = {"group": group, "of": row.key}
    return {
        "name": row.name,
        "below": row.below,
        "above": row.rate.above if row.rate else None,
        "share": _share(row.rate) if row.rate else "",
        "bar": round(row.rate.share * 100) if row.rate and row.rate.share is not None else 0,
        "rated": _share(row.rated),
        "rated_of": f"{row.rated.above}/{row.rated.below}",
        "above_url": asked.link("insight:behind", part=reading.above, **place),
        "below_url": asked.link("insight:behind", part=reading.below, **place),
    }


def _chart(steps: list[tuple[date, Rate]], name: str) -> dict[str, Any]:
    """What the script draws: days, shares in per cent (null where nothing is below the line), and n."""
    return {
        "name": name,
        "n": _("件数"),
        "days": [day.isoformat() for day, _rate in steps],
        "shares": [None if rate.share is None else round(rate.share * 100, 1) for _day, rate in steps],
        "below": [rate.below for _day, rate in steps],
    }


@needs(*WATCHERS)
@require_GET
def behind(request: HttpRequest) -> HttpResponse:
    """The cases behind a figure, newest first, a page at a time."""
    at = clock.now()
    asked = asked_of(request, at)
    question = asking.behind(asked, request.GET)
    page = figures.behind_page(actor_of(request), question, after=_after(request))
    group = question.group
    name = names_of(group, [question.key]).get(question.key, "") if group != Group.ALL else ""
    place = {"part": question.part, "group": group if name else "", "of": question.key if name else ""}
    context = (
        frame(asked)
        | export_of(asked, "behind", **place)
        | {
            "rows": [case_row(case, at) for case in page.rows],
            "part": part_words()[question.part],
            "group_name": name,
            "total": figures.total(question),
            "next_after": f"{page.next_after[0].isoformat()}~{page.next_after[1]}" if page.next_after else "",
            "is_first_page": "after" not in request.GET,
            "here": asked.query(**place),
            "now": at,
        }
    )
    return render(request, "insight/behind.html", context)


def _after(request: HttpRequest) -> tuple[date, int] | None:
    text = request.GET.get("after", "")
    day, _sep, pk = text.partition("~")
    if not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
        return None
    found = day_of({"after": day}, "after")
    return (found, int(pk)) if found else None
