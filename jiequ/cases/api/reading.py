"""What a token may read: lists, one case with its photos, to-dos, and what they refer to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from jiequ.core import pictures
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.grid.queries import units_in_force
from jiequ.people.models import Department
from jiequ.people.queries import departments_of
from jiequ.people.rules import Actor, ApiScope

from ..access import case_for
from ..models import Case
from ..queries import lists
from ..queries.page import picture_in, view_of
from ..queries.types import current_types, said, type_by_code
from . import present
from .case_shapes import (
    CODE9,
    CaseOut,
    CasesIn,
    CasesOut,
    ConditionOut,
    DepartmentOut,
    DepartmentsOut,
    EventTypeOut,
    GridsOut,
    StreetOut,
    StreetsOut,
    ToDoOut,
    ToDosOut,
    TypesOut,
)
from .door import REFUSED, answer, api, by_token, caller_of, described, read_query
from .outside import community_of
from .shapes import Strict

READ, REFERENCE = by_token(ApiScope.CASES_READ), by_token(ApiScope.REFERENCE_READ)


# -- cases -----------------------------------------------------------------------------------------------------------


@api.get("/cases", auth=READ, response={200: CasesOut, **REFUSED}, url_name="cases")
@described(gettext_lazy("案件列表"), query=CasesIn)
def cases(request: HttpRequest) -> HttpResponse:
    """Cases the caller may see, newest first; keyset pages by ``cursor``."""
    caller, given = caller_of(request), read_query(request, CasesIn)
    before = int(given.cursor) if given.cursor else None
    page = lists.page_of(_cases, caller.actor, _narrowed(given), at=caller.at, before=before, size=given.limit)
    rows = [present.row(case, caller.at) for case in page.rows]
    return answer(CasesOut(cases=rows, next=str(page.next_before) if page.next_before else None))


def _cases(ids: Sequence[int]) -> dict[int, Case]:
    return lists.named_whole(Case.objects.all()).in_bulk(ids)


def _narrowed(given: CasesIn) -> lists.Filters:
    return lists.Filters(
        states=(given.state.value,) if given.state else (),
        light=given.light or "",
        event_type_id=_type_id(given),
        department_id=given.department,
        community_id=community_of(given.community)[0],
        street_id=_street_id(given.street) if given.street else None,
        source=given.source.value if given.source else "",
        since=given.since,
        until=given.until,
    )


def _type_id(given: CasesIn) -> int | None:
    if given.type is None:
        return None
    found = type_by_code(given.kind, given.type)
    if found is None:
        raise Refusal("unknown_type", _("没有这个类型，请核对代码。"), facts={"field": "type"})
    return found.id


def _street_id(code: str) -> int:
    found = Street.objects.filter(code9=code).values_list("pk", flat=True).first()
    if found is None:
        raise Refusal("unknown_street", _("没有这个街道，请核对 9 位编码。"), facts={"field": "street"})
    return found


@api.get("/cases/{number}", auth=READ, response={200: CaseOut, **REFUSED}, url_name="case")
@described(gettext_lazy("一个案件"))
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case with its timeline, tasks, clocks, proofs and reports. Eight statements with the token."""
    caller = caller_of(request)
    found = case_for(caller.actor, number)
    return answer(present.whole(view_of(found, caller.actor, at=caller.at), caller.actor))


class PictureIn(Strict):
    """Which size."""

    variant: Annotated[str, Field(pattern="^(full|thumb)$")] = "full"


@api.get(
    "/cases/{number}/pictures/{int:proof_id}", auth=READ, url_name="picture", response={200: bytes, **REFUSED}
)  # fmt: skip
@described(gettext_lazy("案件的照片"), query=PictureIn)
def picture(request: HttpRequest, number: str, proof_id: int) -> HttpResponse:
    """A photo of a case, as JPEG."""
    variant = read_query(request, PictureIn).variant
    found = case_for(caller_of(request).actor, number)
    return pictures.response(picture_in(found, proof_id, variant), variant, request=request)


@api.get("/tasks", auth=READ, response={200: ToDosOut, **REFUSED}, url_name="tasks")
@described(gettext_lazy("待办"))
def tasks(request: HttpRequest) -> HttpResponse:
    """The open tasks addressed to the token's owner, their departments or roles."""
    caller = caller_of(request)
    found = lists.to_do(caller.actor, at=caller.at)
    prefetch_related_objects([one.task for one in found], "department", "person")
    rows = [ToDoOut(task=present.task(one.task), case=present.row(one.case, caller.at)) for one in found]
    return answer(ToDosOut(tasks=rows))


# -- what cases refer to ---------------------------------------------------------------------------------------------


@api.get("/types", auth=REFERENCE, response={200: TypesOut, **REFUSED}, url_name="types")
@described(gettext_lazy("类型与立案条件"))
def types(request: HttpRequest) -> HttpResponse:
    """Every event type in force with its filing conditions, in the reader's language."""
    found = [
        EventTypeOut(
            id=kind.id,
            kind=kind.kind,
            code=kind.code,
            name=kind.name,
            major=kind.major,
            lead_department_key=kind.lead_department_key,
            assist_department_keys=list(kind.assist_department_keys),
            is_confidential=kind.is_confidential,
            conditions=[
                ConditionOut(id=c.id, key=c.key, name=c.name, limit=c.limit, closing=c.closing, proofs=list(c.proofs))
                for c in kind.conditions
            ],
        )
        for major in current_types()
        for kind in major.types
    ]
    return answer(TypesOut(types=found))


@api.get("/streets", auth=REFERENCE, response={200: StreetsOut, **REFUSED}, url_name="streets")
@described(gettext_lazy("街道"))
def streets(request: HttpRequest) -> HttpResponse:
    """The streets the caller works in."""
    rows = _streets_of(caller_of(request).actor)
    return answer(StreetsOut(streets=[StreetOut(code=s.code9, name=said(s.name_zh, s.name_en), prefix=s.prefix) for s in rows]))


@api.get(
    "/departments", auth=REFERENCE, response={200: DepartmentsOut, **REFUSED}, url_name="departments"
)  # fmt: skip
@described(gettext_lazy("部门"))
def departments(request: HttpRequest) -> HttpResponse:
    """The departments of the caller's streets, and the bureaus of the district."""
    own = {street.pk: street.code9 for street in _streets_of(caller_of(request).actor)}
    found: dict[int, Department] = {d.pk: d for street_id in own or [None] for d in departments_of(street_id)}
    rows = [
        DepartmentOut(
            id=d.pk, key=d.key, name=said(d.name_zh, d.name_en), kind=d.kind, street=own[d.street_id] if d.street_id else None
        )
        for d in found.values()
    ]
    return answer(DepartmentsOut(departments=rows))


class GridsIn(Strict):
    """Which street."""

    street: Annotated[str, Field(pattern=CODE9)]


@api.get("/grids", auth=REFERENCE, response={200: GridsOut, **REFUSED}, url_name="grids")
@described(gettext_lazy("单元网格"), query=GridsIn)
def grids(request: HttpRequest) -> HttpResponse:
    """The unit grids of one of the caller's streets as GeoJSON (CGCS2000)."""
    code = read_query(request, GridsIn).street
    street = street_of(caller_of(request).actor, code)
    features = [
        {
            "type": "Feature",
            "properties": {"code": unit.code15, "community": unit.community.code12},
            "geometry": unit.geometry,
        }
        for unit in units_in_force(street.pk)
    ]
    told = HttpResponse(json.dumps({"type": "FeatureCollection", "features": features}), content_type="application/geo+json")
    told["Cache-Control"] = "private, no-store"
    return told


def street_of(actor: Actor, code: str) -> Street:
    """One of the actor's streets by its code; NotFound for any other, said alike for one that does not exist."""
    found = next((one for one in _streets_of(actor) if one.code9 == code), None)
    if found is None:
        raise NotFound("no_such_street", _("没有找到这个街道。"))
    return found


def _streets_of(actor: Actor) -> list[Street]:
    """The streets in which the actor holds a seat; all of them for a district seat. One SELECT."""
    rows = Street.objects.filter(is_active=True)
    is_district = any(seat.street_id is None for seat in actor.seats)
    narrowed: Any = rows if is_district else rows.filter(pk__in=actor.streets())
    return list(narrowed)
