"""The desk's page of one case: what everybody may read of it, and which other server it is handed to."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.cases.access import case_for
from jiequ.cases.models import Case, Proof
from jiequ.cases.queries.rows import type_name
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.numbers import whole, wholes
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs

from ..models import Direction, Mapping, Mirror, Partner, Publication, PublishedPhoto, Push
from ..queries import requests
from ..services import pushing
from ..services.publishing import PUBLISHERS, WORDS_MAX
from ..services.publishing import publish as publish_case
from .partners import fault_words


@needs(*PUBLISHERS)
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """A field for a case's number."""
    number = request.GET.get("number", "").strip().upper()
    if number:
        try:
            return redirect("open311:publish", case_for(actor_of(request), number).number)
        except NotFound as refusal:
            context = {"number": number, "refusal": refusal}
            return render(request, "open311/publish_find.html", context, status=404)
    return render(request, "open311/publish_find.html", {"number": ""})


@needs(*PUBLISHERS)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def publish(request: HttpRequest, number: str) -> HttpResponse:
    """What everybody reads of this case, and a form to change it."""
    by = actor_of(request)
    case = case_for(by, number)
    if request.method != "POST":
        return _page(request, case, None)
    photos = wholes(request.POST.getlist("photos"))
    try:
        publish_case(case, words=request.POST.get("words", ""), photo_ids=photos, by=by, at=clock.now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, case, refusal)
    messages.success(request, _("已保存，任何人读到的就是这些。"))
    return redirect("open311:publish", case.number)


@needs(*PUBLISHERS)
@require_POST
@idempotent
def push(request: HttpRequest, number: str) -> HttpResponse:
    """Hand the case to another server."""
    by = actor_of(request)
    case = case_for(by, number)
    text = request.POST.get("partner", "")
    try:
        pushing.choose(
            case,
            partner_id=whole(text) or 0,
            description=request.POST.get("description", ""),
            by=by,
            at=clock.now(),
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, case, refusal)
    messages.success(request, _("已交给后台送出。"))
    return redirect("open311:publish", case.number)


def _page(request: HttpRequest, case: Case, refusal: Refusal | None) -> HttpResponse:
    at_large = requests.read(requests.published(case.street_id).filter(pk=case.pk), most=1).rows
    chosen = set(PublishedPhoto.objects.filter(case=case).values_list("proof_id", flat=True))
    publication = Publication.objects.filter(case=case).first()
    proofs = Proof.objects.filter(case=case, picture__isnull=False)
    context: dict[str, Any] = {
        "case": case,
        "name": type_name(case),
        "told": _told(at_large[0]) if at_large else [],
        "is_shut": case.is_confidential or case.is_suspect,
        "words": request.POST.get("words")
        if refusal and "words" in request.POST
        else (publication.words if publication else ""),
        "words_max": WORDS_MAX,
        "photos": [_photo(case, proof, proof.pk in chosen) for proof in proofs],
        "mirrors": [_mirror(one) for one in Mirror.objects.filter(case=case).select_related("partner")],
        "partners": _partners(case),
        "given": request.POST,
        "description": request.POST.get("description") or pushing.offered_words(case),
        "refusal": refusal,
    }
    return render(request, "open311/publish.html", context, status=refusal.status if refusal else 200)


def _told(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in row.items() if value is not None]


def _photo(case: Case, proof: Proof, is_chosen: bool) -> dict[str, Any]:
    phases = {"report": _("上报"), "before": _("处置前"), "process": _("现场"), "after": _("处置后"), "check": _("核查")}
    return {
        "id": proof.pk,
        "thumb": reverse("cases:picture", args=[case.number, proof.pk, "thumb"]),
        "url": reverse("cases:picture", args=[case.number, proof.pk, "full"]),
        "phase": phases[proof.phase],
        "is_chosen": is_chosen,
    }


def _mirror(one: Mirror) -> dict[str, Any]:
    words = {
        Mirror.State.WAITING: (_("正在送"), "wait"),
        Mirror.State.TOKEN: (_("对方已收，等编号"), "wait"),
        Mirror.State.KNOWN: (_("两边对上了"), "done"),
        Mirror.State.FAILED: (_("没有送成"), "stop"),
    }
    state, tone = words[Mirror.State(one.state)]
    why = fault_words(one.error) if one.error else ""
    return {"mirror": one, "state": state, "tone": tone, "way": Direction(one.direction).label, "why": why}


def _partners(case: Case) -> list[tuple[int, str]]:
    """The servers that this case may be handed to: of its street, with its type mapped. A paused one has it once it goes on."""
    if case.event_type_id is None or case.is_confidential or case.is_suspect:
        return []
    mapped = Mapping.objects.filter(direction=Direction.OUT, event_type_id=case.event_type_id).values("partner_id")
    rows = Partner.objects.filter(street_id=case.street_id, ended_at=None, pk__in=mapped).exclude(push=Push.NEVER)
    rows = rows.exclude(mirrors__case=case)
    return list(rows.order_by("name").values_list("pk", "name"))
