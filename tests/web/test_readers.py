"""Who is reading a row: seen by the desk of the street while it lasts, by nobody else, and kept nowhere."""

from __future__ import annotations

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Reading
from jiequ.people.models import Session
from jiequ.web.live.watching import Watch
from tests.actors import MovableClock
from tests.casework import Casework
from tests.statements import statements_of

PARTS = "/desk/{}/reading"


@pytest.fixture
def case(work: Casework, clock: MovableClock) -> Case:
    return work.just_reported()


def seen_by(work: Casework, name: str, case: Case) -> str:
    return str(work.world.client(name).get(f"/desk/readers?cases={case.pk},999999").json().get(str(case.pk), ""))


def read(client: Client, case: Case, **data: str) -> int:
    return client.post(PARTS.format(case.number), data).status_code


def test_others_at_the_desk_see_who_reads_a_row_and_the_reader_does_not(work: Casework, case: Case) -> None:
    assert read(work.world.client("lin"), case) == 204
    assert seen_by(work, "liang", case) == "林晓 正在看"
    assert seen_by(work, "lin", case) == ""
    read(work.world.client("liang"), case)
    assert seen_by(work, "he", case) == "林晓、梁宽 正在看"


def test_it_is_gone_when_closed_and_within_a_minute_by_itself(work: Casework, case: Case, clock: MovableClock) -> None:
    lin = work.world.client("lin")
    read(lin, case)
    read(lin, case, away="1")
    assert seen_by(work, "liang", case) == ""
    read(lin, case)
    clock.move(seconds=59)
    assert seen_by(work, "liang", case) == ""


def test_nothing_of_it_is_kept(work: Casework, case: Case, clock: MovableClock) -> None:
    """The burden guard: no history, no count, no time of anybody's."""
    lin = work.world.client("lin")
    for _n in range(5):
        read(lin, case)
        clock.move(seconds=20)
    assert Reading.objects.count() == 1
    assert {field.name for field in Reading._meta.get_fields()} == {"id", "case", "person", "ends_at"}
    assert not CaseEvent.objects.filter(case=case).exclude(move="report").exists()
    clock.move(seconds=60)
    services.sweep_readings(at=clock.at)
    assert Reading.objects.count() == 0


def test_another_street_neither_reads_nor_sees(work: Casework, case: Case) -> None:
    assert read(work.world.client("wai"), case) == 404
    read(work.world.client("lin"), case)
    assert seen_by(work, "wai", case) == ""


@pytest.mark.parametrize("name", ["huang", "wu", "qu", "chen", "xi"])
def test_only_the_desk_is_told(work: Casework, case: Case, name: str) -> None:
    client = work.world.client(name)
    assert client.get(f"/desk/readers?cases={case.pk}").status_code == 403
    assert read(client, case) == 403


def test_saying_so_costs_one_write(work: Casework, case: Case) -> None:
    lin = work.world.client("lin")
    read(lin, case)
    asked = statements_of(lambda: read(lin, case))
    assert sum(one.startswith(("INSERT", "UPDATE", "DELETE")) for one in asked) == 1
    assert len(asked) <= 5


def test_open_pages_of_the_desk_hear_that_a_row_is_read_without_a_name(work: Casework, case: Case) -> None:
    watch = Watch()
    watch.look([], check=True)
    for name in ("lin", "liang", "chen", "wai"):
        work.world.client(name)
    held = dict(Session.objects.values_list("person__username", "key_hash"))
    read(work.world.client("lin"), case)
    told = watch.look(held.values(), check=False).told
    assert told[held["liang"]]["changes"][0]["did"] == ["reading"]
    assert "林" not in str(told)
    assert held["chen"] not in told
    assert held["wai"] not in told
    read(work.world.client("lin"), case, away="1")
    assert watch.look(held.values(), check=False).told[held["liang"]]["changes"]
    assert watch.look(held.values(), check=False).told == {}
