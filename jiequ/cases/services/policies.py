"""What a street sets for itself in the loop: changed by the system administrator, one audit row a change.

The policy lives in ``Street.settings`` beside other apps' keys, which are left as they are. Only what differs from the
product's default is stored, so that a better default reaches every street that never chose otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.models import Street
from jiequ.people.rules import Actor, Role

from ..policy import CHOICES, RANGES, Policy


def seen_of(street: Street) -> str:
    """What a form carries to say which settings it was made from."""
    return hashlib.sha256(json.dumps(street.settings, sort_keys=True).encode()).hexdigest()[:32]


def change_policy(*, street_id: int, values: Mapping[str, Any], seen: str, by: Actor, at: datetime) -> Policy:
    """Set the fields given; the others stay. ``seen`` is ``seen_of`` the street the reader saw: Stale if it changed since.

    Refusal for a value out of its range, an unknown field or nothing changed. Clocks that run keep their limits: a
    setting counts from the next move on.
    """
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("forbidden", _("只有系统管理员能改街道规则。"))
    _check(values)
    with writing():
        street = Street.objects.filter(pk=street_id).first()
        if street is None:
            raise NotFound("no_such_street", _("没有找到这个街道。"))
        if seen_of(street) != seen:
            raise Stale("policy.stale", _("这些规则刚被别人改过，请看过最新内容再改。"))
        before = Policy.of(street.settings)
        after = Policy.of(street.settings | dict(values))
        changed = {name: value for name, value in asdict(after).items() if value != getattr(before, name)}
        if not changed:
            raise Refusal("policy.unchanged", _("没有改动。"))
        _store(street, after)
        audit.record(
            street_id=street_id,
            person_id=by.person_id,
            action="policy.changed",
            object_kind="street",
            object_id=street_id,
            at=at,
            facts={"fields": [f"{name}={_coded(getattr(before, name))}:{_coded(value)}" for name, value in changed.items()]},
        )
    return after


def _check(values: Mapping[str, Any]) -> None:
    known = asdict(Policy())
    for name, value in values.items():
        if name not in known:
            raise Refusal("policy.unknown", _("没有这项设置。"), facts={"field": name})
        if type(value) is not type(known[name]):
            raise Refusal("policy.bad_value", _("这项设置的值不对。"), facts={"field": name})
        if value not in CHOICES.get(name, (value,)):
            raise Refusal("policy.bad_value", _("这项设置的值不对。"), facts={"field": name})
        low, high = RANGES.get(name, (value, value))
        if not low <= value <= high:
            text = _("请填 %(low)s 到 %(high)s 之间的数。") % {"low": low, "high": high}
            raise Refusal("policy.out_of_range", text, facts={"field": name, "low": low, "high": high})
        if isinstance(value, str) and not 1 <= len(value.strip()) <= 20:
            raise Refusal("policy.bad_value", _("请填 1 到 20 个字。"), facts={"field": name})


def _store(street: Street, policy: Policy) -> None:
    """Conditional on the settings just read: on PostgreSQL two administrators may have read the same."""
    default = asdict(Policy())
    others = {name: value for name, value in street.settings.items() if name not in default}
    own = {name: value for name, value in asdict(policy).items() if value != default[name]}
    if Street.objects.filter(pk=street.pk, settings=street.settings).update(settings=others | own) != 1:
        raise Stale("policy.stale", _("这些规则刚被别人改过，请看过最新内容再改。"))


def _coded(value: Any) -> str:
    """A value as the audit takes it: a number or a switch; words are not repeated there."""
    return "text" if isinstance(value, str) else str(value).lower()
