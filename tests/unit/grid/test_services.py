"""Changes of the map: whole or not at all, by the right person, with an audit row; nothing that cases point to is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.models import AuditEntry, Street
from jiequ.grid import queries, services
from jiequ.grid.demo.store import store
from jiequ.grid.drawing import Drawing, ResponsibilityDrawn
from jiequ.grid.models import (
    Community,
    GridMember,
    MapFeature,
    MapVersion,
    MonitoringPoint,
    Place,
    ResponsibilityGrid,
    UnitGrid,
)
from jiequ.grid.services import PointFacts
from jiequ.grid.topology import Drawn
from jiequ.people.models import Post
from jiequ.people.rules import Actor, Role
from tests.actors import NOW, SINCE, World

from .drawings import SOUTH, STEP, STREET, WEST, board, code, demo_geography, drawing, file_of, polygon, square

LATER = NOW + timedelta(days=1)


@pytest.fixture
def street(world: World) -> Street:
    """A street of its own beside the small world's, with 陈 as its grid worker."""
    made = Street.objects.create(code9=STREET, prefix="GD", name_zh="鹭港街道", name_en="Lugang")
    Post.objects.create(person=world.chen, account="staff", role=Role.GRID_WORKER.value, street=made, starts_on=SINCE)
    UnitGrid.objects.all().update(retired_at=NOW)  # the small world lies on the same ground
    return made


def take_in(street: Street, whole: Drawing, by: Actor, at: Any = NOW, **more: Any) -> services.ImportReport:
    return services.import_grids(street_id=street.pk, data=file_of(whole), by=by, at=at, **more)


def state() -> list[Any]:
    """Everything stored of maps and audit, to see that nothing changed."""
    tables = (Community, UnitGrid, ResponsibilityGrid, GridMember, MonitoringPoint, Place, MapVersion, AuditEntry)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def test_a_sound_file_is_taken_in_whole(world: World, street: Street) -> None:
    report = take_in(street, drawing(), world.actor("xi"))
    assert report.is_stored
    assert {layer: n.added for layer, n in report.counts.items()} == {
        "community": 2, "unit_grid": 12, "responsibility_grid": 2, "monitoring_point": 1, "place": 3,
    }  # fmt: skip
    spot = queries.locate(WEST + 0.5 * STEP, SOUTH + 0.5 * STEP)
    assert spot is not None
    assert UnitGrid.objects.get(pk=spot.unit_grid_id).code15 == code(1, 5)
    assert MonitoringPoint.objects.get().unit_grid_id == spot.unit_grid_id
    assert Place.objects.get(name="榕岸小学").beside == Place.objects.get(name="砚池路")
    assert UnitGrid.objects.get(code15=code(1, 5), retired_at=None).area_m2 == pytest.approx(11_360, rel=0.01)
    entry = AuditEntry.objects.get(action="grid.import")
    assert (entry.street_id, entry.person_id) == (street.pk, world.xi.pk)


def test_what_is_exported_is_taken_in_again_without_a_change(world: World, street: Street) -> None:
    take_in(
        street, drawing(responsibility_grids=[ResponsibilityDrawn("西片", (code(1, 1), code(1, 2)), "chen")]), world.actor("xi")
    )
    import json

    exported = services.export_grids(street_id=street.pk, by=world.actor("xi"), at=NOW)
    before = services.drawing_of(street.pk)
    report = services.import_grids(street_id=street.pk, data=json.dumps(exported).encode(), by=world.actor("xi"), at=LATER)
    for layer, n in report.counts.items():
        assert (n.added, n.changed, n.retired) == (0, 0, 0), layer
    assert services.drawing_of(street.pk) == before
    assert AuditEntry.objects.filter(action="grid.export").count() == 1


def test_a_rehearsal_says_the_same_and_stores_nothing(world: World, street: Street) -> None:
    before = state()
    report = take_in(street, drawing(), world.actor("xi"), rehearse=True)
    assert not report.is_stored
    assert state() == before
    assert report.counts == take_in(street, drawing(), world.actor("xi")).counts


SPOILED = {
    "gap": ([*board()[:3], *board()[4:]], code(1, 3)),
    "overlap": ([Drawn(code(1, 1), square(0, 2, wide=1.2)), *board()[1:]], code(1, 1)),
    "two communities": ([*board(), Drawn(code(2, 99), square(0, 0))], code(2, 99)),
    "open": (
        [Drawn(code(1, 1), polygon([[WEST, SOUTH], [WEST + 1, SOUTH], [WEST, SOUTH + 1], [WEST, SOUTH + 2]])), *board()[1:]],
        code(1, 1),
    ),
    "code": ([Drawn("44019800100100", square(0, 2)), *board()[1:]], "44019800100100"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_an_unsound_file_is_refused_with_the_place_and_nothing_is_stored(world: World, street: Street, kind: str) -> None:
    grids, named = SPOILED[kind]
    before = state()
    with pytest.raises(Refusal) as caught:
        take_in(street, drawing(unit_grids=grids, responsibility_grids=None), world.actor("xi"))
    assert state() == before
    facts = caught.value.facts
    assert facts["count"] == len(facts["problems"]) >= 1
    assert any(named in sentence for sentence in facts["problems"])
    assert any("23.18" in sentence for sentence in facts["problems"])
    assert str(facts["count"]) in caught.value.message


def test_the_unspoiled_twin_of_those_files_is_taken_in(world: World, street: Street) -> None:
    assert take_in(street, drawing(unit_grids=board(), responsibility_grids=None), world.actor("xi")).is_stored


def test_ground_of_another_street_is_refused(world: World, street: Street) -> None:
    take_in(street, drawing(), world.actor("xi"))
    other = Street.objects.create(code9="440198002", prefix="GE", name_zh="枫洲街道")
    whole = drawing(unit_grids=board(2, 2, "440198002", shift=3), responsibility_grids=None, points=None, places=None)
    whole.communities = [type(row)(row.code.replace(STREET, "440198002"), row.name_zh) for row in whole.communities or []]
    with pytest.raises(Refusal) as caught:
        take_in(other, whole, world.actor("xi"))
    assert any(STREET in sentence and "440198002" in sentence for sentence in caught.value.facts["problems"])


def test_a_file_that_is_none_is_refused_in_words(world: World, street: Street) -> None:
    with pytest.raises(Refusal) as caught:
        services.import_grids(street_id=street.pk, data=b"PK\x03\x04", by=world.actor("xi"), at=NOW)
    assert caught.value.code == "map_unreadable"
    assert "GeoJSON" in caught.value.message


def test_a_redrawn_grid_is_retired_and_keeps_its_responsibility_grid(world: World, street: Street) -> None:
    take_in(street, drawing(), world.actor("xi"))
    old = UnitGrid.objects.get(code15=code(1, 6), retired_at=None)
    grids = [grid for grid in board() if grid.code not in (code(1, 5), code(1, 6))]
    grids += [Drawn(code(1, 5), square(0, 0, wide=0.5)), Drawn(code(1, 6), square(0.5, 0, wide=1.5))]
    report = take_in(street, Drawing(communities=drawing().communities, unit_grids=grids), world.actor("xi"), LATER)
    counts = report.counts["unit_grid"]
    assert (counts.added, counts.changed, counts.kept, counts.retired) == (0, 2, 10, 0)
    old.refresh_from_db()
    assert old.retired_at == LATER
    new = UnitGrid.objects.get(code15=code(1, 6), retired_at=None)
    assert new.pk != old.pk
    assert new.member.responsibility_grid.name == "西片"
    assert not GridMember.objects.filter(unit_grid=old).exists()
    assert queries.locate(WEST + 0.75 * STEP, SOUTH + 0.5 * STEP).unit_grid_id == new.pk  # type: ignore[union-attr]


def test_a_grid_or_community_left_out_is_retired_and_comes_back_later(world: World, street: Street) -> None:
    take_in(street, drawing(), world.actor("xi"))
    west = drawing(unit_grids=[grid for grid in board() if grid.code12.endswith("001")], points=None, places=None)
    west.communities = (west.communities or [])[:1]
    west.responsibility_grids = (west.responsibility_grids or [])[:1]
    report = take_in(street, west, world.actor("xi"), LATER)
    assert [report.counts[layer].retired for layer in ("community", "unit_grid", "responsibility_grid")] == [1, 6, 1]
    assert queries.locate(WEST + 3.5 * STEP, SOUTH + 0.5 * STEP) is None
    assert UnitGrid.objects.filter(code15=code(2, 1)).count() == 1
    take_in(street, drawing(), world.actor("xi"), LATER)
    assert Community.objects.get(code12=f"{STREET}002").retired_at is None
    assert UnitGrid.objects.filter(code15=code(2, 1)).count() == 2


def test_points_and_places_that_a_file_leaves_out_stay(world: World, street: Street) -> None:
    take_in(street, drawing(), world.actor("xi"))
    take_in(street, Drawing(points=[], places=[], communities=drawing().communities, unit_grids=board()), world.actor("xi"))
    assert MonitoringPoint.objects.count() == 1
    assert Place.objects.filter(street=street).count() == 3


def test_only_the_system_administrator_takes_in_and_gives_out(world: World, street: Street) -> None:
    for name, actor in world.actors().items():
        if name == "xi":
            continue
        with pytest.raises(Forbidden):
            take_in(street, drawing(), actor)
        with pytest.raises(Forbidden):
            services.export_grids(street_id=street.pk, by=actor, at=NOW)
    assert not UnitGrid.objects.filter(street=street).exists()


def test_a_grid_worker_of_another_street_cannot_be_named_in_a_file(world: World, street: Street) -> None:
    grids = [ResponsibilityDrawn("西片", (code(1, 1),), "liu")]
    with pytest.raises(Refusal) as caught:
        take_in(street, drawing(responsibility_grids=grids), world.actor("xi"))
    assert "liu" in caught.value.facts["problems"][0]


# ---- responsibility grids by hand


@pytest.fixture
def mapped(world: World, street: Street) -> Street:
    take_in(street, drawing(responsibility_grids=[]), world.actor("xi"))
    return street


TWO = (code(1, 1), code(1, 2))


def make(world: World, street: Street, name: str = "新片", codes: Any = TWO, worker: Any = None) -> ResponsibilityGrid:
    return services.make_responsibility_grid(
        street_id=street.pk, name=name, codes=codes, worker_id=worker, by=world.actor("xi"), at=NOW
    )


def edit(world: World, grid: ResponsibilityGrid, **changes: Any) -> ResponsibilityGrid:
    given = {
        "name": grid.name,
        "codes": [code(1, 1)],
        "worker_id": grid.worker_id,
        "version": grid.version,
        "by": world.actor("xi"),
    }
    return services.edit_responsibility_grid(grid_id=grid.pk, at=LATER, **(given | changes))


def test_a_responsibility_grid_is_made_edited_and_retired(world: World, mapped: Street) -> None:
    grid = make(world, mapped, worker=world.chen.pk)
    assert queries.grids_of(world.chen.pk) == list(
        UnitGrid.objects.filter(code15__in=[code(1, 1), code(1, 2)], retired_at=None)
        .order_by("code15")
        .values_list("pk", flat=True)
    )
    assert queries.locate(WEST + 0.5 * STEP, SOUTH + 2.5 * STEP).worker_id == world.chen.pk  # type: ignore[union-attr]
    grid = edit(world, grid, name="旧片", codes=[code(2, 1)], worker_id=None)
    assert (grid.name, grid.version, grid.worker_id) == ("旧片", 2, None)
    assert list(grid.unit_grids.values_list("code15", flat=True)) == [code(2, 1)]
    services.retire_responsibility_grid(grid_id=grid.pk, version=2, by=world.actor("xi"), at=LATER)
    assert queries.locate(WEST + 2.5 * STEP, SOUTH + 2.5 * STEP).responsibility_grid_id is None  # type: ignore[union-attr]
    assert make(world, mapped, "旧片", [code(2, 1)]).pk != grid.pk
    actions = list(AuditEntry.objects.filter(object_kind="responsibility_grid").order_by("pk").values_list("action", flat=True))
    assert actions == [
        "grid.responsibility_make",
        "grid.responsibility_edit",
        "grid.responsibility_retire",
        "grid.responsibility_make",
    ]


def test_a_worker_is_assigned_and_taken_off(world: World, mapped: Street) -> None:
    grid = make(world, mapped)
    services.assign_worker(grid_id=grid.pk, version=1, worker_id=world.chen.pk, by=world.actor("xi"), at=LATER)
    assert queries.worker_on_shift(grid.pk, NOW) == world.chen.pk
    services.assign_worker(grid_id=grid.pk, version=2, worker_id=None, by=world.actor("xi"), at=LATER)
    assert queries.worker_on_shift(grid.pk, NOW) is None
    with pytest.raises(Stale):
        services.assign_worker(grid_id=grid.pk, version=2, worker_id=world.chen.pk, by=world.actor("xi"), at=LATER)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"name": "  "}, "grid_name"),
        ({"name": "长" * 61}, "grid_name"),
        ({"name": "占用"}, "grid_name_taken"),
        ({"codes": []}, "grid_empty"),
        ({"codes": [f"{n:015d}" for n in range(1000)]}, "grid_too_large"),
        ({"codes": [code(1, 1), "440198001001999"]}, "unit_unknown"),
        ({"codes": [code(2, 2)]}, "unit_taken"),
        ({"worker": "liu"}, "not_a_worker"),
        ({"worker": "lin"}, "not_a_worker"),
    ],
)
def test_a_responsibility_grid_that_cannot_be_is_refused_and_nothing_is_stored(
    world: World, mapped: Street, changes: dict[str, Any], refused: str
) -> None:
    make(world, mapped, "占用", [code(2, 2)])
    if "worker" in changes:
        changes = {"worker": world.people[changes["worker"]].pk}
    before = state()
    with pytest.raises(Refusal) as caught:
        make(world, mapped, **({"name": "新片", "codes": [code(1, 1)]} | changes))
    assert caught.value.code == refused
    assert state() == before


def test_two_clerks_cannot_overwrite_each_other(world: World, mapped: Street) -> None:
    grid = make(world, mapped)
    edit(world, grid, name="先到")
    with pytest.raises(Stale):
        edit(world, grid, name="后到", version=1)
    with pytest.raises(Stale):
        services.retire_responsibility_grid(grid_id=grid.pk, version=1, by=world.actor("xi"), at=LATER)
    grid.refresh_from_db()
    assert grid.name == "先到"
    assert list(grid.unit_grids.values_list("code15", flat=True)) == [code(1, 1)]


def test_a_name_taken_at_an_edit_is_refused_and_the_members_stay(world: World, mapped: Street) -> None:
    make(world, mapped, "甲", [code(2, 2)])
    grid = make(world, mapped, "乙")
    with pytest.raises(Refusal) as caught:
        edit(world, grid, name="甲")
    assert caught.value.code == "grid_name_taken"
    assert grid.unit_grids.count() == 2


def test_others_may_not_change_and_strangers_find_nothing(world: World) -> None:
    grid = world.responsibility_a
    given: dict[str, Any] = {"grid_id": grid.pk, "version": 1, "at": NOW}
    with pytest.raises(Forbidden):
        services.assign_worker(**given, worker_id=None, by=world.actor("lin"))
    with pytest.raises(NotFound):
        services.assign_worker(**given, worker_id=None, by=world.actor("wai"))
    with pytest.raises(NotFound):
        services.retire_responsibility_grid(**given, by=world.actor("chen"))
    with pytest.raises(NotFound):
        services.retire_responsibility_grid(grid_id=999_999, version=1, by=world.actor("xi"), at=NOW)


def test_the_database_itself_holds_a_unit_grid_to_one_responsibility_grid(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        GridMember.objects.create(responsibility_grid=world.responsibility_b, unit_grid=world.grid_a)


def test_the_database_itself_holds_a_code_to_one_grid_in_force(world: World) -> None:
    twin = {
        name: getattr(world.grid_a, name) for name in ("street", "community", "code15", "geometry", "lon", "lat", "area_m2")
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        UnitGrid.objects.create(**twin)
    UnitGrid.objects.create(**twin, retired_at=NOW)


# ---- monitoring points by hand

FACTS = {"code": "JK002", "name": "闸口", "kind": "camera", "x": WEST + 0.0015, "y": SOUTH + 0.0005, "risk_class": "high"}


def test_a_point_is_added_edited_and_removed(world: World, mapped: Street) -> None:
    by = world.actor("xi")
    point = services.add_point(street_id=mapped.pk, facts=PointFacts(**FACTS), by=by, at=NOW)
    assert UnitGrid.objects.get(pk=point.unit_grid_id).code15 == code(1, 6)
    services.edit_point(point_id=point.pk, version=1, facts=PointFacts(**FACTS | {"x": WEST + 0.0025}), by=by, at=NOW)
    point.refresh_from_db()
    assert (point.version, point.unit_grid.code15) == (2, code(2, 5))  # type: ignore[union-attr]
    with pytest.raises(Stale):
        services.edit_point(point_id=point.pk, version=1, facts=PointFacts(**FACTS), by=by, at=NOW)
    with pytest.raises(Stale):
        services.remove_point(point_id=point.pk, version=1, by=by, at=NOW)
    services.remove_point(point_id=point.pk, version=2, by=by, at=NOW)
    assert not MonitoringPoint.objects.filter(code="JK002").exists()
    actions = list(AuditEntry.objects.filter(object_kind="monitoring_point").order_by("pk").values_list("action", flat=True))
    assert actions == ["grid.point_add", "grid.point_edit", "grid.point_remove"]


def test_a_point_given_in_gcj02_keeps_its_raw_pair(world: World, mapped: Street) -> None:
    from jiequ.grid.rules import distance_m, from_canonical, q18

    x, y = from_canonical(WEST + 0.0005, SOUTH + 0.0005, "gcj02")
    facts = PointFacts(**FACTS | {"x": x, "y": y, "system": "gcj02"})
    point = services.add_point(street_id=mapped.pk, facts=facts, by=world.actor("xi"), at=NOW)
    assert (point.raw_x, point.raw_y, point.raw_system) == (x, y, "gcj02")
    assert distance_m(point.lon, point.lat, WEST + 0.0005, SOUTH + 0.0005) < 0.01
    assert point.q18 == q18(point.lon, point.lat)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"code": "JK001"}, "point_code_taken"),
        ({"code": "甲"}, "point_code"),
        ({"code": ""}, "point_code"),
        ({"name": " "}, "point_name"),
        ({"area": "长" * 61}, "point_name"),
        ({"kind": "balloon"}, "point_kind"),
        ({"risk_class": ""}, "point_kind"),
        ({"system": "beijing54"}, "point_system"),
        ({"x": 999.0}, "point_position"),
        ({"x": float("nan")}, "point_position"),
        ({"y": float("inf")}, "point_position"),
        ({"x": 114.5}, "point_outside"),
        ({"system": "gcj02"}, "point_outside"),
    ],
)
def test_a_point_that_cannot_be_is_refused(world: World, mapped: Street, changes: dict[str, Any], refused: str) -> None:
    before = state()
    with pytest.raises(Refusal) as caught:
        services.add_point(street_id=mapped.pk, facts=PointFacts(**FACTS | changes), by=world.actor("xi"), at=NOW)
    assert caught.value.code == refused
    assert state() == before


# ---- the demonstration


def test_the_demonstration_is_stored_once_and_found(db: None) -> None:
    geography = demo_geography()
    found = store(geography, Actor.system(), NOW)
    main = found["440198001"]
    assert UnitGrid.objects.filter(street=main).count() == len(geography.streets[0].drawing.unit_grids or [])
    assert MonitoringPoint.objects.filter(street=main, unit_grid=None).count() == 0
    assert MapFeature.objects.filter(street=main).exists()
    spot = queries.locate(*geography.story_spot)
    assert spot is not None
    assert spot.street_id == main.pk
    store(geography, Actor.system(), LATER)
    assert UnitGrid.objects.filter(street=main).count() == len(geography.streets[0].drawing.unit_grids or [])
    with pytest.raises(Forbidden):
        store(geography, Actor.resident(None), NOW)
