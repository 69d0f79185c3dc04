"""The hotline's three rates by its own call-backs, with formula and n, by department; and the cases behind each number."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.cases.queries.rows import row as case_row
from jiequ.core import clock
from jiequ.core.errors import NotFound
from jiequ.doors.hotline import rules, words
from jiequ.people.access import actor_of, needs

from ..access import WATCHERS
from ..queries import hotline as queries
from ..queries.hotline import Line, Rates, Row
from ..queries.names import names_of
from .asked import Asked, asked_of, export_of, frame, whole


@needs(*WATCHERS)
@require_GET
def rates(request: HttpRequest) -> HttpResponse:
    """The three rates of one source in a period."""
    asked = asked_of(request, clock.now())
    source = queries.chosen(asked, request.GET.get("source", ""))
    context: dict[str, Any] = frame(asked) | {"source": source, "is_live": True, "least": asked.policy.compare_min_n}
    if source is not None:
        found = Rates(source, asked)
        context |= export_of(asked, "hotline", source=source.slug) | {
            "sources": [
                (one.slug, one.system.name, asked.query(source=one.slug), one.pk == source.pk)
                for one in queries.sources_for(asked)
            ],
            "lines": [_line(asked, source.slug, line) for line in found.lines()],
            "rows": [_row(asked, source.slug, row) for row in found.rows(asked.policy.compare_min_n)],
            "rates": [str(words.RATES[rate]) for rate in rules.RATES],
            "total": len(found.orders),
            "kept": [("source", source.slug)],
        }
    return render(request, "insight/hotline.html", context)


def _line(asked: Asked, slug: str, line: Line, **of: Any) -> dict[str, Any]:
    share = line.share.share
    return {
        "key": line.rate,
        "name": words.RATES[line.rate],
        "formula": words.formula(line.formula),
        "share": "—" if share is None else f"{share * 100:.1f}%",
        "above": line.share.above,
        "below": line.share.below,
        "above_url": asked.link("insight:hotline_behind", source=slug, rate=line.rate, side="above", **of),
        "below_url": asked.link("insight:hotline_behind", source=slug, rate=line.rate, side="below", **of),
    }


def _row(asked: Asked, slug: str, row: Row) -> dict[str, Any]:
    cells = [None if line is None else _line(asked, slug, line, of=row.key) for line in row.lines]
    return {"name": row.name, "orders": row.orders, "cells": cells}


@needs(*WATCHERS)
@require_GET
def behind(request: HttpRequest) -> HttpResponse:
    """The cases behind a number, newest first, a page at a time."""
    at = clock.now()
    asked = asked_of(request, at)
    question = queries.behind_of(request.GET)
    source = queries.chosen(asked, request.GET.get("source", ""))
    if source is None:
        raise NotFound("no_such_source", _("没有这个热线来源。"))
    found = Rates(source, asked)
    page = queries.behind_page(actor_of(request), found, question, before=whole(request.GET, "before"))
    above, below = found.formulas[question.rate]
    of = question.department_id
    here = {"source": source.slug, "rate": question.rate, "side": question.side, "of": of}
    context = frame(asked) | {
        "rows": [case_row(case, at) for case in page.rows],
        "rate": words.RATES[question.rate],
        "part": words.PARTS[above if question.side == "above" else below],
        "department": names_of("department", [of]).get(of, "") if of is not None else "",
        "total": page.total,
        "next_before": page.next_before,
        "is_first_page": "before" not in request.GET,
        "here": asked.query(**here),
        "back": asked.link("insight:hotline", source=source.slug),
        "now": at,
    }
    return render(request, "insight/hotline_behind.html", context)
