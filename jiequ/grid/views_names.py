"""The gazetteer's pages: which names the district looks for in people's words, and where each of them lies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import actor_of, needs

from . import access, pages, services
from .forms import PlaceForm
from .models import Place, PlaceKind
from .views import done, framed, id_of, refuse_invalid, street_of, version_of


@needs(*access.READERS)
@require_GET
def names(request: HttpRequest) -> HttpResponse:
    """The street's places by their names and aliases, page by page."""
    street = street_of(request)
    kind = request.GET.get("kind", "") if request.GET.get("kind") in PlaceKind.values else ""
    words = request.GET.get("q", "").strip()[:40]
    rows, more = pages.place_page(street.pk, kind=kind, words=words, after=id_of(request, "after") or 0)
    counts = pages.place_kinds(street.pk)
    kinds = [(value, label, counts.get(value, 0)) for value, label in PlaceKind.choices]
    context = {"rows": rows, "more": more, "kinds": kinds, "kind": kind, "words": words, "total": sum(counts.values())}
    return framed(request, street, "names", "grid/names.html", context)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def name_new(request: HttpRequest) -> HttpResponse:
    """A form for a new place."""
    street = street_of(request)
    form = PlaceForm(request.POST or None, communities=_communities(street.pk))
    refusal = None
    if request.method == "POST":
        try:
            refuse_invalid(form)
            services.add_place(street_id=street.pk, facts=form.facts(), by=actor_of(request), at=clock.now())
            return done(request, street, "grid:names", _("地名已添加，马上用于识别。"))
        except Refusal as refused:
            refusal = refused
    return framed(request, street, "names", "grid/name_form.html", {"form": form, "refusal": refusal}, refusal)


@needs(*access.EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def name_edit(request: HttpRequest, place_id: int) -> HttpResponse:
    """The form of one place."""
    place = _place(request, place_id)
    choices = _communities(place.street_id)
    is_post = request.method == "POST"
    form = PlaceForm(request.POST if is_post else None, initial=PlaceForm.filled(place), communities=choices)
    refusal = None
    if is_post:
        try:
            refuse_invalid(form)
            version = form.cleaned_data["version"] or 0
            services.edit_place(place_id=place.pk, version=version, facts=form.facts(), by=actor_of(request), at=clock.now())
            return done(request, place.street, "grid:names", _("地名已保存，马上用于识别。"))
        except Refusal as refused:
            refusal = refused
    context = {"form": form, "refusal": refusal, "place": place}
    return framed(request, place.street, "names", "grid/name_form.html", context, refusal)


@needs(*access.EDITORS)
@require_POST
def name_remove(request: HttpRequest, place_id: int) -> HttpResponse:
    """Removes a place."""
    place = _place(request, place_id)
    services.remove_place(place_id=place.pk, version=version_of(request), by=actor_of(request), at=clock.now())
    return done(request, place.street, "grid:names", _("地名已删除。"))


def _place(request: HttpRequest, place_id: int) -> Place:
    place = Place.objects.filter(pk=place_id).select_related("street").first()
    if place is None or not access.may_edit(actor_of(request), place.street_id):
        raise NotFound("no_such_place", _("没有找到这个地点。"))
    return place


def _communities(street_id: int) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in pages.community_rows(street_id)]
