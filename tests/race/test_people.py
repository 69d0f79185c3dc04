"""Several at once at one person: one administrator's phone, one code, one leave. Each twin reads, decides, then writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection

from jiequ.core.errors import Refusal
from jiequ.people import services
from jiequ.people.models import Leave, Person, Post, ResetCode
from jiequ.people.rules import Account, Actor, Role
from jiequ.people.services import leaves, second_factor
from tests.actors import NOW, SINCE, World

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, ROUNDS = 6, 8
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def winners(act: Callable[[int], object]) -> int:
    """How many of WRITERS threads, started together, were not refused."""
    together = Barrier(WRITERS)

    def one(number: int) -> int:
        try:
            together.wait(timeout=30)
            act(number)
        except (Refusal, IntegrityError):
            return 0
        finally:
            connection.close()
        return 1

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(one, range(WRITERS)))


def rounds(play: Callable[[int], Callable[[int], object]]) -> list[int]:
    """The winners of each round; ``play`` prepares it."""
    return [winners(play(number)) for number in range(ROUNDS)]


def test_one_phone_makes_one_administrator_however_many_try(world: World) -> None:
    def play(number: int) -> Callable[[int], object]:
        accounts = [Account.SYSTEM_ADMIN, Account.SECURITY_ADMIN, Account.AUDIT_ADMIN] * 2
        return lambda writer: services.create_person(
            username=f"admin-{number}-{writer}",
            name="某",
            phone=f"137000001{number:02d}",
            account=accounts[writer],
            by=Actor.system(),
            at=NOW,
        )

    assert rounds(play) == [1] * ROUNDS


def test_the_twin_that_looks_first_makes_several(world: World) -> None:
    def play(number: int) -> Callable[[int], object]:
        def act(writer: int) -> None:
            if Person.objects.filter(name=f"某{number}").exists():
                raise Refusal("taken", "")
            time.sleep(0.003)
            Person.objects.create(username=f"twin-{number}-{writer}", name=f"某{number}", created_at=NOW)

        return act

    assert sum(rounds(play)) > ROUNDS


def test_no_account_becomes_two_administrators_under_pressure(world: World) -> None:
    roles = [Role.AUDIT_ADMIN, Role.SECURITY_ADMIN, Role.ACCEPTOR, Role.LEADER]

    def play(_number: int) -> Callable[[int], object]:
        def act(writer: int) -> None:
            role = roles[writer % len(roles)]
            account = role.value if role.value in set(Account) else "staff"
            if writer % 2:
                Person.objects.filter(pk=world.xi.pk).update(account=account)
            Post.objects.create(person=world.xi, account=account, role=role.value, starts_on=SINCE)

        return act

    assert rounds(play) == [0] * ROUNDS
    assert list(Post.objects.filter(person=world.xi).values_list("role", flat=True)) == ["system_admin"]


def test_a_reset_code_sets_one_password(world: World) -> None:
    def play(number: int) -> Callable[[int], object]:
        at = NOW + timedelta(hours=2 * number)
        code = services.make_reset_code(person_id=world.chen.pk, by=Actor.system(), at=at)
        return lambda writer: services.use_reset_code(
            login="chen", code=code, new=f"another-river-{writer}", network=str(writer), at=at
        )

    assert rounds(play) == [1] * ROUNDS


def test_the_twin_that_reads_the_code_first_sets_several(world: World) -> None:
    def play(number: int) -> Callable[[int], object]:
        ResetCode.objects.all().delete()
        code = ResetCode.objects.create(person=world.chen, code_hash=str(number), made_at=NOW, ends_at=NOW)

        def act(_writer: int) -> None:
            if ResetCode.objects.get(pk=code.pk).used_at is not None:
                raise Refusal("used", "")
            time.sleep(0.003)
            ResetCode.objects.filter(pk=code.pk).update(used_at=NOW)

        return act

    assert sum(rounds(play)) > ROUNDS


def test_six_digits_let_one_browser_in(world: World) -> None:
    first = code_at(0)
    services.confirm_second_factor(person_id=world.lin.pk, secret=SECRET, code=first, at=NOW)
    world.lin.refresh_from_db()

    def play(number: int) -> Callable[[int], object]:
        at = NOW + timedelta(hours=number + 1)
        code = code_at(number + 1)
        return lambda _writer: services.check_second_factor(person=world.lin, code=code, at=at)

    assert rounds(play) == [1] * ROUNDS


def code_at(hours: int) -> str:
    """The digits of SECRET so many hours after NOW."""
    at = int((NOW + timedelta(hours=hours)).timestamp())
    generator = second_factor.TOTP(second_factor.b32decode(SECRET), 6, second_factor.SHA1(), 30)
    return generator.generate(at).decode()


def leave_in(number: int, world: World) -> Callable[[int], object]:
    starts_at = NOW + timedelta(days=10 * number)
    return lambda writer: services.set_leave(
        person_id=world.chen.pk,
        deputy_id=world.liu.pk,
        starts_at=starts_at + timedelta(hours=writer),
        ends_at=starts_at + timedelta(days=1, hours=writer),
        by=Actor.system(),
        at=NOW,
    )


def test_one_person_goes_on_one_leave_at_a_time(world: World) -> None:
    assert rounds(lambda number: leave_in(number, world)) == [1] * ROUNDS


def test_without_holding_the_persons_row_leaves_overlap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(person_id: int, **_given: Any) -> Person:
        return Person.objects.get(pk=person_id)

    monkeypatch.setattr(leaves, "hold", read)
    assert sum(rounds(lambda number: leave_in(number, world))) > ROUNDS
    assert Leave.objects.count() > ROUNDS
