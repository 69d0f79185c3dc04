"""A street's own rules: who changes them, what is refused, and that a change counts from the next move on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases import clocks as c
from jiequ.cases import services
from jiequ.cases.policy import RANGES, Policy
from jiequ.cases.services.policies import change_policy, seen_of
from jiequ.cases.views_policy import MEANINGS
from jiequ.core.errors import Forbidden, Refusal, Stale
from jiequ.core.models import AuditEntry, Street
from tests.actors import NOW, World
from tests.casework import Casework


def change(world: World, name: str = "xi", *, seen: str | None = None, **values: Any) -> Policy:
    street = Street.objects.get(pk=world.street.pk)
    return change_policy(
        street_id=street.pk, values=values, seen=seen_of(street) if seen is None else seen, by=world.actor(name), at=NOW
    )


def test_the_administrator_changes_a_rule_and_the_other_keys_of_the_street_stay(world: World) -> None:
    Street.objects.filter(pk=world.street.pk).update(settings={"map_system": "gcj02", "bounce_limit": 3})
    after = change(world, desk_minutes=45)
    assert (after.desk_minutes, after.bounce_limit) == (45, 3)
    stored = Street.objects.get(pk=world.street.pk).settings
    assert stored == {"map_system": "gcj02", "bounce_limit": 3, "desk_minutes": 45}
    assert Street.objects.get(pk=world.other_street.pk).settings == {}
    entry = AuditEntry.objects.get(action="policy.changed")
    assert entry.street_id == world.street.pk
    assert entry.facts == {"fields": ["desk_minutes=30:45"]}


def test_a_rule_put_back_to_the_default_is_no_longer_stored(world: World) -> None:
    change(world, desk_minutes=45)
    change(world, desk_minutes=30)
    assert Street.objects.get(pk=world.street.pk).settings == {}


def test_a_new_limit_counts_from_the_next_report_on(work: Casework) -> None:
    old = work.just_reported()
    change(work.world, desk_minutes=60)
    new = work.just_reported()
    assert c.load(old.clocks)[c.ClockKind.ACCEPT].due_at - NOW == timedelta(minutes=30)
    assert c.load(new.clocks)[c.ClockKind.ACCEPT].due_at - NOW == timedelta(minutes=60)


def test_a_shorter_undo_is_what_the_street_gets(work: Casework) -> None:
    change(work.world, undo_seconds=5)
    case = work.fresh(work.just_reported(), "lin")
    event = services.accept(case, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    assert services.undo_until(event, case) == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("name", ["lin", "he", "du", "an", "shen", "chen"])
def test_nobody_but_the_system_administrator_changes_rules(world: World, name: str) -> None:
    with pytest.raises(Forbidden):
        change(world, name, desk_minutes=45)
    assert Street.objects.get(pk=world.street.pk).settings == {}


def test_two_administrators_who_saw_the_same_rules_do_not_overwrite_each_other(world: World) -> None:
    seen = seen_of(Street.objects.get(pk=world.street.pk))
    change(world, seen=seen, desk_minutes=45)
    with pytest.raises(Stale):
        change(world, seen=seen, desk_minutes=60)
    assert Street.objects.get(pk=world.street.pk).settings == {"desk_minutes": 45}


@pytest.mark.parametrize(
    "values",
    [
        {"bounce_limit": 0},
        {"bounce_limit": 6},
        {"undo_seconds": 0},
        {"keep_days": 10_000},
        {"self_handled_sample": 1.5},
        {"self_handled_sample": float("nan")},
        {"desk_minutes": "30"},
        {"desk_minutes": True},
        {"first_responsible_term": " "},
        {"first_responsible_term": "长" * 21},
        {"no_such_rule": 1},
        {},
        {"desk_minutes": 30},
    ],
)
def test_a_value_out_of_range_of_the_wrong_kind_or_unchanged_is_refused(world: World, values: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        change(world, **values)
    assert Street.objects.get(pk=world.street.pk).settings == {}
    assert not AuditEntry.objects.filter(action="policy.changed").exists()


def test_every_rule_has_a_meaning_a_mark_and_a_range_around_its_default() -> None:
    default = Policy()
    names = set(Policy.__dataclass_fields__)
    assert set(MEANINGS) == names
    assert {meaning.mark for meaning in MEANINGS.values()} <= {"T", "C", "P"}
    numbers = {n for n in names if type(getattr(default, n)) in (int, float)}
    assert set(RANGES) == numbers
    assert all(low <= getattr(default, name) <= high for name, (low, high) in RANGES.items())
