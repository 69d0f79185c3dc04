"""The register of permits and masks: the list, a file that is read and shown before it counts, one with its versions."""

from __future__ import annotations

import json
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.grid.models import System
from jiequ.people.access import actor_of, needs

from .. import access
from ..models import PermitKind
from ..queries import permits as queries
from ..services import permits as services
from .imagery import number, page


@needs(*access.VIEWERS)
@require_http_methods(["GET", "HEAD", "POST"])
def permits(request: HttpRequest) -> HttpResponse:
    """Those in force; POST reads a file and shows what taking it over would do."""
    street = access.street_for(actor_of(request), number(request, "street"))
    refusal = None
    if request.method == "POST":
        try:
            return _read(request, street)
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    kind, words = request.GET.get("kind", ""), request.GET.get("q", "").strip()
    rows, more = queries.rows(street_id=street.pk, kind=kind, words=words, before=number(request, "before"))
    counts = queries.counts(street.pk)
    context = {
        "rows": rows, "more": more, "kind": kind, "words": words, "total": sum(counts.values()), "refusal": refusal,
        "kinds": [(value, label, counts[value]) for value, label in PermitKind.choices], "systems": System.choices,
        "today": _today(), "given": request.POST,
    }  # fmt: skip
    return page(request, street, "permits", "sense/permits.html", context)


def _today() -> date:
    """The day that it is in the street."""
    return timezone.localtime(clock.now()).date()


def _read(request: HttpRequest, street: Street) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        raise Refusal("no_file", _("请选择一个文件。"), facts={"field": "file"})
    draft = services.read_permits(
        street_id=street.pk, name=file.name or "", file=file.chunks(), kind=request.POST.get("kind", ""),
        system=request.POST.get("system", "cgcs2000"), by=actor_of(request), at=clock.now(),
    )  # fmt: skip
    return redirect("sense:permit_draft", draft.pk)


@needs(*access.JUDGES)
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, draft_id: int) -> HttpResponse:
    """What a file says and which of its rows are left out; POST takes the sound ones over."""
    by = actor_of(request)
    found = services.draft_by_id(draft_id, by)
    if request.method == "POST":
        done = services.take_over(draft_id=draft_id, by=by, at=clock.now())
        told = {"new": done.new, "changed": done.changed, "same": done.same}
        messages.success(request, _("已导入：新增 %(new)d 条，新版本 %(changed)d 条，没有变化 %(same)d 条。") % told)
        return redirect(f"{reverse('sense:permits')}?street={found.street_id}")
    context = {"draft": found, "report": services.report_of(found), "rows": found.rows[:100]}
    kinds = dict(PermitKind.choices)
    for row in context["rows"]:
        row["kind_word"] = kinds[row["kind"]]
    return page(request, found.street, "permits", "sense/permit_draft.html", context)


@needs(*access.VIEWERS)
@require_safe
def permit(request: HttpRequest, permit_id: int) -> HttpResponse:
    """One permit: its shape on the map, its facts and its versions."""
    found = services.permit_by_id(permit_id, actor_of(request))
    feature = {"type": "Feature", "properties": {"what": "permit", "id": "permit"}, "geometry": found.geometry}
    context = {
        "permit": found,
        "versions": queries.versions(found),
        "holds": found.ended_at is None and queries.holds(found, _today()),
        "shapes": {"type": "FeatureCollection", "features": [feature]},
    }
    return page(request, found.street, "permits", "sense/permit.html", context)


@needs(*access.VIEWERS)
@require_safe
def layer(request: HttpRequest) -> HttpResponse:
    """The permits in force of a street as GeoJSON."""
    street = access.street_for(actor_of(request), number(request, "street"))
    features = [
        {"type": "Feature", "properties": {"what": "permit", "id": one.pk, "kind": one.kind, "number": one.number},
         "geometry": one.geometry}
        for one in queries.all_in_force(street.pk)
    ]  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    return HttpResponse(body, content_type="application/geo+json")


@needs(*access.JUDGES)
@require_POST
def end(request: HttpRequest, permit_id: int) -> HttpResponse:
    """Withdraws a permit."""
    services.end_permit(permit_id=permit_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("已停用。以后的比对不再用它。"))
    return redirect("sense:permit", permit_id)
