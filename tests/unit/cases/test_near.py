"""Open cases near a point: from the map's index, the nearest first, and never a hidden one where it is shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jiequ.cases.models import Case
from jiequ.cases.queries import lists
from jiequ.cases.queries.known import Asked, known_cases
from jiequ.cases.queries.near import open_near
from jiequ.grid.rules import q18
from tests.actors import NOW
from tests.casework import Casework
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
SAID = "石桥边的河道被树枝堵住，水漫上来了"


def moved(work: Casework, north_m: float, **changes: object) -> Case:
    """A report of the same words, so far north of the middle of unit grid a."""
    case = work.reported(words=SAID).case
    lon, lat = work.world.point_in("a")
    where = {"lon": lon, "lat": lat + north_m / 111_195, "q18": q18(lon, lat + north_m / 111_195)}
    Case.objects.filter(pk=case.pk).update(**where, **changes)
    return case


def test_points_come_nearest_first_within_the_circle_and_not_its_box(work: Casework) -> None:
    lon, lat = work.world.point_in("a")
    far, near, outside = moved(work, 80), moved(work, 10), moved(work, 101)
    ended = moved(work, 1, state="rejected", ended_at=NOW)
    found = open_near(lon, lat, 100)
    assert [one.pk for one in found] == [near.pk, far.pk]
    assert [round(one.metres) for one in found] == [10, 80]
    assert outside.pk != ended.pk


def test_one_look_up_reads_seven_statements_and_five_lines(work: Casework) -> None:
    lon, lat = work.world.point_in("a")
    for n in range(9):
        moved(work, n)
    asked = Asked(SAID, NOW, lon, lat)
    known_cases(asked)
    assert len(known_cases(asked)) == 5
    assert len(statements_of(lambda: known_cases(asked))) <= 5


@pytest.mark.parametrize("look", ["near_open", "known_cases"])
def test_behind_many_hidden_ones_those_that_may_be_shown_are_still_found(work: Casework, look: str) -> None:
    lon, lat = work.world.point_in("a")
    hidden = [moved(work, n / 10, is_confidential=bool(n % 2), is_suspect=not n % 2) for n in range(25)]
    shown = moved(work, 30)
    looks: dict[str, Callable[[], list[int]]] = {
        "near_open": lambda: [case.pk for case, _metres in lists.near_open(lon, lat, radius_m=60)],
        "known_cases": lambda: [one.case.pk for one in known_cases(Asked(SAID, NOW, lon, lat))],
    }
    assert looks[look]() == [shown.pk]
    Case.objects.filter(pk__in=[case.pk for case in hidden]).update(is_confidential=False, is_suspect=False)
    assert len(looks[look]()) == 5, "the twin: they are hidden by nothing but these two marks"
