"""The hotline's own door: orders, answers, call-backs, each done once. The key stands in ``Authorization: Bearer``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jiequ.core import clock, throttle
from jiequ.core.errors import Refusal, Taken, Unauthenticated
from jiequ.core.http import Malformed, WrongType
from jiequ.core.worktime import ZONE
from jiequ.people.access import with_token

from . import services
from .models import Source
from .services import messages
from .services.receiving import Received, flattened

CALLS_A_MINUTE = 600  # (P)
JSON = "application/json"


class Paused(Refusal):
    """The source is paused: come back later."""

    status = 503


def _door(view: Callable[[HttpRequest, Source, dict[str, str]], HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST of one JSON object by the source whose key it carries; no cookie opens it."""

    @csrf_exempt
    @with_token
    @require_POST
    def opened(request: HttpRequest, key: str) -> HttpResponse:
        source = _source(request, key)
        answer = view(request, source, _cells(request))
        answer["Cache-Control"] = "private, no-store"
        return answer

    opened.__name__, opened.__doc__ = view.__name__, view.__doc__
    return opened


def _source(request: HttpRequest, slug: str) -> Source:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("token_missing", _("请在 Authorization 请求头里带上 Bearer 令牌。"))
    source = services.source_of_token(token.strip()[:200], slug=slug)
    throttle.take(throttle.bucket("hotline", source.pk), capacity=CALLS_A_MINUTE, per_seconds=60, at=clock.now())
    if source.paused_at is not None:
        raise Paused("paused", _("这个来源已暂停，请稍后再发。"), facts={"retry_after_seconds": 600})
    return source


def _cells(request: HttpRequest) -> dict[str, str]:
    if request.content_type != JSON:
        raise WrongType("wrong_type", _("请用 JSON 发送。"), facts={"accepted": [JSON]})
    try:
        given: Any = json.loads(request.body)
        return flattened(given)
    except (ValueError, RecursionError, AttributeError):
        raise Malformed("bad_json", _("内容不是有效的 JSON 对象。")) from None


@_door
def orders(request: HttpRequest, source: Source, cells: dict[str, str]) -> HttpResponse:
    """One order: 201 with its case, alike for a repeat; 422 with the reason; 409 where its number has another content."""
    at = clock.now()
    got = services.receive(services.Reader(source, at=at), cells, at=at)
    if got.outcome == "refused":
        raise Refusal("order_refused", got.reason, facts={"number": got.row.number})
    if got.outcome == "update":
        words = _("这个单号先前来过，内容不同；已交受理台决定，没有改动案件。")
        raise Taken("order_changed", words, facts={"number": got.row.number})
    return JsonResponse(_told(got), status=201)


def _told(got: Received) -> dict[str, Any]:
    return {
        "ok": True,
        "number": got.row.number,
        "case": got.case.number if got.case else None,
        "received_at": got.row.first_at.astimezone(ZONE).isoformat(),
        "due_at": got.row.due_at.astimezone(ZONE).isoformat() if got.row.due_at else None,
    }


@_door
def answers(request: HttpRequest, source: Source, cells: dict[str, str]) -> HttpResponse:
    """An answer to a return, an extension or a closing: done once, and only now does the case move."""
    letter = services.answer(source, messages.answer_of(cells), at=clock.now())
    return JsonResponse({"ok": True, "ask": letter.key, "granted": letter.answer == "yes"})


@_door
def visits(request: HttpRequest, source: Source, cells: dict[str, str]) -> HttpResponse:
    """A call-back's result."""
    at = clock.now()
    visit, _is_new = services.record_visit(source, messages.said_of(cells, at), at=at)
    return JsonResponse({"ok": True, "visit": visit.ref}, status=201)
