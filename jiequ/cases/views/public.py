"""What a resident does without an account: report, say "me too", look a number up. One's own report: ``own``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jiequ.core import clock, pictures, throttle
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import client_network, wants_json
from jiequ.core.ids import new_token
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.core.once import once
from jiequ.grid import queries as grid
from jiequ.grid.models import Community
from jiequ.people import entry, ways_in
from jiequ.people.access import actor_of, public
from jiequ.people.rules import Actor, Role

from .. import services
from ..access import case_by_id
from ..models import Case, Source
from ..policy import Policy
from ..queries import lists
from ..queries.types import type_picker
from ..when import span_of
from . import alike, moves, present, reading, suggesting
from .own import story
from .own_key import private

DEVICE_SECONDS = 365 * 24 * 3600
ASKS_AN_HOUR = 20
MOST_PLACES = 200
STAFF_SOURCES = (Source.STAFF, Source.CALLER, Source.LEADER, Source.HOTLINE)


@public
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """上报: a photo, a place, a word. Residents need no account; staff may name the type; a grid worker may have it done."""
    actor, at = actor_of(request), clock.now()
    if request.method == "POST" and "suggest" in request.POST:  # the button for a reader without scripts: nothing is sent yet
        context = _report_page(request, actor) | suggesting.asked_in(request)
        return _with_device(request, render(request, "cases/report.html", context))
    if request.method != "POST":
        is_known = actor.person_id is not None or bool(entry.account_of(request))
        by_channel = None if is_known else ways_in.round_by_channel(request, request.get_full_path())
        return by_channel or _with_device(request, render(request, "cases/report.html", _report_page(request, actor)))
    try:
        return _report_once(request, actor, at)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        context = _report_page(request, actor) | suggesting.asked_again(request) | {"refusal": refusal}
        return render(request, "cases/report.html", context, status=refusal.status)


def _report_once(request: HttpRequest, actor: Actor, at: datetime) -> HttpResponse:
    suspect = False
    if actor.person_id is None:
        place = reading.place_of(request.POST)
        device, address = reading.device_of(request), client_network(request)
        suspect = services.is_suspect(device=device, address=address, place=place, at=at)
    photos = moves.cleaned_photos(request)  # after the limits: decoding is the dear part
    return once(request, lambda: _report(request, actor, photos, suspect, at), scope=_device_scope(request, actor))


def _device_scope(request: HttpRequest, actor: Actor) -> str | None:
    """Two residents' keys never meet: a stranger who guesses a key gets no answer of somebody else's."""
    return f"device:{reading.device_of(request)}" if actor.person_id is None else None


def _report(request: HttpRequest, actor: Actor, photos: list[pictures.Clean], suspect: bool, at: datetime) -> HttpResponse:
    street_id = _street_of(request, actor)
    account = _account(request, actor, photos, suspect, at, street_id=street_id)
    if request.POST.get("self_handled") == "on":
        done = services.self_handle(street_id=street_id, account=account, by=actor, at=at)
        return redirect(moves.case_url(done.case.number))
    known = request.POST.get("me_too", "").strip()
    if known:
        done = services.me_too(_known_near(known), account=account, by=actor, at=at)
    else:
        done = services.report_case(street_id=street_id, account=account, by=actor, at=at)
    answer = HttpResponseRedirect(f"{_page_of(done)}?new=1")
    answer.status_code = 303
    return answer


def _page_of(done: services.Reported) -> str:
    """Where the report is followed: among the account's own, by its private link, or as a case by staff."""
    contact = done.report.reporter
    if done.token and contact is not None and contact.account_sealed:
        return reverse("cases:own_mine", args=[done.report.pk])
    return reverse("cases:mine", args=[done.token]) if done.token else moves.case_url(done.case.number)


def _account(
    request: HttpRequest, actor: Actor, photos: list[pictures.Clean], suspect: bool, at: datetime, *, street_id: int | None
) -> services.Account:
    data = request.POST
    is_staff = actor.person_id is not None
    source = data.get("source", "") if is_staff else Source.RESIDENT
    if is_staff and source not in STAFF_SOURCES:
        source = Source.STAFF
    kept_by = street_id or (_any_street() if photos else 0)
    place, seen_at = reading.place_of(data), reading.seen_at_of(data, at)
    return services.Account(
        source=source,
        words=data.get("words", "").strip(),
        place=place,
        pictures=[pictures.keep(photo, street_id=kept_by, at=at) for photo in photos],
        contact=reading.contact_of(data) if is_staff else reading.contact_with(data, entry.account_of(request)),
        condition_id=reading.whole(data, "condition"),
        is_urgent=is_staff and data.get("is_urgent") == "on",
        is_confidential=data.get("is_confidential") == "on",
        wants_call=data.get("wants_call") == "on",
        seen_at=seen_at,
        happened=span_of(data.get("happened", ""), at),
        doubts=reading.doubts_of(photos, place, seen_at or at),
        outer_due_at=reading.outer_due_of(data) if source == Source.HOTLINE else None,
        system=services.HOTLINE_NAME if source == Source.HOTLINE else "",
        source_ref=data.get("source_ref", "").strip()[:100] if source == Source.HOTLINE else "",
        device="" if is_staff else reading.device_of(request),
        is_suspect=suspect,
    )


def _street_of(request: HttpRequest, actor: Actor) -> int | None:
    """Where no point tells the street: the chosen community's, the confirmed place's, the reader's own, or the only one."""
    if community := reading.whole(request.POST, "community"):
        found = Community.objects.filter(pk=community, retired_at=None).values_list("street_id", flat=True).first()
        if found is None:
            raise Refusal("unknown_community", _("没有这个社区，请重新选择。"), facts={"field": "community"})
        return found
    if street := reading.street_told(request.POST) or actor.street_id:
        return street
    streets = list(Street.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
    return streets[0] if len(streets) == 1 else None


def _any_street() -> int:
    return Street.objects.filter(is_active=True).values_list("pk", flat=True).order_by("pk")[0]


def _known_near(offer: str) -> Case:
    """The case a "me too" was offered for by ``near``: a guessed number opens nothing."""
    found = Case.objects.select_related("street").filter(is_confidential=False, is_suspect=False)
    case = found.filter(pk=present.offered(offer)).first()
    if case is None:
        raise NotFound("case_not_found", _("没有找到这个案件。"))
    return case


def _report_page(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """The form, with what the address or a refused answer says already filled in."""
    is_staff = actor.person_id is not None
    given = request.POST if request.method == "POST" else request.GET
    code = given.get("plate", "")
    plate = grid.plate(code) if code else None
    communities = _communities()
    chosen = _chosen(given, "community")
    context: dict[str, Any] = {
        "given": given if request.method == "POST" else {},
        "is_staff": is_staff,
        "is_grid_worker": actor.has(Role.GRID_WORKER),
        "sources": [(s.value, present.source_words(s)) for s in STAFF_SOURCES],
        "communities": communities,
        "chosen": chosen,
        "chosen_place": _chosen(given, "place"),
        "chosen_condition": _chosen(given, "condition"),
        "told_place": given.get("told_place", ""),
        "happened": given.get("happened", ""),
        "places": _places(chosen) if chosen else [],
        "plate": plate,
        "keep_days": max((group["keep_days"] for group in communities), default=Policy().keep_days),
        "basemap": present.basemap_url(actor.street_id or _only(group["id"] for group in communities)),
        "may_join": alike.may_join(actor),
    }
    if plate is not None:
        context |= alike.near_point(plate.lon, plate.lat)
    if is_staff:
        context["picker"] = type_picker(actor.street_id or 0, actor.person_id, recent=lists.recent_types(actor))
    return context


def _chosen(given: Any, name: str) -> int | None:
    value = str(given.get(name, ""))
    return whole(value)


def _only(ids: Iterable[int]) -> int | None:
    found = list(ids)
    return found[0] if len(found) == 1 else None


def _communities() -> list[dict[str, Any]]:
    """Every community in force, by street; with each street how many days it keeps who reported."""
    rows = Community.objects.filter(retired_at=None, street__is_active=True).select_related("street").order_by("code12")
    groups: dict[int, dict[str, Any]] = {}
    for row in rows:
        street = row.street
        keep_days = Policy.of(street.settings).keep_days
        blank = {"id": street.pk, "street": present.named(street), "keep_days": keep_days, "rows": []}
        group = groups.setdefault(street.pk, blank)
        group["rows"].append({"id": row.pk, "name": present.named(row)})
    return list(groups.values())


def _places(community_id: int) -> list[dict[str, Any]]:
    """A community's roads, estates and landmarks, by kind, for a reader without scripts."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in grid.places(community_id=community_id)[:MOST_PLACES]:
        groups.setdefault(row.get_kind_display(), []).append({"id": row.pk, "name": row.name})
    return [{"kind": kind, "rows": rows} for kind, rows in groups.items()]


def _with_device(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    if not request.COOKIES.get("device"):
        answer.set_cookie(
            "device", new_token()[:32], max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return answer


@public
@require_http_methods(["GET", "HEAD", "POST"])
def query(request: HttpRequest) -> HttpResponse:
    """查进度 by number and the phone's last four, throttled: how it stands, nothing that was said, no link."""
    given = {"number": request.POST.get("number", ""), "last4": request.POST.get("last4", "")}
    if request.method != "POST":
        return render(request, "cases/query.html", {"number": request.GET.get("number", "")})
    at = clock.now()
    for bucket in (
        throttle.bucket("query-address", client_network(request)),
        throttle.bucket("query-number", given["number"].strip().upper()),
    ):
        throttle.take(bucket, capacity=ASKS_AN_HOUR, per_seconds=3600, at=at)
    try:
        report = services.report_by_number(given["number"], given["last4"])
    except NotFound as refusal:
        return render(request, "cases/query.html", given | {"refusal": refusal}, status=404)
    case = case_by_id(Actor.resident(report.pk), report.case_id)
    return private(render(request, "cases/progress.html", story(case, report, at)))
