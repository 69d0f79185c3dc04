"""The door for systems from outside: hand in a report once, and ask how it stands (docs/api.md)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core import clock, pictures
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import FORM_TYPES, WrongType
from jiequ.core.once import once
from jiequ.grid.models import Community
from jiequ.grid.queries import plate

from .. import services, words
from ..flow import ENDED
from ..models import CaseEvent, OutsideSystem, Report, Source, SystemKind
from ..public_words import public
from ..queries.page import names_in, reporter_timeline
from ..queries.types import said, type_by_code
from ..when import Span, check
from .door import JSON, REFUSED, answer, api, by_system, described, loaded, valid
from .shapes import ProgressOut, ReportedOut, ReportIn, StepOut, Told, refusal_of

_LATEST = timedelta(minutes=5)
_EARLIEST_YEAR = 2000


# -- a report --------------------------------------------------------------------------------------------------------


@api.post("/reports", auth=by_system, response={201: ReportedOut, **REFUSED}, url_name="reports")
@described(gettext_lazy("外部系统上报"), body=ReportIn)
def report(request: HttpRequest) -> HttpResponse:
    """One report, done once for its ``source_ref`` and for its ``Idempotency-Key``, and answered alike ever after."""
    system, at = request.auth, clock.now()  # type: ignore[attr-defined]
    given = _read(request)
    photos = _photos(request)
    return once(request, lambda: _report(system, given, photos, at), scope=f"outside:{system.pk}")


def _report(system: OutsideSystem, given: ReportIn, photos: list[pictures.Clean], at: datetime) -> HttpResponse:
    community_id, street_id = community_of(given.community)
    account = _account(system, given, community_id, photos, at)
    done = services.report_from_outside(system, street_id=street_id, account=account, photos=photos, at=at)
    told = ReportedOut(
        source_ref=given.source_ref,
        number=done.report.origin.number,
        received_at=done.report.at,
        url=reverse("cases_api:report", args=[given.source_ref]),
    )
    return answer(told, HTTPStatus.CREATED)


def _read(request: HttpRequest) -> ReportIn:
    """The report of a JSON body or of a form; empty form fields are as if absent."""
    if request.content_type in FORM_TYPES:
        data: Any = {name: value for name, value in request.POST.items() if str(value).strip()}
    elif request.content_type == JSON:
        data = loaded(request.body)
    else:
        accepted = [JSON, *sorted(FORM_TYPES)]
        raise WrongType("wrong_type", _("请用 JSON 或表单发送。"), facts={"accepted": accepted})
    return valid(ReportIn, data)


def _photos(request: HttpRequest) -> list[pictures.Clean]:
    if unknown := sorted(set(request.FILES) - {"photos"}):
        raise refusal_of([{"loc": (unknown[0],), "type": "extra_forbidden"}])
    return services.cleaned(request.FILES.getlist("photos"))


def _account(
    system: OutsideSystem, given: ReportIn, community_id: int | None, photos: list[pictures.Clean], at: datetime
) -> services.Account:
    check_seen_at(given.seen_at, at)
    if given.outer_due_at is not None and system.kind != SystemKind.HOTLINE:
        raise Refusal("not_a_hotline", _("只有热线工单有外部时限。"), facts={"field": "outer_due_at"})
    return services.Account(
        source=Source(system.kind),
        words=given.words.strip(),
        place=place_of(given, community_id),
        contact=contact_of(given),
        condition_id=condition_of(given),
        is_urgent=given.urgent,
        is_confidential=given.confidential,
        seen_at=given.seen_at,
        happened=happened_of(given.happened_from, given.happened_until, at),
        outer_due_at=given.outer_due_at,
        system=system.name,
        source_ref=given.source_ref,
        said_hash=services.said_hash(_said(given), *(photo.sha256 for photo in photos)),
    )


def _said(given: ReportIn) -> str:
    """The same text for the same report, whatever order the fields have; a field that is new counts where it is said."""
    said_now = given.model_dump(mode="json")
    later = {name for name in ("happened_from", "happened_until") if said_now[name] is None}
    return json.dumps({name: value for name, value in said_now.items() if name not in later}, sort_keys=True)


def check_seen_at(seen_at: datetime | None, at: datetime) -> None:
    """Refusal for a moment that is to come, or so long past that it can only be a slip."""
    if seen_at is not None and seen_at.year < _EARLIEST_YEAR:
        raise Refusal("seen_too_early", _("发现时间太早，请核对。"), facts={"field": "seen_at"})
    if seen_at is not None and seen_at > at + _LATEST:
        raise Refusal("seen_later", _("发现时间在将来，请核对。"), facts={"field": "seen_at"})


def happened_of(begins: datetime | None, ends: datetime | None, at: datetime) -> Span | None:
    """When it happened; one moment where there is no end. Refusal for an end without a beginning, and as ``when.check``."""
    if begins is None:
        if ends is not None:
            raise Refusal("half_a_span", _("给出 happened_until 时也要给出 happened_from。"), facts={"field": "happened_from"})
        return None
    check(begins, ends or begins, at)
    return begins, ends or begins


def contact_of(given: Told) -> services.Contact | None:
    """Who, if they said so."""
    name, phone = given.contact_name.strip(), given.contact_phone.strip()
    return services.Contact(name=name, phone=phone) if name or phone else None


def place_of(given: Told, community_id: int | None) -> services.Place:
    """Where: a point, a unit grid by its code, or a community with words."""
    if (given.lon is None) != (given.lat is None):
        raise Refusal("half_a_point", _("经度 lon 和纬度 lat 要一起给。"), facts={"field": "lon"})
    if given.lon is not None:
        return services.Place(given.lon, given.lat, given.system, given.accuracy_m, community_id, words=given.place.strip())
    if given.unit_grid is not None:
        found = plate(given.unit_grid)
        if found is None:
            raise Refusal("unknown_unit_grid", _("没有这个单元网格，请核对 15 位编码。"), facts={"field": "unit_grid"})
        return services.Place(unit_grid_id=found.unit_grid_id, words=given.place.strip())
    return services.Place(community_id=community_id, words=given.place.strip())


def community_of(code: str | None) -> tuple[int | None, int | None]:
    """The community of a code, and its street."""
    if code is None:
        return None, None
    found = Community.objects.filter(code12=code, retired_at=None).values_list("pk", "street_id").first()
    if found is None:
        raise Refusal("unknown_community", _("没有这个社区，请核对 12 位编码。"), facts={"field": "community"})
    return found


def condition_of(given: Told) -> int | None:
    """The filing condition of a type's code; a type with one condition needs no key."""
    if given.type is None:
        if given.condition is not None:
            raise Refusal("type_missing", _("给出立案条件时也要给出类型。"), facts={"field": "type"})
        return None
    choice = type_by_code(given.kind, given.type)
    if choice is None:
        raise Refusal("unknown_type", _("没有这个类型，请核对代码。"), facts={"field": "type"})
    keys = {one.key: one.id for one in choice.conditions}
    if given.condition is None and len(keys) == 1:
        return next(iter(keys.values()))
    if given.condition not in keys:
        facts = {"field": "condition", "choices": list(keys)}
        raise Refusal("unknown_condition", _("请给出这个类型的一个立案条件。"), facts=facts)
    return keys[given.condition]


# -- how it stands ---------------------------------------------------------------------------------------------------


@api.get("/reports/{source_ref}", auth=by_system, response={200: ProgressOut, **REFUSED}, url_name="report")
@described(gettext_lazy("外部系统查自己的上报"))
def progress(request: HttpRequest, source_ref: str) -> HttpResponse:
    """Where one's own report stands, and its timeline as a reporter sees it. A missing one and another's are told alike."""
    system = request.auth  # type: ignore[attr-defined]
    found = Report.objects.select_related("origin", "case__lead", "case__merged_into").filter(
        system=system.name, source_ref=source_ref
    )
    if system.street_id is not None:
        found = found.filter(street_id=system.street_id)
    one = found.first()
    if one is None:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    return answer(_progress(one))


def _progress(report: Report) -> ProgressOut:
    case = report.case
    is_ended = case.state in ENDED
    return ProgressOut(
        source_ref=report.source_ref,
        number=report.origin.number,
        merged_into=case.number if case.number != report.origin.number else None,
        state=case.state,
        state_words=str(words.STATES[case.state]),
        is_ended=is_ended,
        promised_at=case.promised_at,
        is_promise_provisional=case.is_promise_provisional,
        is_late=case.is_late,
        lead=said(case.lead.name_zh, case.lead.name_en) if case.lead else None,
        reply=public(case.reply, keep=(case.number,)) if is_ended else "",
        timeline=[_step(event) for event in reporter_timeline(case) if event.move in words.FOR_REPORTER],
    )


def _step(event: CaseEvent) -> StepOut:
    names = names_in(event) if event.move in {"dispatch", "accept_dispatch"} else []
    return StepOut(step=event.move, words=str(words.FOR_REPORTER[event.move]), at=event.at, departments=names)
