"""Programs' keys to the API: an administrator allows one, its owner draws it, whoever holds it acts within the owner's roles.

No administrator ever sees a key: the system administrator, who may touch no case, would otherwise be able to act as anybody
(DOMAIN §9, three administrators that cannot be one person).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Unauthenticated
from jiequ.core.ids import new_token, token_hash
from jiequ.core.models import Street

from ..access import actor_for
from ..models import ApiToken, Person
from ..rules import LONGEST_TOKEN, Account, Actor, ApiScope, Role
from .common import hold, no_such_person, record, require

PREFIX = "jq_"
"""Every such key begins so: a scanner for leaked secrets knows it, and we know which table to ask."""
_NAME_MAX = 40
MOST_LIVE = 20  # (P) live keys of one person


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever calls with a key: the actor as its owner's roles are now, and what the key may be used for."""

    token_id: int
    actor: Actor
    scopes: frozenset[str]


def bearer_of(token: str, *, at: datetime) -> Bearer:
    """Two SELECTs. Unauthenticated for a key that is unknown, revoked, out of date, or whose owner is gone, said alike."""
    found = (
        ApiToken.objects.select_related("person", "street")
        .filter(token_hash=token_hash(token), ends_at__gt=at, person__is_active=True, person__account=Account.STAFF.value)
        .first()
    )
    if found is None or (found.street is not None and not found.street.is_active):
        raise Unauthenticated("bad_token", _("令牌无效或已停用，请联系系统管理员。"))
    actor = actor_for(found.person, at=at, is_strong=False).within(found.street_id)
    return Bearer(found.pk, actor, frozenset(found.scopes))


def allow_token(
    *, name: str, person_id: int, scopes: Collection[str], street_id: int | None, days: int, by: Actor, at: datetime
) -> ApiToken:
    """A key that its owner may draw, for ``days`` days. Refusal for an administrator's account: none acts through a program."""
    require(by, Role.SYSTEM_ADMIN)
    name = " ".join(name.split())
    if not 1 <= len(name) <= _NAME_MAX:
        raise Refusal("bad_name", _("请填写令牌的用途，不超过 40 字。"), facts={"field": "name"})
    known = [scope.value for scope in ApiScope if scope.value in set(scopes)]
    if not known or len(known) != len(set(scopes)):
        raise Refusal("bad_scopes", _("请选择令牌的权限范围。"), facts={"field": "scopes"})
    if not 1 <= days <= LONGEST_TOKEN.days:
        raise Refusal("bad_days", _("有效期是 1 至 366 天。"), facts={"field": "days"})
    if street_id is not None and not Street.objects.filter(pk=street_id, is_active=True).exists():
        raise Refusal("no_such_street", _("没有这个街道。"), facts={"field": "street"})
    with writing():
        person = hold(person_id)
        if person.account != Account.STAFF:
            raise Forbidden("administrator_has_no_token", _("管理员账号不能有令牌。"))
        if ApiToken.objects.filter(person=person, revoked_at=None, ends_at__gt=at).count() >= MOST_LIVE:
            raise Refusal("too_many_tokens", _("这个人已有 %(n)d 个有效的令牌，请先停用不用的。") % {"n": MOST_LIVE})
        token = ApiToken.objects.create(
            name=name,
            scopes=known,
            street_id=street_id,
            made_at=at,
            ends_at=at + timedelta(days=days),
            person=person,
            made_by_id=by.person_id,
        )
        _record(by, at, "api_key.allowed", token)
    return token


def draw_token(*, token_id: int, by: Actor, at: datetime) -> tuple[ApiToken, str]:
    """The key itself, shown to its owner this once; the one drawn before stops at once."""
    secret = PREFIX + new_token()
    values = {"token_hash": token_hash(secret), "last4": secret[-4:], "drawn_at": at}
    with writing():
        token = _change(ApiToken.objects.filter(pk=token_id, person_id__in=_own(by), ends_at__gt=at), values)
        _record(by, at, "api_key.drawn", token)
    return token, secret


def renew_token(*, token_id: int, by: Actor, at: datetime) -> ApiToken:
    """The key in use stops at once; the owner draws another."""
    require(by, Role.SYSTEM_ADMIN)
    with writing():
        token = _change(ApiToken.objects.filter(pk=token_id), {"token_hash": "", "last4": "", "drawn_at": None})
        _record(by, at, "api_key.renewed", token)
    return token


def revoke_token(*, token_id: int, by: Actor, at: datetime) -> ApiToken:
    """An end to it, by the system administrator or its owner."""
    rows = ApiToken.objects.filter(pk=token_id)
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        rows = rows.filter(person_id__in=_own(by))
    with writing():
        token = _change(rows, {"token_hash": "", "revoked_at": at})
        _record(by, at, "api_key.revoked", token)
    return token


def person_named(login: str) -> Person:
    """A staff account by its user name; NotFound for any other."""
    found = Person.objects.active().filter(username=login.strip(), account=Account.STAFF.value).first()
    if found is None:
        raise no_such_person()
    return found


def _own(by: Actor) -> list[int]:
    return [] if by.person_id is None else [by.person_id]


def _change(rows: Any, values: dict[str, Any]) -> ApiToken:
    token = rows.filter(revoked_at=None).select_related("person").first()
    if token is None or not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(**values):
        raise NotFound("no_such_token", _("没有这个令牌，或者已经停用。"))
    for name, value in values.items():
        setattr(token, name, value)
    found: ApiToken = token
    return found


def _record(by: Actor, at: datetime, action: str, token: ApiToken) -> None:
    record(by, at, action, token.person, api_key=token.pk, scopes=token.scopes, bound_to=token.street_id)
