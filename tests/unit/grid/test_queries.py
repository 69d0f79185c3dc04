"""Where a position lies and who works there, as of the last change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jiequ.grid import index, queries
from jiequ.grid.models import GridMember, MapVersion, MonitoringPoint, Place, ResponsibilityGrid, UnitGrid
from jiequ.people.models import Leave, Shift
from jiequ.people.rules import Role
from tests.actors import NOW, World


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The process's stop-watch, moved by hand."""
    now = [1000.0]
    monkeypatch.setattr(queries.time, "monotonic", lambda: now[0])
    return now


def test_a_position_has_its_grid_community_responsibility_and_worker(world: World) -> None:
    spot = queries.locate(*world.point_in("a"))
    assert spot == queries.Spot(
        world.street.pk, world.communities["east"].pk, world.grid_a.pk, world.responsibility_a.pk, world.chen.pk
    )
    assert queries.locate(*world.point_in("c")).street_id == world.other_street.pk  # type: ignore[union-attr]
    assert queries.locate(110.0, 20.0) is None


def test_a_warm_answer_asks_the_database_nothing(world: World, monotonic: list[float]) -> None:
    queries.locate(*world.point_in("a"))
    with CaptureQueriesContext(connection) as asked:
        for _ in range(50):
            queries.locate(*world.point_in("b"))
    assert len(asked) == 0


def test_after_a_second_one_select_finds_that_nothing_changed(world: World, monotonic: list[float]) -> None:
    queries.locate(*world.point_in("a"))
    monotonic[0] += queries.RECHECK_SECONDS
    with CaptureQueriesContext(connection) as asked:
        queries.locate(*world.point_in("a"))
        queries.locate(*world.point_in("a"))
    assert len(asked) == 1


def _other_process_gives(world: World, grid: str, worker: Any) -> None:
    """Another process changes the rows: this one is told nothing."""
    ResponsibilityGrid.objects.filter(pk=world.responsibility_grids[grid].pk).update(worker=worker)
    MapVersion.objects.filter(street=world.street).update(token="of another process")


def test_another_processs_change_is_seen_within_a_second(world: World, monotonic: list[float]) -> None:
    assert queries.locate(*world.point_in("a")).worker_id == world.chen.pk  # type: ignore[union-attr]
    _other_process_gives(world, "a", world.liu)
    monotonic[0] += queries.RECHECK_SECONDS
    assert queries.locate(*world.point_in("a")).worker_id == world.liu.pk  # type: ignore[union-attr]


def test_only_the_changed_street_is_read_again(world: World, monotonic: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    queries.locate(*world.point_in("a"))
    read: list[int] = []
    real = queries._index_of
    monkeypatch.setattr(queries, "_index_of", lambda street_id: read.append(street_id) or real(street_id))
    _other_process_gives(world, "a", world.liu)
    monotonic[0] += queries.RECHECK_SECONDS
    queries.locate(*world.point_in("a"))
    assert read == [world.street.pk]


def test_a_change_that_comes_in_while_the_index_is_read_is_not_hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = queries._index_of

    def slow(street_id: int) -> index.SpotIndex:
        found = real(street_id)
        if (
            street_id == world.street.pk
            and ResponsibilityGrid.objects.get(pk=world.responsibility_a.pk).worker_id == world.chen.pk
        ):
            _other_process_gives(world, "a", world.liu)  # committed by a thread of this process, which then says:
            queries.forget()
        return found

    monkeypatch.setattr(queries, "_index_of", slow)
    queries.locate(*world.point_in("a"))
    assert queries.locate(*world.point_in("a")).worker_id == world.liu.pk  # type: ignore[union-attr]


def test_a_retired_grid_is_found_no_more(world: World) -> None:
    UnitGrid.objects.filter(pk=world.grid_a.pk).update(retired_at=NOW)
    assert queries.locate(*world.point_in("a")) is None
    assert queries.spot_of(world.grid_a.pk) is None
    assert queries.grids_of(world.chen.pk) == []


def test_a_worker_has_the_unit_grids_of_the_responsibility_grids(world: World) -> None:
    assert queries.grids_of(world.chen.pk) == [world.grid_a.pk]
    GridMember.objects.filter(unit_grid=world.grid_b).update(responsibility_grid=world.responsibility_a)
    assert queries.grids_of(world.chen.pk) == [world.grid_a.pk, world.grid_b.pk]
    assert queries.grids_of(world.lin.pk) == []


# ---- shifts and leave


def _shift(world: World, person: Any, *, starts: int = -1, ends: int = 1) -> None:
    Shift.objects.create(
        role=Role.GRID_WORKER.value,
        street=world.street,
        person=person,
        starts_at=NOW + timedelta(hours=starts),
        ends_at=NOW + timedelta(hours=ends),
    )


def test_where_no_rota_is_written_the_grids_worker_is_the_one(world: World) -> None:
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) == world.chen.pk
    assert queries.nearest_workers(world.grid_a.pk, NOW) == [world.chen.pk, world.liu.pk]
    assert queries.nearest_workers(world.grid_b.pk, NOW) == [world.liu.pk, world.chen.pk]


def test_a_worker_off_shift_is_not_asked(world: World) -> None:
    _shift(world, world.liu)
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) is None
    assert queries.nearest_workers(world.grid_a.pk, NOW) == [world.liu.pk]
    assert queries.nearest_workers(world.grid_a.pk, NOW + timedelta(hours=2)) == [world.chen.pk, world.liu.pk]


def test_the_rota_of_another_role_says_nothing_about_grid_workers(world: World) -> None:
    Shift.objects.create(
        role=Role.ACCEPTOR.value,
        street=world.street,
        person=world.lin,
        starts_at=NOW - timedelta(hours=1),
        ends_at=NOW + timedelta(hours=1),
    )
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) == world.chen.pk


def test_on_leave_the_deputy_is_asked_once(world: World) -> None:
    Leave.objects.create(
        person=world.chen, deputy=world.liu, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=1)
    )
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) == world.liu.pk
    assert queries.nearest_workers(world.grid_a.pk, NOW) == [world.liu.pk]


def test_a_disabled_worker_is_not_asked(world: World) -> None:
    type(world.chen).objects.filter(pk=world.chen.pk).update(is_active=False, disabled_at=NOW)
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) is None
    assert queries.nearest_workers(world.grid_a.pk, NOW) == [world.liu.pk]


def test_nobody_works_where_no_responsibility_grid_is(world: World) -> None:
    assert queries.nearest_workers(world.grid_c.pk, NOW) == []
    assert queries.nearest_workers(999_999, NOW) == []
    assert queries.worker_on_shift(999_999, NOW) is None
    ResponsibilityGrid.objects.filter(pk=world.responsibility_a.pk).update(worker=None)
    assert queries.worker_on_shift(world.responsibility_a.pk, NOW) is None


def test_the_nearest_workers_cost_three_selects(world: World) -> None:
    queries.locate(*world.point_in("a"))
    with CaptureQueriesContext(connection) as asked:
        queries.nearest_workers(world.grid_a.pk, NOW)
    assert len(asked) <= 3


# ---- names and plates


@pytest.fixture
def places(world: World) -> World:
    here = {
        "street": world.street,
        "community": world.communities["east"],
        "lon": 113.5,
        "lat": 23.18,
        "q18": 1,
        "raw_x": 113.5,
        "raw_y": 23.18,
    }
    road = Place.objects.create(kind="road", name="砚池路", words="砚池路\n老街", **here)
    Place.objects.create(kind="landmark", name="榕岸小学", words="榕岸小学", beside=road, **here)
    Place.objects.create(kind="estate", name="Garden 花园", words="garden 花园", **here)
    return world


def test_a_place_is_found_by_a_part_of_its_name_or_alias_in_any_case(places: World) -> None:
    def found(words: str) -> list[str]:
        return [place.name for place in queries.places(words=words)]

    assert found("池") == ["砚池路"]
    assert found("老街") == ["砚池路"]
    assert found(" GARD ") == ["Garden 花园"]
    assert found("没有") == []
    assert found("%") == []
    assert found("")[-1] == "榕岸小学"


def test_places_are_narrowed_by_street_community_and_what_they_stand_beside(places: World) -> None:
    road = Place.objects.get(name="砚池路")
    assert queries.places(street_id=places.other_street.pk).count() == 0
    assert queries.places(community_id=places.communities["east"].pk).count() == 3
    assert [place.name for place in queries.places(beside_id=road.pk)] == ["榕岸小学"]


def test_a_plate_leads_to_its_unit_grid_or_monitoring_point(world: World) -> None:
    MonitoringPoint.objects.create(
        street=world.street,
        code="JK-7",
        name="桥头",
        kind="camera",
        lon=113.5,
        lat=23.18,
        q18=1,
        raw_x=113.5,
        raw_y=23.18,
        unit_grid=world.grid_a,
    )
    point = queries.plate(f"{world.street.code9}-JK-7")
    assert point is not None
    assert (point.name, point.unit_grid_id, point.street_id) == ("桥头", world.grid_a.pk, world.street.pk)
    grid = queries.plate(world.grid_a.code15)
    assert grid is not None
    assert (grid.lon, grid.lat) == world.point_in("a")
    for nothing in ("", "1" * 15, "990101001-XX", "-", "a" * 300):
        assert queries.plate(nothing) is None
