"""How the suggestions do: versions, runs, weeks, a version's card; learning anew, rolling back, urgent words, trying a text."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import actor_of, needs

from . import queries, running, words
from .access import KEEPERS, READERS
from .cards import card_of
from .marking import marked_parts
from .models import Cause, Kind, Learning, Version, Week
from .services import Ask, learning, suggest_type
from .services import words as urgent_words

MOST_TRIED = 2000


@needs(*READERS)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is in use and how it does, the runs, the versions that can be gone back to, the weeks with their alarms."""
    at = clock.now()
    used = queries.champions()
    context: dict[str, Any] = {
        "kinds": [_kind(kind, used.get(kind), score) for kind, score in zip(Kind, queries.scores(at), strict=True)],
        "learnings": [_learning(one) for one in queries.learnings()],
        "corrections": queries.unlearned_corrections(),
        "enough": learning.CORRECTIONS,
        "may_keep": actor_of(request).has(*KEEPERS),
        "now": at,
    }
    return render(request, "triage/home.html", context)


def _kind(kind: Kind, used: Version | None, score: queries.Score) -> dict[str, Any]:
    return {
        "key": kind.value,
        "name": words.KINDS[kind],
        "used": used,
        "score": score,
        "first_share": share(score.first_right, score.taught),
        "three_share": share(score.three_right, score.taught),
        "versions": [_version(one) for one in queries.versions(kind)],
        "weeks": [_week(one) for one in queries.weeks(kind)],
    }


def share(part: int, whole: int) -> str:
    """``92.3 %``; a dash where there is nothing to count."""
    return f"{100 * part / whole:.1f} %" if whole else "—"


def _version(one: Version) -> dict[str, Any]:
    label, tone = words.STANDINGS[one.standing]
    return {"row": one, "label": label, "tone": tone, "why": words.WHY.get(one.why, one.why)}


def _week(one: Week) -> dict[str, Any]:
    causes = [words.CAUSES_OF_ALARM.get(cause, cause) for cause in one.facts.get("causes", [])]
    return {
        "row": one,
        "first": share(one.first_right, one.taught),
        "three": share(one.three_right, one.taught),
        "sure": share(one.sure_right, one.sure),
        "causes": causes,
    }


def _learning(one: Learning) -> dict[str, Any]:
    label, tone = words.PROGRESS[one.progress]
    return {
        "row": one,
        "label": label,
        "tone": tone,
        "cause": words.CAUSES[one.cause],
        "stage": words.STAGES.get(one.stage, one.stage),
        "percent": round(100 * one.share),
        "outcome": _outcome(one),
    }


def _outcome(one: Learning) -> list[str]:
    if "why" in one.outcome:
        return [str(words.WHY.get(one.outcome["why"], one.outcome["why"]))]
    return [
        _("%(kind)s第 %(n)s 版：%(why)s")
        % {"kind": words.KINDS[kind], "n": made["number"], "why": words.WHY.get(made["why"], made["why"])}
        for kind, made in sorted(one.outcome.items(), reverse=True)
        if kind in words.KINDS
    ]


@needs(*READERS)
@require_safe
def version(request: HttpRequest, version_id: int) -> HttpResponse:
    """The model card of one version, as its trainer wrote it."""
    found = queries.version(version_id)
    if found is None:
        raise NotFound("no_such_version", _("没有这一版。"))
    may_use = actor_of(request).has(*KEEPERS) and found.standing == "kept"
    context = {"one": _version(found), "kind": words.KINDS[found.kind], "card": card_of(found), "may_use": may_use}
    return render(request, "triage/version.html", context)


@needs(*KEEPERS)
@require_POST
def learn(request: HttpRequest) -> HttpResponse:
    """A run by hand."""
    learning.ask(cause=Cause.BY_HAND, by=actor_of(request), at=clock.now())
    messages.success(request, _("已排队，学完会在这里显示。"))
    return redirect("triage:home")


@needs(*KEEPERS)
@require_POST
def use(request: HttpRequest, version_id: int) -> HttpResponse:
    """Roll back with one click."""
    used = learning.use(version_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("已启用第 %(n)s 版。七天内自动学习不会替换它。") % {"n": used.number})
    return redirect("triage:home")


@needs(*KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def urgent(request: HttpRequest) -> HttpResponse:
    """The words that make a report urgent, one a line."""
    refusal = None
    if request.method == "POST":
        try:
            shown = request.POST.get("version", "")
            version = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else -1
            urgent_words.keep(request.POST.get("words", ""), version=version, by=actor_of(request), at=clock.now())
            messages.success(request, _("已保存。"))
            return redirect("triage:urgent")
        except Refusal as told:
            refusal = told
    lines = request.POST.get("words") if refusal else urgent_words.as_lines(running.urgent_words())
    context = {"lines": lines, "refusal": refusal, "version": urgent_words.version()}
    if refusal and refusal.status == HTTPStatus.CONFLICT:
        context["now"] = urgent_words.as_lines(running.urgent_words())
    return render(request, "triage/urgent.html", context, status=refusal.status if refusal else 200)


@needs(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def try_out(request: HttpRequest) -> HttpResponse:
    """A sentence and what would be suggested for it, with the n-grams that decided. Nothing of it is kept."""
    text = request.POST.get("words", "")[:MOST_TRIED]
    context: dict[str, Any] = {"words": text}
    if text.strip():
        names = running.type_names()
        advice = suggest_type(Ask(text, at=clock.now()), among=frozenset({*names, words.OTHER}))
        context |= {
            "advice": advice,
            "choices": [_choice(one, names) for one in advice.choices],
            "parts": marked_parts(text, advice.marks),
        }
    return render(request, "triage/try.html", context)


def _choice(one: Any, names: Mapping[str, str]) -> dict[str, Any]:
    told = [words.reason_words(reason, lambda code: names.get(code, code)) for reason in one.reasons]
    return {
        "name": names.get(one.code) or words.type_name(one.code),
        "percent": round(100 * one.confidence),
        "reasons": [said for said in told if said],
    }
