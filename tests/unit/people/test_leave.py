"""Leave and deputy: who acts, who is told, and who may arrange it (DOMAIN §2 A/B 角)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.people import queries, services
from jiequ.people.access import actor_for
from jiequ.people.models import Leave, Person, Post, Shift
from jiequ.people.rules import Actor, Role
from tests.actors import NOW, World

DAY = timedelta(days=1)


def away(world: World, name: str, deputy: str, *, start: datetime = NOW, days: int = 3) -> Leave:
    return services.set_leave(
        person_id=world.people[name].pk,
        deputy_id=world.people[deputy].pk,
        starts_at=start,
        ends_at=start + days * DAY,
        by=world.actor(name, start),
        at=start,
    )


def test_the_deputy_has_the_seats_during_the_leave_and_not_before_or_after(world: World) -> None:
    away(world, "he", "liang")
    street = world.street.pk
    assert world.actor("liang", NOW).roles_in(street) == {Role.DUTY_LEADER, Role.LEADER}
    assert world.actor("liang", NOW).stands_for(world.he.pk)
    assert world.actor("liang", NOW).person_ids == {world.liang.pk, world.he.pk}
    for at in (NOW - timedelta(seconds=1), NOW + 3 * DAY):
        assert world.actor("liang", at).roles_in(street) == {Role.DUTY_LEADER}
        assert not world.actor("liang", at).stands_for(world.he.pk)


def test_a_lent_desk_counts_only_after_the_second_factor(world: World) -> None:
    away(world, "lin", "chen")
    weak = actor_for(world.chen, at=NOW, is_strong=False)
    assert weak.roles_in(world.street.pk) == {Role.GRID_WORKER}
    assert Role.DISPATCHER in actor_for(world.chen, at=NOW, is_strong=True).roles_in(world.street.pk)


def test_deputies_are_followed_through_three_and_no_circle_hangs(world: World) -> None:
    away(world, "chen", "liu")
    away(world, "liu", "huang")
    away(world, "huang", "wu")
    assert queries.deputy_of(world.chen.pk, NOW) == world.wu.pk
    assert world.actor("wu").acting_for == {world.chen.pk, world.liu.pk, world.huang.pk}
    with pytest.raises(Refusal, match="代理"):
        away(world, "wu", "chen")
    Leave.objects.create(person=world.wu, deputy=world.chen, starts_at=NOW, ends_at=NOW + DAY)
    assert queries.deputy_of(world.chen.pk, NOW) == world.wu.pk
    Leave.objects.all().delete()
    Leave.objects.create(person=world.chen, deputy=world.liu, starts_at=NOW, ends_at=NOW + DAY)
    Leave.objects.create(person=world.liu, deputy=world.chen, starts_at=NOW, ends_at=NOW + DAY)
    assert queries.deputy_of(world.chen.pk, NOW) == world.liu.pk


def test_a_disabled_deputy_gets_nothing(world: World) -> None:
    away(world, "chen", "liu")
    Person.objects.filter(pk=world.liu.pk).update(is_active=False, disabled_at=NOW)
    assert queries.deputy_of(world.chen.pk, NOW) == world.chen.pk


def test_coming_back_early_ends_it_at_once(world: World) -> None:
    leave = away(world, "he", "liang")
    services.cancel_leave(leave_id=leave.pk, by=world.actor("he"), at=NOW + DAY)
    assert not queries.is_on_leave(world.he.pk, NOW + DAY)
    assert queries.deputy_of(world.he.pk, NOW + DAY) == world.he.pk
    with pytest.raises(NotFound):
        services.cancel_leave(leave_id=leave.pk, by=world.actor("he"), at=NOW + DAY)


@pytest.mark.parametrize(("by", "may"), [("wu", True), ("liang", True), ("he", True), ("qian", False), ("wai", False)])
def test_who_leads_may_arrange_it(world: World, by: str, may: bool) -> None:
    def arrange() -> None:
        services.set_leave(
            person_id=world.huang.pk,
            deputy_id=world.zhao.pk,
            starts_at=NOW,
            ends_at=NOW + DAY,
            by=world.actor(by),
            at=NOW,
        )

    if may:
        arrange()
    else:
        with pytest.raises(Forbidden):
            arrange()


def test_another_streets_person_is_no_deputy(world: World) -> None:
    with pytest.raises(Refusal) as told:
        away(world, "lin", "wai")
    assert told.value.code == "no_such_person"


def test_one_cannot_be_away_twice_at_once(world: World) -> None:
    away(world, "chen", "liu")
    with pytest.raises(Refusal) as told:
        away(world, "chen", "huang", start=NOW + DAY)
    assert told.value.code == "leave_overlaps"
    away(world, "chen", "huang", start=NOW + 3 * DAY)


def test_on_duty_names_the_rota_else_the_lead_else_all_and_the_deputy_for_whoever_is_away(world: World) -> None:
    def duty(**place: object) -> list[str]:
        return [person.username for person in queries.on_duty(at=NOW, **place)]  # type: ignore[arg-type]

    assert duty(department_id=world.sanitation.pk) == ["wu"]
    assert duty(role=Role.GRID_WORKER, street_id=world.street.pk) == ["liu", "chen"]
    assert duty(role=Role.ACCEPTOR, street_id=world.street.pk) == ["lin"]
    assert duty(role=Role.SUPERVISOR, street_id=world.street.pk) == ["du"]
    assert duty(role=Role.ACCEPTOR, street_id=world.other_street.pk) == ["wai"]
    Shift.objects.create(
        person=world.huang,
        role="handler",
        street=world.street,
        department=world.sanitation,
        starts_at=NOW - DAY,
        ends_at=NOW + DAY,
    )
    assert duty(department_id=world.sanitation.pk) == ["huang"]
    away(world, "huang", "zhao")
    assert duty(department_id=world.sanitation.pk) == ["zhao"]


def test_on_duty_takes_four_statements_at_most(world: World, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(4):  # type: ignore[operator]
        queries.on_duty(role=Role.GRID_WORKER, street_id=world.street.pk, at=NOW)


def test_hand_over_moves_registered_work_shifts_and_deputyships(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from jiequ.people.services import handover

    moved: list[tuple[int, int]] = []

    def move(*, person_id: int, to_id: int, by: Actor, at: datetime) -> int:
        moved.append((person_id, to_id))
        return 4

    monkeypatch.setattr(handover, "_hooks", {})
    services.on_hand_over("cases", move, lambda person_id, at: 0 if moved else 4)
    away(world, "liu", "chen", start=NOW + DAY)
    with pytest.raises(Refusal) as told:
        services.disable_person(person_id=world.chen.pk, by=world.actor("xi"), at=NOW)
    assert (told.value.code, told.value.facts) == ("hand_over_first", {"left": 4})
    counts = services.hand_over(person_id=world.chen.pk, to_id=world.huang.pk, by=world.actor("liang"), at=NOW)
    assert counts == {"cases": 4, "shifts": 0, "deputyships": 1}
    assert moved == [(world.chen.pk, world.huang.pk)]
    assert Leave.objects.get().deputy == world.huang
    services.disable_person(person_id=world.chen.pk, by=world.actor("xi"), at=NOW)
    assert not Post.objects.filter(person=world.chen, ends_on=None).exists()
    assert actor_for(world.chen, at=NOW).seats == frozenset()


def test_a_department_is_found_by_its_key_in_the_street_then_in_the_district(world: World) -> None:
    assert queries.department_by_key(world.street.pk, "hw") == world.sanitation
    assert queries.department_by_key(world.other_street.pk, "hw") == world.other_sanitation
    assert queries.department_by_key(world.street.pk, "jt") == world.traffic
    assert queries.department_by_key(world.other_street.pk, "sw") is None
    assert [person.username for person in queries.members(world.sanitation.pk, NOW)] == ["wu", "huang"]
