"""Who calls: nobody (everybody), or the holder of a key, with how much either may ask a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiequ.core import clock, throttle
from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.http import client_network
from jiequ.people.rules import Actor, ApiScope
from jiequ.people.services import bearer_of

CALLS_A_MINUTE = 120  # (P) one network without a key
KEY_CALLS_A_MINUTE = 600  # (P) one key


@dataclass(frozen=True, slots=True)
class Caller:
    """The key's owner, as their roles are now."""

    actor: Actor
    token_id: int


def reader(request: HttpRequest, *, at: datetime | None = None) -> Caller | None:
    """Whoever reads: a key's holder (``Authorization: Bearer …``), or None for everybody. Two SELECTs with a key.

    A key in an address would stand in every log on the way, so none is read there.
    """
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    at = at or clock.now()
    if scheme.lower() == "bearer" and key.strip():
        return _caller(key.strip(), at)
    throttle.take(throttle.bucket("open311", client_network(request)), capacity=CALLS_A_MINUTE, per_seconds=60, at=at)
    return None


def writer(request: HttpRequest, *, at: datetime) -> Caller:
    """Whoever posts: the key in the form's ``api_key`` (or the header). Forbidden without a good one, said alike for all."""
    found = request.POST.get("api_key", "").strip()
    if found:
        return _caller(found, at)
    caller = reader(request, at=at)
    if caller is None:
        raise Forbidden("key_missing", _("缺少 api_key。请向管理员申请。"))
    return caller


def _caller(key: str, at: datetime) -> Caller:
    try:
        bearer = bearer_of(key[:200], at=at)
    except Refusal:
        raise Forbidden("bad_key", _("api_key 无效或已停用。")) from None
    throttle.take(throttle.bucket("open311-key", bearer.token_id), capacity=KEY_CALLS_A_MINUTE, per_seconds=60, at=at)
    if ApiScope.OPEN311 not in bearer.scopes:
        raise Forbidden("bad_key", _("api_key 无效或已停用。"))
    return Caller(bearer.actor, bearer.token_id)
