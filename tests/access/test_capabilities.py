"""What each role may do with people and keys: every cell of docs/roles.md §3, tried on 黄."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from jiequ.core.errors import Forbidden
from jiequ.people import services
from jiequ.people.access import actor_for
from jiequ.people.models import Person, Post
from jiequ.people.rules import Account, Actor, DepartmentKind, Role
from tests.access import table
from tests.actors import MovableClock, World

Try = Callable[[World, Actor, Any], object]


def shift(world: World, by: Actor, at: Any) -> object:
    return services.set_shift(
        person_id=world.huang.pk,
        role=Role.HANDLER,
        street_id=world.street.pk,
        department_id=world.sanitation.pk,
        starts_at=at,
        ends_at=at + timedelta(hours=4),
        by=by,
        at=at,
    )


def person_change(world: World, by: Actor, at: Any) -> object:
    huang = world.huang
    return services.change_person(
        person_id=huang.pk, version=1, name="黄河", phone=huang.phone, street_id=huang.street_id, by=by, at=at
    )


def new_department(world: World, by: Actor, at: Any) -> object:
    return services.create_department(
        street_id=world.street.pk, key="new", name_zh="新部门", name_en="New", kind=DepartmentKind.OFFICE, by=by, at=at
    )


def department_change(world: World, by: Actor, at: Any) -> object:
    return services.change_department(
        department_id=world.water.pk, version=1, name_zh="水务", name_en="Water", is_active=True, by=by, at=at
    )


def leave(world: World, by: Actor, at: Any) -> object:
    return services.set_leave(
        person_id=world.huang.pk, deputy_id=world.wu.pk, starts_at=at, ends_at=at + timedelta(days=1), by=by, at=at
    )


def administrator(world: World, by: Actor, at: Any) -> object:
    return services.create_person(
        username="second", name="第二", phone="13700000001", account=Account.SECURITY_ADMIN, by=by, at=at
    )


def enabling(world: World, by: Actor, at: Any) -> object:
    Person.objects.filter(pk=world.huang.pk).update(is_active=False, disabled_at=at)
    return services.enable_person(person_id=world.huang.pk, by=by, at=at)


CAPABILITIES: dict[str, Try] = {
    "make a person": lambda world, by, at: services.create_person(username="sun", name="孙", by=by, at=at),
    "change a person": person_change,
    "disable a person": lambda world, by, at: services.disable_person(person_id=world.huang.pk, by=by, at=at),
    "enable a person": enabling,
    "give a post": lambda world, by, at: services.give_post(
        person_id=world.huang.pk, role=Role.GRID_WORKER, street_id=world.street.pk, by=by, at=at
    ),
    "end a post": lambda world, by, at: services.end_post(
        post_id=Post.objects.get(person=world.huang).pk, ends_on=date(2026, 3, 5), by=by, at=at
    ),
    "make a department": new_department,
    "change a department": department_change,
    "set leave (self)": leave,
    "hand over work (self)": lambda world, by, at: services.hand_over(
        person_id=world.huang.pk, to_id=world.wu.pk, by=by, at=at
    ),
    "put on the rota": shift,
    "end sessions (self)": lambda world, by, at: services.end_sessions(person_id=world.huang.pk, by=by, at=at),
    "unlock": lambda world, by, at: services.unlock(person_id=world.huang.pk, by=by, at=at),
    "make a reset code": lambda world, by, at: services.make_reset_code(person_id=world.huang.pk, by=by, at=at),
    "clear a second factor": lambda world, by, at: services.reset_second_factor(person_id=world.huang.pk, by=by, at=at),
    "make an administrator": administrator,
    "reset an administrator": lambda world, by, at: services.make_reset_code(person_id=world.shen.pk, by=by, at=at),
}


def is_allowed(act: Try, world: World, by: Actor, at: Any) -> bool:
    """Tries for real, then takes it back."""
    savepoint = transaction.savepoint()
    try:
        act(world, by, at)
    except Forbidden:
        return False
    finally:
        transaction.savepoint_rollback(savepoint)
    return True


def test_every_capability_is_in_the_matrix() -> None:
    assert CAPABILITIES.keys() == table.capabilities().keys()


def test_every_role_may_do_what_the_matrix_says_and_nothing_else(world: World, clock: MovableClock) -> None:
    people = table.one_person_per_role(world, clock.at)
    expected, tried, wrong = table.capabilities(), 0, []
    for key, role in table.role_keys().items():
        by = actor_for(people[role], at=clock.at)
        for capability, act in CAPABILITIES.items():
            tried += 1
            allowed = is_allowed(act, world, by, clock.at)
            if allowed != expected[capability][key]:
                wrong.append(f"{capability} {key}: {'allowed' if allowed else 'refused'}")
    assert tried == 15 * 17
    assert not wrong, wrong


def test_the_same_role_of_another_street_or_department_may_do_none_of_it(world: World, clock: MovableClock) -> None:
    for name, role in (("wai", Role.LEADER), ("wai", Role.DUTY_LEADER), ("qian", Role.DEPARTMENT_LEAD)):
        person = world.people[name]
        if role is not Role.DEPARTMENT_LEAD:
            Post.objects.create(
                person=person, account="staff", role=role.value, street=world.other_street, starts_on="2026-01-05"
            )
        by = actor_for(person, at=clock.at)
        assert by.has(role)
        assert not any(is_allowed(act, world, by, clock.at) for act in CAPABILITIES.values()), (name, role)


def test_everybody_may_set_leave_hand_over_and_end_sessions_for_themselves(world: World, clock: MovableClock) -> None:
    by = actor_for(world.huang, at=clock.at)
    selfish = [name for name in CAPABILITIES if name.endswith("(self)")]
    assert len(selfish) == 3
    assert all(is_allowed(CAPABILITIES[name], world, by, clock.at) for name in selfish)
    others = CAPABILITIES.keys() - set(selfish)
    assert not any(is_allowed(CAPABILITIES[name], world, by, clock.at) for name in others)
