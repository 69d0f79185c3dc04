"""督办台: what the supervisor and the leaders watch, each number with the cases behind it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.cases.queries import supervise
from jiequ.cases.queries.rows import row as case_row
from jiequ.core import clock
from jiequ.core.errors import NotFound
from jiequ.people.access import actor_of, needs

from ..access import WATCHERS
from ..queries import board as boards
from ..queries.names import group_words, names_of
from ..words import light_words, matter_word
from .asked import Asked, asked_of, export_of, frame, whole

TONES = {"red": "red", "yellow": "yellow"}


@needs(*WATCHERS)
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The board of a street or the district: what is open now, and what happened in the period (a week by default)."""
    actor, at = actor_of(request), clock.now()
    asked = asked_of(request, at, kind="week")
    scope = boards.scope_of(asked.streets, asked.period, at=at, actor=actor)
    found = boards.board(scope)
    context = (
        frame(asked)
        | export_of(asked, "board")
        | {
            "is_live": True,
            "lights": [_figure(asked, f"light_{light}", n) for light, n in found.all.items()],
            "sections": [_section(asked, found, title, names) for title, names in _sections()],
            "reasons": [_figure(asked, f"return_{code}", n) for code, n in sorted(found.reasons.items())],
            "groups": [_group(asked, name, words, found.groups[name]) for name, words in group_words().items()],
            "rows": [case_row(case, at) | {"is_urged": case.is_urged} for case in found.reddest],  # type: ignore[attr-defined]
            "red": found.all["red"],
            "red_url": _url(asked, "light_red"),
            "lost": found.lost,
            "lost_url": _url(asked, "undelivered"),
            "here": request.get_full_path(),
            "now": at,
        }
    )
    return render(request, "insight/board.html", context)


def _sections() -> list[tuple[str, tuple[str, ...]]]:
    return [
        (_("要紧的"), ("unsolved", "decide", "urgent", "repeated", "undelivered")),
        (_("督办"), ("urge_overdue", "urge_open", "urge_answered")),
        (_("抽查"), ("sample_open", "sample_unsound", "sample_sound")),
        (_("退单"), ("returned", "bounce_near")),
    ]


_BAD = frozenset({"unsolved", "urge_overdue", "sample_unsound", "bounce_near", "undelivered", "light_red"})
_IN_PERIOD = frozenset({"unsolved", "urge_answered", "sample_sound", "sample_unsound"})


def _section(asked: Asked, found: boards.Board, title: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {"title": title, "figures": [_figure(asked, name, found.counts[name]) for name in names]}


def _figure(asked: Asked, name: str, n: int) -> dict[str, Any]:
    tone = "red" if name in _BAD and n else "yellow" if name == "light_yellow" and n else ""
    is_past = name in _IN_PERIOD or name.startswith("return_")
    return {"name": name, "word": matter_word(name), "n": n, "url": _url(asked, name), "tone": tone, "in_period": is_past}


def _url(asked: Asked, name: str, **more: Any) -> str:
    return asked.link("insight:matter", name, **more)


def _group(asked: Asked, name: str, words: str, rows: list[boards.Lights]) -> dict[str, Any]:
    shown = [
        {
            "name": row.name,
            "total": row.total,
            "cells": [
                {"light": light, "n": n, "url": _url(asked, f"light_{light}", group=name, of=row.key)}
                for light, n in row.lights.items()
            ],
        }
        for row in rows
    ]
    return {"key": name, "words": words, "rows": shown, "lights": [light_words()[x] for x in supervise.LIGHT_KEYS]}


@needs(*WATCHERS)
@require_GET
def matter(request: HttpRequest, name: str) -> HttpResponse:
    """The cases behind a number of the board or the brief, newest first, a page at a time."""
    actor, at = actor_of(request), clock.now()
    asked = asked_of(request, at, kind="week")
    scope = boards.scope_of(asked.streets, asked.period, at=at, actor=actor)
    group, key = request.GET.get("group", ""), whole(request.GET, "of") or 0
    rows = supervise.matter(name, scope, group=group, key=key)
    if rows is None or (group and group not in supervise.GROUPS):
        raise NotFound("no_such_matter", _("没有这一项。"))
    page = supervise.matter_page(rows, before=whole(request.GET, "before"))
    place = {"group": group, "of": key if group else ""}
    context = (
        frame(asked)
        | export_of(asked, "matter", name=name, **place)
        | {
            "title": matter_word(name),
            "name": name,
            "group_name": names_of(group, [key]).get(key, "") if group else "",
            "rows": [case_row(case, at) for case in page.rows],
            "total": rows.count(),
            "next_before": page.next_before,
            "is_first_page": "before" not in request.GET,
            "here": asked.query(**place),
            "in_period": name in _IN_PERIOD or name.startswith("return_"),
            "back": asked.link("insight:board"),
            "may_urge": name.startswith(("light_", "urge_")) or name in {"urgent", "repeated", "returned", "bounce_near"},
            "path": request.get_full_path(),
            "now": at,
        }
    )
    return render(request, "insight/matter.html", context)
