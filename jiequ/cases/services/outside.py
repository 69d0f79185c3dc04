"""Systems from outside: whose token is good, what they hand in, and who lets them in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.core import audit, pictures
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Unauthenticated
from jiequ.core.ids import new_token, token_hash
from jiequ.people.rules import Actor, Role

from ..models import OutsideSystem, SystemKind
from .doors import check_street, clean_name
from .filing import accept
from .intake import Account, Reported, report_case, site_of

HOTLINE_NAME = "12345"
"""Orders typed in by hand carry this name; a hotline of the whole district may share it, so that no order comes twice."""


def system_of_token(token: str) -> OutsideSystem:
    """The system that holds this token. One SELECT. Unauthenticated for an unknown or a revoked one."""
    found = OutsideSystem.objects.select_related("street").filter(token_hash=token_hash(token), is_active=True).first()
    if found is None or (found.street is not None and not found.street.is_active):
        raise Unauthenticated("bad_token", _("令牌无效或已停用，请联系系统管理员。"))
    return found


def report_from_outside(
    system: OutsideSystem,
    *,
    street_id: int | None,
    account: Account,
    photos: Sequence[pictures.Clean] = (),
    at: datetime,
) -> Reported:
    """Store what a system reports; a reference that came before gives the case it gave then.

    ``street_id`` counts where no point or unit grid tells the street (a community's; None: the system's own). A trusted
    system's report is filed at once if type and grid are known. Raises Forbidden for a place in a street that is not the
    system's, and whatever ``report_case`` refuses.
    """
    site = site_of(account.place, street_id or system.street_id)
    if system.street_id not in (None, site.street_id):
        raise Forbidden("not_your_street", _("这个位置不在令牌所属的街道。"), facts={"field": "place"})
    try:
        with writing():
            return _first_report(system, account, photos, site.street_id, at=at)
    except _Repeated as repeated:
        return repeated.done


class _Repeated(Exception):
    """Carries the case of an earlier report out of the transaction, which is thereby undone (photos came again)."""

    def __init__(self, done: Reported) -> None:
        super().__init__(done.case.number)
        self.done = done


def _first_report(
    system: OutsideSystem, account: Account, photos: Sequence[pictures.Clean], street_id: int, *, at: datetime
) -> Reported:
    by = Actor.system()
    kept = [pictures.keep(photo, street_id=street_id, at=at) for photo in photos]
    done = report_case(street_id=street_id, account=replace(account, pictures=kept), by=by, at=at)
    if not done.is_new:
        raise _Repeated(done)
    if system.is_trusted and done.case.condition_id and done.case.unit_grid_id:
        accept(done.case, by=by, at=at)
    return done


def said_hash(*parts: str) -> str:
    """What a system said, as a hash: the same words, place and photos give the same one."""
    return sha256("\0".join(parts).encode()).hexdigest()


# -- the system administrator's part ---------------------------------------------------------------------------------


def make_system(
    *, name: str, kind: str, street_id: int | None, is_trusted: bool, by: Actor, at: datetime
) -> tuple[OutsideSystem, str]:
    """A new system and its token, which is shown once and kept as a hash only."""
    _require(by)
    name = clean_name(name, _("请填写系统名称，不超过 40 字。"))
    if kind not in SystemKind.values:
        raise Refusal("bad_kind", _("请选择来源类别。"), facts={"field": "kind"})
    if name == HOTLINE_NAME and (kind != SystemKind.HOTLINE or street_id is not None):
        raise Refusal("name_kept", _("“12345”这个名称只能用于全区的热线。"), facts={"field": "name"})
    check_street(street_id)
    token = new_token()
    system = OutsideSystem(
        name=name,
        token_hash=token_hash(token),
        kind=kind,
        is_trusted=is_trusted,
        street_id=street_id,
        made_at=at,
        made_by=by.person_id,
    )
    try:
        with writing():
            system.save(force_insert=True)
            _record(by, at, "outside_system.made", system)
    except IntegrityError:
        raise Refusal("name_taken", _("已经有叫这个名称的系统。"), facts={"field": "name"}) from None
    return system, token


def renew_token(*, system_id: int, by: Actor, at: datetime) -> tuple[OutsideSystem, str]:
    """Another token for a system in use; the one before stops at once."""
    _require(by)
    token = new_token()
    with writing():
        _change(system_id, token_hash=token_hash(token), renewed_at=at)
        system = OutsideSystem.objects.get(pk=system_id)
        _record(by, at, "outside_system.renewed", system)
    return system, token


def revoke_system(*, system_id: int, by: Actor, at: datetime) -> OutsideSystem:
    """The system is let in no more; what it reported stays."""
    _require(by)
    with writing():
        _change(system_id, is_active=False, revoked_at=at)
        system = OutsideSystem.objects.get(pk=system_id)
        _record(by, at, "outside_system.revoked", system)
    return system


def _require(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def _change(system_id: int, **values: object) -> None:
    if OutsideSystem.objects.filter(pk=system_id, is_active=True).update(**values) != 1:
        raise NotFound("no_such_system", _("没有这个系统，或者已经停用。"))


def _record(by: Actor, at: datetime, action: str, system: OutsideSystem) -> None:
    audit.record(
        street_id=system.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="outside_system",
        object_id=str(system.pk),
        at=at,
        facts={"kind": system.kind, "trusted": system.is_trusted},
    )
