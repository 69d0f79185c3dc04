"""Why something is suggested for a case, and what a language model makes of it where the district runs one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jiequ.core import clock, outgoing_words
from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Actor, Role
from jiequ.triage import services as triage

from ..access import case_for
from ..models import Case, CaseEvent
from ..queries import advice
from ..queries.page import said_by
from ..queries.similar import closed_like
from ..words import MOVES
from . import present
from .moves import case_url

READERS = (Role.ACCEPTOR, Role.DISPATCHER, Role.DUTY_LEADER, Role.LEADER)
FAULTS = {
    **outgoing_words.FAULTS,
    "off": gettext_lazy("没有配置语言模型"),
    "busy": gettext_lazy("语言模型正忙，请稍后再试"),
    "bad_answer": gettext_lazy("语言模型的回答不能用"),
    "not_in_list": gettext_lazy("语言模型的回答不在候选里，没有采用"),
    "nothing_said": gettext_lazy("这件没有文字"),
}


@needs(*READERS)
@require_safe
def why(request: HttpRequest, number: str) -> HttpResponse:
    """The words with what decided marked in them, the suggestions with their reasons, and the three most similar closed."""
    actor = actor_of(request)
    return render(request, "cases/why.html", _context(actor, case_for(actor, number)))


def _context(actor: Actor, case: Case) -> dict[str, Any]:
    at = clock.now()
    words = advice.words_of(list(case.reports.order_by("pk")))
    ask, among = advice.ask_of(case, words), frozenset({*advice.types_by_code(), advice.OTHER})
    first = triage.suggest_type(ask, among=among)
    closed = closed_like(case, [one.code for one in first.choices], actor)
    rows = [(number, one.words, one.type_code) for number, one in closed.items()]
    told = triage.explain(ask, closed=rows, among=among)
    like = [(closed[one.key], one.likeness) for one in told.similar if one.key in closed]
    return {
        "case": case,
        "words": words,
        "parts": triage.marked_parts(words, told.marks),
        "offer": _only_read(advice.offer_of(told)),
        "similar": [
            present.row(one.case, at)
            | {
                "said": said_by(one.words, is_desk=True),
                "likeness": round(100 * likeness),
                "lead": present.named(one.case.lead),
            }
            for one, likeness in like
        ],
        "has_model": triage.language_is_on(),
        "back_url": case_url(case.number),
    }


def _only_read(offer: advice.Offer | None) -> advice.Offer | None:
    """On this page nothing is filled in: the offer is only read."""
    return replace(offer, level=triage.Level.CHOICES) if offer else None


@needs(*READERS)
@require_POST
def ask_model(request: HttpRequest, number: str) -> HttpResponse:
    """One question to the district's language model, in no transaction; its answer is a draft on the page and kept nowhere."""
    actor = actor_of(request)
    case = case_for(actor, number)
    context = _context(actor, case)
    what = request.POST.get("what", "")
    try:
        context["told"] = _told(what, case, context)
    except triage.NoAnswer as none:
        context["refusal"] = Refusal("no_model_answer", str(FAULTS.get(none.code, FAULTS["bad_answer"])))
        return render(request, "cases/why.html", context, status=422)
    return render(request, "cases/why.html", context)


def _told(what: str, case: Case, context: dict[str, Any]) -> dict[str, str]:
    words = context["words"]
    if not words.strip():
        raise triage.NoAnswer("nothing_said")
    if what == "summary":
        return {"title": _("一句话"), "text": triage.summary(words)}
    if what == "type":
        kinds = advice.types_by_code()
        found = triage.suggest_type(advice.ask_of(case, words), among=frozenset(kinds))
        named = [(one.code, advice.name_of(one.code, kinds)) for one in found.choices]
        return {"title": _("三个里更像"), "text": dict(named)[triage.tie_break(words, named)]}
    if what == "reply":
        return {"title": _("拟的答复，发出前请核对"), "text": triage.draft_reply(words, _facts(case))}
    raise Refusal("unknown_question", _("请选择要问什么。"), facts={"field": "what"})


def _facts(case: Case) -> list[str]:
    """What a reply may say: the steps that were taken by their days, and what was done; not what was said among staff."""
    steps = case.events.filter(move__in=["accept", "dispatch", "handle", "check_pass"]).order_by("pk")
    return [f"{event.at.astimezone(ZONE):%Y-%m-%d} {MOVES[event.move]} {_done(event)}".strip() for event in steps]


def _done(event: CaseEvent) -> str:
    return event.text if event.move == "handle" else ""
