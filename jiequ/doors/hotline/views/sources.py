"""The system administrator's pages: hotlines, each with its ways, its map tried on a sample, and its log."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.cases.queries.types import said
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import rules, services, words
from ..models import Letter, Order, Source, WayOut
from ..queries import orders as queries
from ..services import letters, previewing
from ..services import sources as acts

SHOWN_OF_LOG = 8


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def sources(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one. No key of the form is kept: the answer holds the source's key."""
    if request.method != "POST":
        return _list(request, None)
    street = request.POST.get("street", "")
    try:
        source, token = services.make_source(
            name=request.POST.get("name", ""),
            slug=request.POST.get("slug", "").strip(),
            street_id=whole(street, 9),
            is_trusted=request.POST.get("is_trusted") == "on",
            by=actor_of(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return _list(request, refusal)
    return _key(request, source, token)


def _list(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    context = {
        "rows": [{"source": row, "street": _street(row), "way": row.get_way_out_display()} for row in queries.sources()],
        "streets": [(one.pk, said(one.name_zh, one.name_en)) for one in _streets()],
        "given": request.POST,
        "refusal": refusal,
    }
    return render(request, "hotline/sources.html", context, status=refusal.status if refusal else 200)


def _streets() -> QuerySet[Street]:
    return Street.objects.filter(is_active=True).order_by("code9")


def _street(source: Source) -> str:
    street = source.system.street
    return said(street.name_zh, street.name_en) if street else _("全区")


@needs(Role.SYSTEM_ADMIN)
@require_safe
def source(request: HttpRequest, source_id: int) -> HttpResponse:
    """One: its ways, its map, the last of its log."""
    return _page(request, acts.source_by_id(source_id))


def _page(request: HttpRequest, source: Source, refusal: Refusal | None = None, **more: Any) -> HttpResponse:
    page = queries.log_page(source)
    context: dict[str, Any] = {
        "source": source,
        "street": _street(source),
        "orders_url": request.build_absolute_uri(reverse("hotline:orders", args=[source.slug])),
        "folder": letters.folder_of(source),
        "ways": WayOut.choices,
        "formulas": _formulas(source, request),
        "scores": [1, 2, 3, 4, 5],
        "map_text": source.map_text,
        "map_rows": min(40, source.map_text.count("\n") + 3),
        "rows": [_order(row) for row in page.rows[:SHOWN_OF_LOG]],
        "letters": [_letter(row) for row in queries.last_letters(source)],
        "given": request.POST,
        "refusal": refusal,
    }
    return render(request, "hotline/source.html", context | more, status=refusal.status if refusal else 200)


def _formulas(source: Source, request: HttpRequest) -> list[dict[str, Any]]:
    """The three rates with what may stand above and below the line; a form that was refused keeps what was chosen."""
    chosen = rules.formulas_of(source.formulas)
    return [
        {
            "key": rate,
            "name": words.RATES[rate],
            "above": [(part, words.PARTS[part]) for part in rules.ABOVE[rate]],
            "below": [(part, words.PARTS[part]) for part in rules.BELOW[rate]],
            "is_above": request.POST.get(f"{rate}_above") or chosen[rate][0],
            "is_below": request.POST.get(f"{rate}_below") or chosen[rate][1],
        }
        for rate in rules.RATES
    ]


def _order(order: Order) -> dict[str, Any]:
    return {
        "order": order,
        "state": words.order_state(order),
        "tone": words.ORDER_TONES[order.state],
        "case": order.case.number if order.case else "",
        "may_retry": order.state == Order.State.REFUSED,
    }


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "letter": letter,
        "kind": letter.get_kind_display(),
        "case": letter.case.number if letter.case else "",
        "state": letter.get_state_display(),
        "tone": words.LETTER_TONES[letter.state],
        "fault": words.FAULTS.get(letter.error, letter.error),
        "answer": words.answer_words(letter),
        "is_lost": letter.state == Letter.State.NOT_DELIVERED,
    }


@needs(Role.SYSTEM_ADMIN)
@require_POST
def ways(request: HttpRequest, source_id: int) -> HttpResponse:
    """How orders come and letters go, the return window, the formulas."""
    found = acts.source_by_id(source_id)
    given = request.POST.dict() | {"takes_files": request.POST.get("takes_files") == "on"}
    try:
        services.change_source(found, given, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return _page(request, found, refusal)
    messages.success(request, _("已保存。"))
    return redirect("hotline:source", found.pk)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def mapping(request: HttpRequest, source_id: int) -> HttpResponse:
    """``act`` try: read the sample by the map as it stands in the form, store nothing; save: keep the map."""
    found, at = acts.source_by_id(source_id), clock.now()
    text, sample = request.POST.get("map_text", "").replace("\r\n", "\n"), request.POST.get("sample", "")
    typed: dict[str, Any] = {"map_text": text, "map_rows": min(40, text.count("\n") + 3), "sample": sample}
    try:
        if request.POST.get("act") == "try":
            return _page(request, found, preview=previewing.preview(found, text, sample, at=at), **typed)
        services.save_map(found, text, by=actor_of(request), at=at)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return _page(request, found, refusal, **typed)
    messages.success(request, _("映射已保存，下一张工单起按它读。"))
    return redirect("hotline:source", found.pk)


@needs(Role.SYSTEM_ADMIN)
@require_safe
def log(request: HttpRequest, source_id: int) -> HttpResponse:
    """The orders as they came, with why one was not taken; keyset pages."""
    found = acts.source_by_id(source_id)
    before, state = request.GET.get("before", ""), request.GET.get("state", "")
    last = whole(before)
    page = queries.log_page(found, state=state, before=last)
    context = {
        "source": found,
        "rows": [_order(row) for row in page.rows],
        "next_before": page.next_before,
        "is_first_page": last is None,
        "states": Order.State.choices,
        "chosen": state if state in Order.State.values else "",
    }
    return render(request, "hotline/log.html", context)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def renew(request: HttpRequest, source_id: int) -> HttpResponse:
    """Another key, shown this once; the one before stops."""
    found = acts.source_by_id(source_id)
    return _key(request, found, services.renew_key(found, by=actor_of(request), at=clock.now()))


@needs(Role.SYSTEM_ADMIN)
@require_POST
def pause(request: HttpRequest, source_id: int) -> HttpResponse:
    """Pause, or go on after a pause."""
    found, by, at = acts.source_by_id(source_id), actor_of(request), clock.now()
    if request.POST.get("act") == "resume":
        services.resume(found, by=by, at=at)
        messages.success(request, _("已恢复，等待的马上发出。"))
    else:
        services.pause(found, by=by, at=at)
        messages.success(request, _("已暂停：不收工单，也不发去件。"))
    return redirect("hotline:source", found.pk)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def ping(request: HttpRequest, source_id: int) -> HttpResponse:
    """A test letter."""
    found = acts.source_by_id(source_id)
    try:
        services.ping(found, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return _page(request, found, refusal)
    messages.success(request, _("测试已发出，几秒后刷新看结果。"))
    return redirect("hotline:source", found.pk)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def again(request: HttpRequest, order_id: int) -> HttpResponse:
    """A refused order once more, by the map as it is now."""
    row = Order.objects.select_related("source__system__street", "case").filter(pk=order_id).first()
    if row is None:
        raise NotFound("no_such_order", _("没有这张工单。"))
    try:
        got = services.try_again(row, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return _page(request, row.source, refusal)
    if got.outcome == "refused":
        messages.error(request, _("还是不收：%(why)s") % {"why": got.reason})
    else:
        messages.success(request, _("已收，案件 %(number)s。") % {"number": got.case.number if got.case else ""})
    return redirect("hotline:source", row.source_id)


def _key(request: HttpRequest, source: Source, token: str) -> HttpResponse:
    orders_url = request.build_absolute_uri(reverse("hotline:orders", args=[source.slug]))
    answer = render(request, "hotline/key.html", {"source": source, "token": token, "orders_url": orders_url})
    answer["Cache-Control"] = "no-store"
    return answer
