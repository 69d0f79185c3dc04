"""Suspects: the list and the map, one with its sightings over the flights, and files of them."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiequ.core import clock
from jiequ.core.errors import NotFound
from jiequ.people.access import actor_of, needs

from .. import access, ground
from ..models import Export, Hint, Suspect, SuspectState
from ..queries import comparisons as pictures
from ..queries import desk
from ..queries import permits as register
from ..queries import suspects as queries
from ..services import exporting
from .imagery import crop_url, map_of, number, page

CROP = 560


@needs(*access.VIEWERS)
@require_safe
def suspects(request: HttpRequest) -> HttpResponse:
    """The list, by state and hint, and the files that can be had of it."""
    actor = actor_of(request)
    street = access.street_for(actor, number(request, "street"))
    state, hint = request.GET.get("state", ""), request.GET.get("hint", "")
    turned = min(number(request, "page") or 1, 10_000)
    unread = _unread(request, street.pk)
    rows, has_more = queries.rows(street_id=street.pk, state=state, hint=hint, page=max(1, turned), unread=unread)
    counts = queries.counts(street.pk, unread)
    context: dict[str, Any] = {
        "rows": rows, "state": state, "hint": hint, "hints": Hint.choices, "page": turned,
        "next": turned + 1 if has_more else 0,
        "states": [(value, label, counts[value]) for value, label in SuspectState.choices if value != "merged"],
        "total": sum(counts.values()) - counts["merged"], "forms": Export.Form.choices,
        "exports": list(exporting.own(actor).filter(street=street, expires_at__gt=clock.now()).order_by("-id")[:6]),
    }  # fmt: skip
    context["is_moving"] = any(one.state in ("waiting", "working") for one in context["exports"])
    return page(request, street, "suspects", "sense/suspects.html", context)


@needs(*access.VIEWERS)
@require_safe
def layer(request: HttpRequest) -> JsonResponse:
    """Suspects of a street as GeoJSON for the map."""
    street = access.street_for(actor_of(request), number(request, "street"))
    features = [_feature(one) for one in queries.on_map(street.pk, _unread(request, street.pk))]
    return JsonResponse({"type": "FeatureCollection", "features": features})


def _unread(request: HttpRequest, street_id: int) -> set[int]:
    """What whoever judges is still to read second, and must not know the first verdict of. At most one SELECT."""
    actor = actor_of(request)
    return desk.second_readings(street_id, actor.person_id or 0) if access.may_judge(actor, street_id) else set()


def _feature(suspect: Suspect) -> dict[str, object]:
    told = {
        "what": suspect.state, "id": suspect.pk, "url": reverse("sense:suspect", args=[suspect.pk]),
        "title": f"{suspect.number} {suspect.get_hint_display()} {suspect.area_m2:.0f} m²",
    }  # fmt: skip
    return {"type": "Feature", "properties": told, "geometry": suspect.geometry}


@needs(*access.VIEWERS)
@require_safe
def suspect(request: HttpRequest, suspect_id: int) -> HttpResponse:
    """One suspect: where it lies, both dates, each flight that showed it, permits beside it."""
    found = suspect_for(request, suspect_id)
    queries.as_unread([found], _unread(request, found.street_id))
    window = ground.box_around(ground.bounds_of(found.geometry), by=2.5)
    pair = pictures.pair_of(found)
    dated = [(pair.before or pair.before_dsm, pair.before_on), (pair.after or pair.after_dsm, pair.after_on)] if pair else []
    feature = {"type": "Feature", "properties": {"what": "found", "id": "suspect"}, "geometry": found.geometry}
    context: dict[str, Any] = {
        "suspect": found,
        "crops": [(taken, crop_url(request, asset, bounds=window, width=CROP)) for asset, taken in dated if asset],
        "sightings": pictures.sightings(found),
        "permits": register.near(found.street_id, window),
        "map": map_of(request, [asset for asset, _taken in dated if asset]),
        "shapes": {"type": "FeatureCollection", "features": [feature]},
    }
    for layer_of, (_asset, taken) in zip(context["map"]["layers"], dated, strict=False):
        layer_of["name"] = taken.isoformat()
    return page(request, found.street, "suspects", "sense/suspect.html", context)


def suspect_for(request: HttpRequest, suspect_id: int) -> Suspect:
    """A suspect of one of the reader's streets; NotFound for any other."""
    joined = ("street", "point", "merged_into", "cut_from", "latest")
    found = Suspect.objects.filter(pk=suspect_id).select_related(*joined).first()
    if found is None or not access.may_see(actor_of(request), found.street_id):
        raise NotFound("no_such_suspect", _("没有找到这个图斑。"))
    return found


@needs(*access.JUDGES)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """Asks for a file of the suspects, or of one comparison."""
    street = access.street_for(actor_of(request), number(request, "street"), *access.JUDGES)
    exporting.ask_export(
        street_id=street.pk, form=request.POST.get("form", ""), comparison_id=number(request, "comparison"),
        by=actor_of(request), at=clock.now(),
    )  # fmt: skip
    return redirect(f"{reverse('sense:suspects')}?street={street.pk}#h-files")


@needs(*access.JUDGES)
@require_safe
def file(request: HttpRequest, file_id: int) -> FileResponse:
    """A file that is ready, for whoever asked for it."""
    found = exporting.fetched(file_id, by=actor_of(request), at=clock.now())
    stem = "suspects" if found.comparison_id is None else f"comparison-{found.comparison_id}"
    return FileResponse(open(exporting.file_of(found), "rb"), as_attachment=True, filename=f"{stem}.{found.form}")
