"""Two surfaces in, polygons out: whoever does the work, and however often it is cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS
from shapely.geometry import shape

from jiequ.sense.engine import features, fuse
from jiequ.sense.engine.areas import DEGREES, moved
from jiequ.sense.engine.compare import compare
from jiequ.sense.engine.heights import moved_by
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.results import outcome_to_json
from jiequ.sense.engine.shapes import Hint, Outcome, Sources, Unusable
from jiequ.sense.engine.surface import Change
from tests.support.rasters import CORNER, HOUSE, UTM49, picture, terrain, with_house, write

SIZE = 300
SMALL = Parameters(tile_px=128, halo_px=32)
NEW, SHED = HOUSE, (200, 190, 12, 12, 2.8)


@pytest.fixture
def flights(tmp_path: Path) -> tuple[Sources, Sources]:
    """A house that was built between two flights, the second of which lies 1.4 px right, tilted and 0.5 m too high."""
    before = terrain(SIZE)
    after = moved_by(with_house(before, NEW, SHED), -1.4, 0.6) + np.linspace(0.2, 0.8, SIZE, dtype=np.float32)
    return (
        Sources(dsm=write(tmp_path / "before.tif", before, nodata=-9999)),
        Sources(dsm=write(tmp_path / "after.tif", after.astype(np.float32), nodata=-9999)),
    )


def places(outcome: Outcome) -> list[shapely.Polygon]:
    return [moved(shape(one.geometry), DEGREES, CRS.from_string(UTM49)) for one in outcome.findings]


def drawn(house: tuple[int, int, int, int, float]) -> shapely.Polygon:
    row, column, height, width, _ = house
    left, top = CORNER[0] + 0.5 * (column + 1.4), CORNER[1] - 0.5 * (row - 0.6)
    return shapely.box(left, top - 0.5 * height, left + 0.5 * width, top)


def iou(one: shapely.Polygon, other: shapely.Polygon) -> float:
    return float(one.intersection(other).area / one.union(other).area)


def test_a_house_that_was_built_is_found_with_its_area_its_height_and_nothing_else_is(
    flights: tuple[Sources, Sources], tmp_path: Path
) -> None:
    found = compare(*flights, work=tmp_path / "work", parameters=SMALL, processes=1)
    assert len(found.findings) == 2
    house = max(found.findings, key=lambda one: one.area_m2)
    assert house.hint in (Hint.NEW_BUILDING, Hint.ADDED_FLOOR)
    assert house.area_m2 == pytest.approx(24 * 16 * 0.25, rel=0.12)
    assert max(iou(place, drawn(NEW)) for place in places(found)) > 0.85
    assert house.height_m is not None
    assert house.height_m > 5
    assert {note["code"] for note in found.notes} <= {"net_missing"}


def test_a_pool_finds_the_same_bytes_as_one_process(flights: tuple[Sources, Sources], tmp_path: Path) -> None:
    alone = compare(*flights, work=tmp_path / "alone", parameters=SMALL, processes=1)
    pool = compare(*flights, work=tmp_path / "pool", parameters=SMALL, processes=2)
    assert outcome_to_json(alone) == outcome_to_json(pool)
    assert (tmp_path / "alone/outcome.json").read_bytes() == (tmp_path / "pool/outcome.json").read_bytes()


@pytest.mark.parametrize("offset", [37, 64])
def test_moving_the_tile_grid_moves_no_polygon(flights: tuple[Sources, Sources], tmp_path: Path, offset: int) -> None:
    here = compare(*flights, work=tmp_path / "here", parameters=SMALL, processes=1)
    moved_grid = Parameters(tile_px=128, halo_px=32, offset_px=offset)
    there = compare(*flights, work=tmp_path / "there", parameters=moved_grid, processes=1)
    one, other = (sorted(places(each), key=lambda place: place.area) for each in (here, there))
    assert len(one) == len(other) > 0
    assert all(a.hausdorff_distance(b) < 1e-3 for a, b in zip(one, other, strict=True))


def test_a_second_call_does_nothing_again(flights: tuple[Sources, Sources], tmp_path: Path) -> None:
    first = compare(*flights, work=tmp_path / "work", parameters=SMALL, processes=1)
    (tmp_path / "work/outcome.json").unlink()
    told: list[tuple[str, int, int]] = []
    again = compare(*flights, work=tmp_path / "work", parameters=SMALL, processes=1, progress=lambda *one: told.append(one))
    assert outcome_to_json(again) == outcome_to_json(first)
    tiles = [one for one in told if one[0] == "surface"]
    assert tiles == [("surface", 9, 9)]  # told once: all nine lay there


def test_flights_of_different_places_are_refused(flights: tuple[Sources, Sources], tmp_path: Path) -> None:
    from affine import Affine

    far = write(tmp_path / "far.tif", terrain(64), transform=Affine(0.5, 0, 720_000, 0, -0.5, 2_560_000))
    with pytest.raises(Unusable) as refused:
        compare(flights[0], Sources(dsm=far), work=tmp_path / "work", processes=1)
    assert refused.value.code == "no_overlap"


def test_a_part_that_another_place_was_put_into_cannot_be_compared_and_is_never_no_change(tmp_path: Path) -> None:
    before = terrain(640)
    after = before.copy()
    after[128:512, 128:512] = terrain(640, seed=9)[128:512, 128:512] + np.float32(25)
    sources = [Sources(dsm=write(tmp_path / f"{n}.tif", one)) for n, one in enumerate((before, after))]
    found = compare(*sources, work=tmp_path / "work", processes=1)
    wrong = shapely.box(CORNER[0] + 96, CORNER[1] - 224, CORNER[0] + 224, CORNER[1] - 96)
    unseen = [shape(one.geometry) for one in found.blind if one.reason == "not_registered"]
    blind = [moved(one, DEGREES, CRS.from_string(UTM49)) for one in unseen]
    assert shapely.union_all(blind).intersection(wrong).area > 0.99 * wrong.area


def test_pictures_without_weights_are_said_to_be_unseen_not_unchanged(tmp_path: Path) -> None:
    from tests.support.rasters import picture

    sources = [Sources(ortho=write(tmp_path / f"{n}.tif", picture(256))) for n in (0, 1)]
    found = compare(*sources, work=tmp_path / "work", weights=tmp_path / "nothing.onnx", processes=1)
    assert not found.findings
    assert [(one.reason, one.path) for one in found.blind] == [("no_detector", "net")]
    assert "net_missing" in {note["code"] for note in found.notes}


def corner_seen(found: Outcome) -> float:
    """The share of the place that could be compared."""
    return found.compared_m2 / (SIZE * 0.5) ** 2


def test_the_rim_of_a_pair_that_covers_all_of_it_is_compared(tmp_path: Path) -> None:
    pair = [Sources(ortho=write(tmp_path / f"{n}.tif", picture(SIZE))) for n in range(2)]
    found = compare(*pair, work=tmp_path / "work", processes=1)
    assert found.blind == ()
    assert corner_seen(found) == pytest.approx(1, abs=0.01)


HOUSE_FELL, ROSE, STOOD = {"base_m": 6.0, "median_m": -6.0}, {"base_m": 0.2, "median_m": 5.0}, {"base_m": 0.2, "median_m": 0.0}


@pytest.mark.parametrize(
    ("change", "gone", "surface", "what"),
    [
        (0, False, {}, Hint.NEW_BUILDING),
        (0, True, {}, Hint.DEMOLITION),
        (0, True, STOOD, Hint.OTHER),
        (0, False, STOOD, Hint.OTHER),
        (Change.RAISED, False, ROSE, Hint.NEW_BUILDING),
        (Change.LOWERED, True, HOUSE_FELL, Hint.DEMOLITION),
        (Change.DUG, True, {"base_m": 0.1, "median_m": -1.5}, Hint.EARTHWORKS),
    ],
)
def test_a_hint_claims_no_height_that_the_surface_did_not_show(
    change: int, gone: bool, surface: dict[str, float], what: Hint
) -> None:
    candidate = fuse.Candidate(shapely.box(0, 0, 10, 10), change, gone)
    assert fuse.hint(candidate, {"dsm": surface, "net": {"mean": 0.9}}) == what


def test_what_only_the_net_saw_where_heights_are_as_before_comes_behind_a_shed_that_only_heights_saw() -> None:
    net, flat = {"mean": 0.84}, {"median_m": 0.0, "share": 0.0}

    def sure(evidence: Any) -> float:
        return fuse.confidence(fuse.features(39.0, evidence, has_net=True))

    shed = sure({"dsm": {"median_m": 2.8, "share": 0.9}, "net": {"mean": 0.0}})
    assert sure({"dsm": flat, "net": net}) < shed < sure({"net": net}), "no heights: nothing speaks against it"
    filled = {"median_m": 0.8, "share": 0.9}
    assert sure({"dsm": filled}) > sure({"dsm": filled | {"share": 0.1}}), (
        "earthworks are low and no evidence against themselves"
    )


def matches(strangers: int, turn: float = 0.0) -> tuple[Any, Any]:
    """Places in two maps that look alike: forty that moved by (3, −2) after a turn, and strangers."""
    rng = np.random.default_rng(4)
    first = rng.uniform(0, 400, (40 + strangers, 2))
    way = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    second = first @ way.T + (3, -2) + rng.normal(0, 0.5, first.shape)
    second[40:] = first[40:] + rng.uniform(-100, 100, (strangers, 2))
    return first.astype(np.float32), second.astype(np.float32)


def test_maps_that_were_only_moved_are_not_turned_by_strangers_and_those_that_were_turned_are() -> None:
    first, second = matches(100)
    matrix, agreeing = features._agreed(first[28:], second[28:], False)  # twelve of a hundred and twelve
    assert matrix is not None
    assert (matrix[:2, :2] == np.eye(2)).all()
    assert matrix[:2, 2] == pytest.approx((3, -2), abs=0.5)
    assert agreeing >= 12
    assert features._turned(first[28:], second[28:], False)[0] is None, "the twin that asks for a turn alone finds nothing"
    few, others = matches(160)
    assert features._agreed(few[28:], others[28:], False) == (None, 0), "twelve of a hundred and seventy-two are too few"
    matrix, agreeing = features._agreed(*matches(40, turn=0.03), False)
    assert matrix is not None
    assert np.arctan2(matrix[1, 0], matrix[0, 0]) == pytest.approx(0.03, abs=0.002)
    assert features._agreed(first[40:], second[40:], False) == (None, 0), "strangers alone"
