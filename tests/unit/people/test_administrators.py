"""The three administrators cannot be one person, whoever tries, by whatever way (DOMAIN §9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from jiequ.core.errors import Forbidden, Refusal
from jiequ.people import services
from jiequ.people.access import actor_for
from jiequ.people.models import Leave, Person, Post
from jiequ.people.rules import ADMIN_ROLES, CASE_ROLES, Account, Actor, HeldPost, Role, Seat
from tests.actors import NOW, SINCE, World

SYSTEM = Actor.system()


def new_administrator(account: Account, phone: str, username: str = "second") -> Person:
    return services.create_person(username=username, name="某", phone=phone, account=account, by=SYSTEM, at=NOW)


def test_an_administrators_account_brings_its_one_post(world: World) -> None:
    person = new_administrator(Account.SECURITY_ADMIN, "13700000001")
    assert actor_for(person, at=NOW).seats == {Seat(Role.SECURITY_ADMIN)}


def test_administrators_are_made_on_the_server_only(world: World) -> None:
    for name in ("xi", "an", "shen", "he"):
        with pytest.raises(Forbidden):
            services.create_person(
                username="x2", name="某", phone="13700000001", account=Account.SYSTEM_ADMIN, by=world.actor(name), at=NOW
            )


@pytest.mark.parametrize("phone", ["", "13800000021"])
def test_each_administrator_has_a_phone_nobody_else_has(world: World, phone: str) -> None:
    with pytest.raises(Refusal):
        new_administrator(Account.AUDIT_ADMIN, phone)


@pytest.mark.parametrize("role", sorted(CASE_ROLES | ADMIN_ROLES))
def test_an_administrator_is_given_no_other_post(world: World, role: Role) -> None:
    place = {"street_id": world.street.pk}
    if role in {Role.HANDLER, Role.DEPARTMENT_LEAD, Role.OFFICER}:
        place = {"department_id": world.water.pk}
    if role is Role.BUREAU:
        place = {"department_id": world.traffic.pk}
    for name in ("xi", "an", "shen"):
        with pytest.raises(Refusal):
            services.give_post(person_id=world.people[name].pk, role=role, by=SYSTEM, at=NOW, **place)
        assert Post.objects.filter(person=world.people[name]).count() == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda world: Post.objects.create(person=world.xi, account="security_admin", role="security_admin", starts_on=SINCE),
        lambda world: Post.objects.create(person=world.xi, account="staff", role="acceptor", starts_on=SINCE),
        lambda world: Post.objects.create(person=world.xi, account="system_admin", role="acceptor", starts_on=SINCE),
        lambda world: Post.objects.create(person=world.lin, account="audit_admin", role="audit_admin", starts_on=SINCE),
        lambda world: Post.objects.create(person=world.lin, account="staff", role="audit_admin", starts_on=SINCE),
        lambda world: Post.objects.filter(person=world.xi).update(role="audit_admin"),
        lambda world: Post.objects.filter(person=world.xi).update(role="audit_admin", account="audit_admin"),
        lambda world: Post.objects.filter(person=world.xi).update(person=world.an),
        lambda world: Person.objects.filter(pk=world.xi.pk).update(account="audit_admin"),
        lambda world: Person.objects.filter(pk=world.lin.pk).update(account="system_admin"),
        lambda world: Person.objects.filter(pk=world.xi.pk).update(phone=world.an.phone),
        lambda world: Person.objects.filter(pk=world.xi.pk).update(phone=""),
        lambda world: raw(f"UPDATE people_person SET account = 'audit_admin' WHERE id = {world.xi.pk}"),
        lambda world: raw(f"UPDATE people_post SET person_id = {world.xi.pk} WHERE person_id = {world.lin.pk}"),
    ],
)
def test_the_database_refuses_what_the_code_would_not_do(world: World, write: Callable[[World], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write(world)


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.sqlite
def test_without_the_triggers_raw_sql_would_do_it(world: World) -> None:
    """The broken twin: the refusals above come from the triggers, not from luck."""
    with transaction.atomic():
        for name in ("person_account_fixed", "post_account_insert"):
            raw(f"DROP TRIGGER people_{name}")
        assert Person.objects.filter(pk=world.xi.pk).update(account="audit_admin") == 1
        Post.objects.create(person=world.xi, account="audit_admin", role="audit_admin", starts_on=SINCE)
        assert len(actor_for(world.xi, at=NOW).seats) == 2
        transaction.set_rollback(True)


def test_administrators_have_no_deputies_and_are_none(world: World) -> None:
    for person, deputy in ((world.xi, world.lin), (world.lin, world.xi), (world.xi, world.an)):
        with pytest.raises(Refusal):
            services.set_leave(
                person_id=person.pk, deputy_id=deputy.pk, starts_at=NOW, ends_at=NOW.replace(year=2027), by=SYSTEM, at=NOW
            )


def test_an_administrators_seat_is_lent_to_nobody_even_by_a_stray_row(world: World) -> None:
    Leave.objects.create(person=world.shen, deputy=world.lin, starts_at=NOW, ends_at=NOW.replace(year=2027))
    Leave.objects.create(person=world.he, deputy=world.xi, starts_at=NOW, ends_at=NOW.replace(year=2027))
    assert world.actor("lin").roles_in(world.street.pk) == {Role.ACCEPTOR, Role.DISPATCHER}
    assert world.actor("xi").seats == {Seat(Role.SYSTEM_ADMIN)}
    assert world.actor("xi").acting_for == frozenset()


def test_the_last_administrator_of_a_kind_cannot_be_disabled(world: World) -> None:
    with pytest.raises(Refusal) as told:
        services.disable_person(person_id=world.an.pk, by=world.actor("xi"), at=NOW)
    assert told.value.code == "last_administrator"
    new_administrator(Account.SECURITY_ADMIN, "13700000001")
    services.disable_person(person_id=world.an.pk, by=world.actor("xi"), at=NOW)
    with pytest.raises(Refusal, match="自己"):
        services.disable_person(person_id=world.xi.pk, by=world.actor("xi"), at=NOW)


def test_rules_alone_give_an_administrator_nothing_lent() -> None:
    mine, lent = HeldPost(1, Seat(Role.AUDIT_ADMIN)), HeldPost(2, Seat(Role.LEADER, 1))
    assert Actor.of_posts(1, [mine, lent]).seats == {Seat(Role.AUDIT_ADMIN)}
    assert Actor.of_posts(2, [lent, HeldPost(1, Seat(Role.AUDIT_ADMIN))]).seats == {Seat(Role.LEADER, 1)}
