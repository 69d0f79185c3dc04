"""Cases that are handed to another server: chosen at the desk, or by their type; and their number there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.cases.models import Case, CaseEvent
from jiequ.cases.public_words import public
from jiequ.cases.queries.types import condition_choice
from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import foreign
from ..models import Direction, Mapping, Mirror, Partner, Publication, Push
from ..queries.requests import tellable
from ..talk import Talk, Trouble
from .publishing import PUBLISHERS

PUSH = "open311.push"
WORDS_MAX = 2000
FILED = ("accept", "accept_dispatch")


class Again(Exception):
    """Try later."""


def offered_words(case: Case) -> str:
    """What is told of a case unless somebody writes it otherwise: what was published, else the type; no reporter's words."""
    published = Publication.objects.filter(case=case).values_list("words", flat=True).first()
    if published:
        return published
    return condition_choice(case.condition).name if case.condition_id and case.condition else ""


def choose(case: Case, *, partner_id: int, description: str, by: Actor, at: datetime) -> Mirror:
    """Hand this case over, with these words. Forbidden for who may not; Refusal where it cannot go or went already."""
    if not by.has(*PUBLISHERS, street_id=case.street_id):
        raise Forbidden("not_your_role", _("转送由本街道的受理、派遣、值班长或领导决定。"))
    partner = Partner.objects.filter(pk=partner_id, street_id=case.street_id, ended_at=None).exclude(push=Push.NEVER).first()
    if partner is None:
        raise NotFound("no_such_partner", _("没有这个对方，或者已经停用。"))
    description = public(description.strip(), keep=(case.number,))
    if not 1 <= len(description) <= WORDS_MAX:
        raise Refusal("bad_words", _("请写送出的话，不超过 2000 字。"), facts={"field": "description"})
    if not _may_leave(case.pk):
        raise Refusal("not_public", _("举报和待核查的案件不能转送。"))
    mapping = Mapping.objects.filter(partner=partner, direction=Direction.OUT, event_type_id=case.event_type_id).first()
    if mapping is None:
        raise Refusal("not_mapped", _("这个类型没有对照到对方的服务，请系统管理员先对照。"))
    try:
        with writing():
            mirror = _wait(partner, case, mapping.their_code, description, by=by, at=at)
            audit.record(
                street_id=case.street_id,
                person_id=by.person_id,
                action="open311.pushed",
                object_kind="case",
                object_id=str(case.pk),
                at=at,
                facts={"partner": partner.pk},
            )
    except IntegrityError:
        raise Refusal("pushed_before", _("这个案件已经在对方那里了。")) from None
    return mirror


def _may_leave(case_id: int) -> bool:
    return tellable(Case.objects.filter(pk=case_id)).exists()


def _wait(partner: Partner, case: Case, code: str, description: str, *, by: Actor, at: datetime) -> Mirror:
    mirror = Mirror.objects.create(
        partner=partner,
        direction=Direction.OUT,
        state=Mirror.State.WAITING,
        their_code=code,
        description=description,
        case=case,
        made_at=at,
        made_by=by.person_id,
        asked_at=at,
    )
    _enqueue(mirror, at=at)
    return mirror


def go_on(partner: Partner, *, at: datetime) -> None:
    """Hand over what waited while the partner was paused. In the caller's transaction."""
    for mirror in Mirror.objects.filter(partner=partner, state=Mirror.State.WAITING).select_related("case"):
        _enqueue(mirror, at=at)


def _enqueue(mirror: Mirror, *, at: datetime) -> None:
    name = f"{PUSH}:{mirror.pk}"  # the lane: one that waits for its next try and one made after a pause never run at once
    key = f"{name}:{int(at.timestamp())}"
    enqueue(JobSpec(PUSH, {"mirror_id": mirror.pk}, run_at=at, key=key, street_id=mirror.case.street_id, lane=name))


def choose_by_type(partner: Partner, events: list[CaseEvent], *, at: datetime) -> int:
    """Have the cases that were just filed handed over, where their type is mapped; how many. In the caller's transaction.

    Not: 举报, what is held, and what any server handed to us (so nothing goes round in circles).
    """
    mapped = dict(Mapping.objects.filter(partner=partner, direction=Direction.OUT).values_list("event_type_id", "their_code"))
    filed = {event.case_id for event in events if event.move in FILED}
    cases = Case.objects.filter(pk__in=filed, street_id=partner.street_id, event_type_id__in=list(mapped))
    chosen = tellable(cases).select_related("condition__edition").exclude(open311_mirrors__partner=partner)
    chosen = chosen.exclude(open311_mirrors__direction=Direction.IN)
    for case in chosen:
        _wait(partner, case, mapped[case.event_type_id or 0], offered_words(case), by=Actor.system(), at=at)
    return len(chosen)


# -- one push ------------------------------------------------------------------------------------------------------------


def pushed(mirror_id: int, *, at: datetime) -> Callable[[], None] | None:
    """Hand it over, outside of any transaction; gives what is to be stored. Raises Again for a fault that may pass."""
    waiting = Mirror.objects.select_related("partner", "case__unit_grid", "case__community").filter(
        pk=mirror_id, state=Mirror.State.WAITING, partner__ended_at=None, partner__paused_at=None
    )
    mirror = waiting.first()
    if mirror is None:
        return None
    if not _may_leave(mirror.case_id):
        return partial(_failed, mirror, "not_public")
    try:
        rows = Talk(mirror.partner).post("requests", form_of(mirror), key=key_of(mirror))
    except Trouble as trouble:
        if trouble.is_final:
            return partial(_failed, mirror, trouble.detail or trouble.code)
        raise Again(trouble.code) from None
    row = rows[0] if rows else {}
    request_id, token = foreign.text(row, "service_request_id")[:100], foreign.text(row, "token")[:200]
    if request_id:
        return partial(known, mirror, request_id, at=at)
    if token:
        return partial(_tokened, mirror, token)
    return partial(_failed, mirror, "no_number")


def key_of(mirror: Mirror) -> str:
    """Ours for this push, the same at every try: a server of our own kind answers a repeat with the first number."""
    return f"jiequ-{mirror.partner_id}-{mirror.case.number}-{mirror.pk}"


def form_of(mirror: Mirror) -> list[tuple[str, str]]:
    """What is sent: the service, the words that were chosen, the place. Nobody's name, phone or photo."""
    case = mirror.case
    mapping = Mapping.objects.filter(
        partner_id=mirror.partner_id, direction=Direction.OUT, event_type_id=case.event_type_id
    ).first()
    attributes: dict[str, Any] = mapping.attributes if mapping else {}
    place = [("lat", f"{case.lat:.6f}"), ("long", f"{case.lon:.6f}")] if case.lon is not None and case.lat is not None else []
    if not place and case.unit_grid is not None:
        place = [("lat", f"{case.unit_grid.lat:.6f}"), ("long", f"{case.unit_grid.lon:.6f}")]
    address = case.address or (case.community.name_zh if case.community else "")
    return [
        ("service_code", mirror.their_code),
        ("description", mirror.description),
        *place,
        ("address_string", address if address else ("" if place else case.title)),
        *((f"attribute[{code}]", str(value)) for code, value in attributes.items()),
    ]


def known(mirror: Mirror, request_id: str, *, at: datetime) -> None:
    """Its number there is known from now on, unless it already stands for another case of ours: then somebody has to look."""
    if Mirror.objects.filter(partner_id=mirror.partner_id, request_id=request_id).exclude(pk=mirror.pk).exists():
        _failed(mirror, "number_taken")
        return
    fields = {"request_id": request_id, "state": Mirror.State.KNOWN, "error": "", "asked_at": at}
    Mirror.objects.filter(pk=mirror.pk).update(**fields)


def _tokened(mirror: Mirror, token: str) -> None:
    Mirror.objects.filter(pk=mirror.pk).update(token=token, state=Mirror.State.TOKEN, tries=F("tries") + 1)


def _failed(mirror: Mirror, why: str) -> None:
    Mirror.objects.filter(pk=mirror.pk).update(state=Mirror.State.FAILED, error=why[:200])


def give_up(mirror_id: int) -> None:
    """No try is left: the desk sees it on the case's page."""
    mirror = Mirror.objects.filter(pk=mirror_id, state=Mirror.State.WAITING).first()
    if mirror is not None:
        _failed(mirror, "unreachable")
