"""评价: every indicator with its formula and n; one of them over time and compared; the cases behind each figure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.cases.queries.rows import row as case_row
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import actor_of, needs

from ..access import WATCHERS
from ..catalogue import BASES, COMMON, FAMILIES, STRENGTHS, Indicator, Reading, Strength
from ..models import Group
from ..queries import figures, sheets
from ..queries.figures import Rate
from ..queries.names import group_words, names_of
from ..rules import BASIS_OF
from .asked import Asked, asked_of, day_of, frame, whole


@needs(*WATCHERS)
@require_GET
def indicators(request: HttpRequest) -> HttpResponse:
    """Every indicator of a street (or the district) and period; what residents say comes first."""
    at = clock.now()
    asked = asked_of(request, at)
    rows = sheets.lines(asked.street_ids, asked.period, asked.policy)
    context = frame(asked) | {
        "families": [{"key": f.key, "name": f.name, "lines": [_line(asked, line) for line in rows[f.key]]} for f in FAMILIES],
        "rated": _share(sheets.sums_of_lines(rows)),
        "common": COMMON,
        "counted_at": figures.counted_at(),
        "check": figures.last_check(),
        "now": at,
    }
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
    question = behind_of(asked, request.GET)
    page = figures.behind_page(actor_of(request), question, after=_after(request))
    group = question.group
    name = names_of(group, [question.key]).get(question.key, "") if group != Group.ALL else ""
    context = frame(asked) | {
        "rows": [case_row(case, at) for case in page.rows],
        "part": part_words()[question.part],
        "group_name": name,
        "total": figures.total(question),
        "next_after": f"{page.next_after[0].isoformat()}~{page.next_after[1]}" if page.next_after else "",
        "is_first_page": "after" not in request.GET,
        "here": asked.query(part=question.part, group=group if name else "", of=question.key if name else ""),
        "now": at,
    }
    return render(request, "insight/behind.html", context)


def behind_of(asked: Asked, data: Mapping[str, Any]) -> figures.Behind:
    """The figure that is asked for; Refusal for a part or group that does not exist."""
    part, group = str(data.get("part", "")), str(data.get("group") or Group.ALL)
    if part not in BASIS_OF or group not in Group.values:
        raise Refusal("no_such_figure", _("没有这个数。"), facts={"field": "part"})
    return figures.Behind(asked.street_ids, asked.period, part, group, whole(data, "of") or 0)


def _after(request: HttpRequest) -> tuple[date, int] | None:
    text = request.GET.get("after", "")
    day, _sep, pk = text.partition("~")
    if not (pk.isascii() and pk.isdigit() and len(pk) <= 18):
        return None
    found = day_of({"after": day}, "after")
    return (found, int(pk)) if found else None


def part_words() -> dict[str, str]:
    """What the cases behind a figure have in common, in words."""
    return {
        "reported": _("上报的"),
        "valid": _("有效上报的（立案或作废）"),
        "verify_due": _("应核实的"),
        "verify_ontime": _("按时核实的"),
        "filed": _("立案的"),
        "filed_ontime": _("按时立案的"),
        "filed_kept": _("立案后没有作废的"),
        "filed_public": _("公众举报并立案的"),
        "missed": _("公众举报而巡查没有上报的"),
        "found_first": _("街道先于居民发现的"),
        "dispatch_due": _("应派遣的"),
        "dispatch_ontime": _("按时派遣的"),
        "dispatch_clean": _("应派遣而没有返工的"),
        "sent": _("派遣过的"),
        "sent_once": _("只派过一个主办部门的"),
        "hotline_sent": _("热线工单，已派单的"),
        "hotline_accepted": _("热线工单，按时受理的"),
        "hotline_acknowledged": _("热线工单，按时接单的"),
        "handle_due": _("应处置的"),
        "handle_done": _("已处置的"),
        "handle_timed": _("应处置的，扣除申诉成立的"),
        "handle_ontime": _("按时处置的"),
        "worked": _("处置过的"),
        "reworked": _("返工过的"),
        "check_due": _("应核查的"),
        "check_ontime": _("按时核查的"),
        "close_due": _("应结案的"),
        "close_done": _("应结案而已结案的"),
        "close_timed": _("应结案的，扣除申诉成立的"),
        "close_ontime": _("按期结案的"),
        "close_plain": _("应结案的，扣除缓办和申诉成立的"),
        "close_plain_ontime": _("按期结案的，扣除缓办"),
        "turned_late": _("超期的"),
        "closed": _("结案的"),
        "closed_worked": _("正常结案的"),
        "passed_once": _("一次核查通过的"),
        "asked": _("居民反映并已结案的"),
        "rated": _("居民评价过的"),
        "unsolved": _("居民说未解决的"),
        "solved": _("居民说解决的"),
        "satisfied": _("居民满意的"),
        "visited": _("热线工单，评价或回访过的"),
        "visited_solved": _("热线工单，说已解决的"),
        "visited_satisfied": _("热线工单，说满意的"),
        "called": _("热线工单，电话回访过的"),
        "called_solved": _("热线工单，电话回访说已解决的"),
        "called_satisfied": _("热线工单，电话回访说满意的"),
    }
