"""The system administrator's: other GeoReport servers, what is asked of them, and which service is which type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Max
from django.utils.translation import gettext as _

from jiequ.cases.models import CaseEvent, EventType
from jiequ.cases.queries.types import type_choice
from jiequ.cases.services.doors import check_street, clean_name
from jiequ.core import audit, outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import models
from ..models import Direction, Mirror, Partner, Push, Use
from ..talk import PURPOSE
from . import pushing
from .opening import require

TEST, PULL, TELL = "open311.test", "open311.pull", "open311.tell"
FORMS = ("json", "xml")
KEY_MAX = 300
__all__ = [
    "PULL",
    "PURPOSE",
    "TELL",
    "TEST",
    "Terms",
    "Wanted",
    "change_partner",
    "end_partner",
    "make_partner",
    "map_services",
]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an administrator says of a partner; an empty ``key`` keeps the one there is."""

    name: str
    base_url: str
    street_id: int | None
    jurisdiction: str = ""
    key: str = ""
    form: str = "json"
    pulls: bool = True
    push: str = Push.CHOSEN
    has_updates: bool = False


def make_partner(terms: Terms, *, by: Actor, at: datetime) -> Partner:
    """A new one. It is asked nothing before it was tested and its services mapped: it begins paused."""
    require(by)
    newest = CaseEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    partner = Partner(**_values(terms), made_at=at, made_by=by.person_id, paused_at=at, followed_to=newest)
    try:
        with writing():
            partner.save(force_insert=True)
            record(by, at, "open311.partner_made", partner)
            ask_test(partner, at=at)
    except IntegrityError:
        raise _taken() from None
    return partner


def change_partner(partner_id: int, terms: Terms, *, by: Actor, at: datetime) -> Partner:
    """Other terms from now on. The street stays: its cases are there."""
    require(by)
    values = _values(terms)
    values.pop("street_id")
    if not terms.key:
        values.pop("key_sealed")
    try:
        with writing():
            partner = living(partner_id)
            Partner.objects.filter(pk=partner.pk).update(**values)
            record(by, at, "open311.partner_changed", partner)
    except IntegrityError:
        raise _taken() from None
    return living(partner_id)


def _values(terms: Terms) -> dict[str, Any]:
    check_street(terms.street_id)
    if terms.street_id is None:
        raise Refusal("street_missing", _("请选择街道。"), facts={"field": "street"})
    if terms.push not in Push.values or terms.form not in FORMS:
        raise Refusal("bad_choice", _("请选择送什么、用什么格式。"), facts={"field": "push"})
    if len(terms.jurisdiction) > 100 or len(terms.key) > KEY_MAX or not (terms.jurisdiction + terms.key).isprintable():
        raise Refusal("bad_terms", _("jurisdiction_id 或令牌太长。"), facts={"field": "jurisdiction"})
    return {
        "name": clean_name(terms.name, _("请填写名称，不超过 40 字。")),
        "base_url": _address(terms.base_url),
        "jurisdiction": terms.jurisdiction.strip(),
        "key_sealed": secrets.seal(terms.key, PURPOSE) if terms.key else "",
        "form": terms.form,
        "pulls": terms.pulls,
        "push": terms.push,
        "has_updates": terms.has_updates,
        "street_id": terms.street_id,
    }


def _address(url: str) -> str:
    url = url.strip().rstrip("/")
    outgoing.target_of(url)
    if len(url) > 300 or "?" in url:
        raise Refusal("bad_url", _("请填写到 /v2 为止的地址，不带问号。"), facts={"field": "base_url"})
    return url


def _taken() -> Refusal:
    return Refusal("name_taken", _("已经有叫这个名称的对方。"), facts={"field": "name"})


def pause_partner(partner_id: int, *, is_paused: bool, by: Actor, at: datetime) -> Partner:
    """Nothing is asked or told while it is paused; afterwards it goes on where it stopped."""
    require(by)
    with writing():
        partner = living(partner_id)
        values: dict[str, Any] = {"paused_at": at if is_paused else None}
        Partner.objects.filter(pk=partner.pk).update(**values | ({} if is_paused else {"failures_in_row": 0}))
        if not is_paused:
            pushing.go_on(partner, at=at)
        record(by, at, "open311.partner_paused" if is_paused else "open311.partner_resumed", partner)
    return living(partner_id)


def end_partner(partner_id: int, *, by: Actor, at: datetime) -> Partner:
    """An end to it: the key is forgotten, what waits is given up; the cases stay."""
    require(by)
    with writing():
        partner = living(partner_id)
        Partner.objects.filter(pk=partner.pk).update(ended_at=at, key_sealed="")
        waiting = Mirror.objects.filter(partner=partner, state__in=[Mirror.State.WAITING, Mirror.State.TOKEN])
        waiting.update(state=Mirror.State.FAILED, error="ended")
        record(by, at, "open311.partner_ended", partner)
    return partner


def ask_test(partner: Partner, *, at: datetime) -> None:
    """Have its discovery, services and newest requests read. In the caller's transaction."""
    _enqueue(TEST, partner, at, seconds=5)


def ask_pull(partner: Partner, *, at: datetime) -> None:
    """Have a round made now, if none waits already. In the caller's transaction."""
    _enqueue(PULL, partner, at, seconds=30)


def ask_tell(partner: Partner, *, at: datetime) -> None:
    """Have it told what happened here. In the caller's transaction."""
    _enqueue(TELL, partner, at, seconds=30)


def _enqueue(kind: str, partner: Partner, at: datetime, *, seconds: int) -> None:
    """Once in so many seconds: a round that was given up holds up no later one."""
    key = f"{kind}:{partner.pk}:{int(at.timestamp()) // seconds}"
    enqueue(JobSpec(kind, {"partner_id": partner.pk}, run_at=at, key=key, street_id=partner.street_id))


def asked(partner_id: int, what: str, *, by: Actor, at: datetime) -> Partner:
    """The administrator's own ``test`` or ``pull``."""
    require(by)
    with writing():
        partner = living(partner_id)
        (ask_test if what == "test" else ask_pull)(partner, at=at)
    return partner


def living(partner_id: int) -> Partner:
    """A partner that is not ended; NotFound for any other."""
    found = Partner.objects.select_related("street").filter(pk=partner_id, ended_at=None).first()
    if found is None:
        raise NotFound("no_such_partner", _("没有这个对方，或者已经停用。"))
    return found


# -- which is which --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of the mapping: a service of theirs and what it becomes (in), or a type of ours and where it goes (out)."""

    their_code: str
    use: str = Use.TYPE
    type_id: int | None = None
    condition_key: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def map_services(partner_id: int, direction: str, wanted: Collection[Wanted], *, by: Actor, at: datetime) -> None:
    """Exactly these lines in one direction. Refusal for a service they do not have or a type we do not."""
    require(by)
    with writing():
        partner = living(partner_id)
        known = {one["code"] for one in partner.services}
        rows = [_row(partner, direction, one, known) for one in wanted]
        models.Mapping.objects.filter(partner=partner, direction=direction).delete()
        models.Mapping.objects.bulk_create(rows)
        record(by, at, "open311.partner_mapped", partner, direction=direction, lines=len(rows))


def _row(partner: Partner, direction: str, one: Wanted, known: Collection[str]) -> models.Mapping:
    if one.their_code not in known:
        text = _("对方没有这个服务：%(code)s。请先测试连接。") % {"code": one.their_code[:60]}
        raise Refusal("unknown_service", text, facts={"field": "their_code"})
    is_typed = direction == Direction.OUT or one.use == Use.TYPE
    key = _condition(one) if is_typed else ""
    return models.Mapping(
        partner=partner,
        direction=direction,
        their_code=one.their_code,
        event_type_id=one.type_id if is_typed else None,
        condition_key=key,
        use=Use.TYPE if is_typed else Use(one.use),
        attributes=dict(one.attributes),
    )


def _condition(one: Wanted) -> str:
    choice = type_choice(one.type_id) if one.type_id else None
    if choice is None:
        if one.type_id and EventType.objects.filter(pk=one.type_id).exists():
            raise Refusal("type_inactive", _("这个类型已停用。"), facts={"field": "type"})
        raise Refusal("unknown_type", _("没有这个类型。"), facts={"field": "type"})
    keys = [condition.key for condition in choice.conditions]
    return one.condition_key if one.condition_key in keys else keys[0]


def record(by: Actor, at: datetime, action: str, partner: Partner, **facts: object) -> None:
    """The audit row of a change."""
    audit.record(
        street_id=partner.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="open311_partner",
        object_id=str(partner.pk),
        at=at,
        facts=facts,
    )
