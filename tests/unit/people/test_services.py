"""Accounts and posts: what is stored, what is refused, and that a failure in the middle stores nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps

from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.core.models import AuditEntry
from jiequ.grid.models import ResponsibilityGrid
from jiequ.people import services
from jiequ.people.access import actor_for
from jiequ.people.jobs import sweep
from jiequ.people.models import Device, Person, Post, Session, Shift
from jiequ.people.rules import DepartmentKind, Role
from tests.actors import NOW, World
from tests.support.failing import fail_each_statement

DAY = timedelta(days=1)
LEGAL = {"username": "sun", "name": "孙力", "phone": "13700000009"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "1sun"},
        {"username": "s"},
        {"username": "sun li"},
        {"username": "孙"},
        {"username": "13700000009"},
        {"username": "lin"},
        {"name": ""},
        {"name": "孙" * 61},
        {"phone": "12345"},
        {"phone": "23700000009"},
        {"phone": "13800000001"},
        {"password": "short"},
    ],
)
def test_a_bad_account_is_refused_and_nothing_is_stored(world: World, wrong: dict[str, str]) -> None:
    before = Person.objects.count()
    with pytest.raises(Refusal) as told:
        services.create_person(**{**LEGAL, **wrong}, by=world.actor("xi"), at=NOW)
    assert str(told.value)
    assert Person.objects.count() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.HANDLER, {}),
        (Role.HANDLER, {"department_id": 0}),
        (Role.HANDLER, {"department": "traffic"}),
        (Role.BUREAU, {"department": "water"}),
        (Role.HANDLER, {"department": "other_sanitation", "street": "street"}),
        (Role.RESIDENT, {"street": "street"}),
        (Role.SYSTEM, {"street": "street"}),
        (Role.SYSTEM_ADMIN, {}),
        (Role.GRID_WORKER, {"street": "street"}),
    ],
)
def test_a_post_that_cannot_be_held_is_refused(world: World, role: Role, place: dict[str, Any]) -> None:
    given = dict(place)
    if "department" in given:
        given["department_id"] = world.departments[given.pop("department")].pk
    if "street" in given:
        given["street_id"] = getattr(world, given.pop("street")).pk
    with pytest.raises(Refusal):
        services.give_post(person_id=world.chen.pk, role=role, by=world.actor("xi"), at=NOW, **given)
    assert Post.objects.filter(person=world.chen).count() == 1


def test_a_department_post_stands_in_the_departments_street(world: World) -> None:
    post = services.give_post(
        person_id=world.chen.pk, role=Role.HANDLER, department_id=world.water.pk, by=world.actor("xi"), at=NOW
    )
    assert post.street == world.street
    assert actor_for(world.chen, at=NOW).has(Role.HANDLER, street_id=world.street.pk, department_id=world.water.pk)


def test_a_post_begins_and_ends_on_its_days(world: World) -> None:
    post = services.give_post(
        person_id=world.chen.pk,
        role=Role.PILOT,
        street_id=world.street.pk,
        starts_on=date(2026, 3, 6),
        by=world.actor("xi"),
        at=NOW,
    )
    assert not actor_for(world.chen, at=NOW).has(Role.PILOT)
    assert actor_for(world.chen, at=NOW + 2 * DAY).has(Role.PILOT)
    services.end_post(post_id=post.pk, ends_on=date(2026, 3, 8), by=world.actor("xi"), at=NOW + 3 * DAY)
    assert actor_for(world.chen, at=NOW + 3 * DAY).has(Role.PILOT)
    assert not actor_for(world.chen, at=NOW + 4 * DAY).has(Role.PILOT)
    with pytest.raises(NotFound):
        services.end_post(post_id=post.pk, by=world.actor("xi"), at=NOW + 5 * DAY)


def test_a_post_ended_today_is_gone_at_once(world: World) -> None:
    services.end_post(post_id=Post.objects.get(person=world.chen).pk, by=world.actor("xi"), at=NOW)
    assert actor_for(world.chen, at=NOW).seats == frozenset()


def test_an_old_form_does_not_overwrite_a_newer_change(world: World) -> None:
    by = world.actor("xi")
    values = {"phone": "", "street_id": None, "by": by, "at": NOW}
    services.change_person(person_id=world.chen.pk, version=1, name="甲", **values)
    with pytest.raises(Stale):
        services.change_person(person_id=world.chen.pk, version=1, name="乙", **values)
    services.change_department(
        department_id=world.water.pk, version=1, name_zh="水", name_en="W", is_active=True, by=by, at=NOW
    )
    with pytest.raises(Stale):
        services.change_department(
            department_id=world.water.pk, version=1, name_zh="火", name_en="F", is_active=True, by=by, at=NOW
        )


def test_a_department_with_members_stays_open(world: World) -> None:
    with pytest.raises(Refusal) as told:
        services.change_department(
            department_id=world.water.pk, version=1, name_zh="水", name_en="W", is_active=False, by=world.actor("xi"), at=NOW
        )
    assert told.value.code == "department_has_members"


def test_bureaus_are_the_districts_and_keys_are_used_once(world: World) -> None:
    def make(street_id: int | None, key: str, kind: DepartmentKind) -> None:
        services.create_department(
            street_id=street_id, key=key, name_zh="甲", name_en="A", kind=kind, by=world.actor("xi"), at=NOW
        )

    for street_id, key, kind in (
        (world.street.pk, "x", DepartmentKind.BUREAU),
        (None, "x", DepartmentKind.OFFICE),
        (world.street.pk, "hw", DepartmentKind.OFFICE),
        (None, "jt", DepartmentKind.BUREAU),
        (world.street.pk, "K 1", DepartmentKind.OFFICE),
    ):
        with pytest.raises(Refusal):
            make(street_id, key, kind)
    make(None, "hb", DepartmentKind.BUREAU)


def test_every_change_leaves_an_audit_row_without_names_or_phones(world: World) -> None:
    by = world.actor("xi")
    person = services.create_person(**LEGAL, by=by, at=NOW)
    services.change_person(person_id=person.pk, version=1, name="孙立", phone="13700000010", street_id=None, by=by, at=NOW)
    services.give_post(person_id=person.pk, role=Role.PILOT, street_id=world.street.pk, by=by, at=NOW)
    services.disable_person(person_id=person.pk, by=by, at=NOW)
    services.enable_person(person_id=person.pk, by=by, at=NOW)
    rows = list(AuditEntry.objects.order_by("pk").values_list("action", "person_id", "object_id", "facts"))
    assert [row[0] for row in rows] == [
        "person.created",
        "person.changed",
        "post.given",
        "person.disabled",
        "person.enabled",
    ]
    assert {row[1] for row in rows} == {world.xi.pk}
    assert rows[1][3] == {"fields": ["name", "phone"]}
    assert "1370000" not in str(rows)


@pytest.mark.django_db(transaction=True)
def test_a_failing_statement_leaves_nothing_by_half(world: World) -> None:
    by, chen, lead = world.actor("xi"), world.chen, world.actor("liang")
    an = world.actor("an")
    Session.objects.create(key_hash="k", data="", begun_at=NOW, idle_end_at=NOW + DAY, ends_at=NOW + DAY, person=chen)
    Device.objects.create(token_hash="t", trusted_at=NOW, ends_at=NOW + DAY, person=chen)
    acts = {
        "create": lambda: services.create_person(**LEGAL, by=by, at=NOW),
        "change": lambda: services.change_person(
            person_id=chen.pk, version=1, name="甲", phone=chen.phone, street_id=None, by=by, at=NOW
        ),
        "give": lambda: services.give_post(person_id=chen.pk, role=Role.DISPATCHER, street_id=world.street.pk, by=by, at=NOW),
        "leave": lambda: services.set_leave(
            person_id=chen.pk, deputy_id=world.liu.pk, starts_at=NOW, ends_at=NOW + DAY, by=lead, at=NOW
        ),
        "shift": lambda: services.set_shift(
            person_id=chen.pk,
            role=Role.GRID_WORKER,
            street_id=world.street.pk,
            starts_at=NOW + DAY,
            ends_at=NOW + 2 * DAY,
            by=lead,
            at=NOW,
        ),
        "hand over": lambda: services.hand_over(person_id=chen.pk, to_id=world.liu.pk, by=lead, at=NOW),
        "reset code": lambda: services.make_reset_code(person_id=chen.pk, by=an, at=NOW),
        "end sessions": lambda: services.end_sessions(person_id=chen.pk, by=an, at=NOW),
        "disable": lambda: services.disable_person(person_id=chen.pk, by=by, at=NOW),
    }
    failed = 0
    for name, act in acts.items():
        tried = fail_each_statement(act)
        failed += tried.statements
        assert tried.partial == [], name
        assert tried.swallowed == [], name
    assert failed > 40
    assert Shift.objects.get().person == world.liu
    assert set(ResponsibilityGrid.objects.values_list("worker", flat=True)) == {world.liu.pk}


WORDS_OF_COUNTING = {
    "score",
    "rank",
    "points",
    "online",
    "last_seen",
    "last_login",
    "seen_at",
    "read_at",
    "checkin",
    "active_at",
}


def test_no_column_counts_a_person(world: World) -> None:
    """Burden guard (DOMAIN §5 rules 2, 3, 6): no check-in, points, ranking, online time, last seen."""
    columns = {
        f"{model._meta.db_table}.{field.name}"
        for model in apps.get_app_config("people").get_models()
        for field in model._meta.fields
    }
    assert len(columns) > 60
    assert not [column for column in columns if WORDS_OF_COUNTING & {column.split(".")[1], *column.split(".")[1].split("_")}]
    assert not any(field.name == "last_login" for field in Person._meta.get_fields())


def test_what_has_ended_is_swept_at_night(world: World) -> None:
    for number, ends_at in enumerate((NOW - DAY, NOW + DAY)):
        times = {"begun_at": NOW - 2 * DAY, "idle_end_at": ends_at, "ends_at": ends_at}
        Session.objects.create(key_hash=str(number), data="", person=world.chen, **times)
        Device.objects.create(token_hash=str(number), trusted_at=NOW, ends_at=ends_at, person=world.chen)
    assert sweep(at=NOW) == 2
    assert (Session.objects.get().pk, Device.objects.get().token_hash) == ("1", "1")
