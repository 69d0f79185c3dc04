"""A file is read whole or refused with the reason and the feature's place; what is written is read back unchanged."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.grid import geojson, texts
from jiequ.grid.drawing import CommunityDrawn, Drawing, PlaceDrawn, PointDrawn
from jiequ.grid.rules import distance_m, from_canonical

from .drawings import STREET, board, code, demo_geography, drawing, file_of, square


def collection(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_what_is_written_is_read_back_unchanged() -> None:
    whole = drawing()
    assert geojson.read(file_of(whole)) == whole


def test_the_demonstrations_street_survives_the_round_trip() -> None:
    whole = demo_geography().streets[0].drawing
    read = geojson.read(file_of(whole))
    assert (read.unit_grids, read.places, read.points) == (whole.unit_grids, whole.places, whole.points)
    assert read.responsibility_grids == whole.responsibility_grids


def test_a_raw_pair_in_another_system_survives_the_round_trip() -> None:
    x, y = from_canonical(113.5005, 23.1805, "gcj02")
    point = PointDrawn("JK9", "码头", "drone", x, y, system="gcj02")
    place = PlaceDrawn(f"{STREET}001", "road", "渡口路", *from_canonical(113.5, 23.18, "bd09"), system="bd09")
    whole = Drawing(points=[point], places=[place])
    assert geojson.read(file_of(whole)) == whole
    written = json.loads(file_of(whole))["features"][0]["geometry"]["coordinates"]
    assert distance_m(*written, 113.5005, 23.1805) < 0.01


def test_a_road_is_a_line_whose_point_is_told_or_is_its_middle() -> None:
    steps = [[113.5, 23.18], [113.505, 23.18], [113.51, 23.18]]
    named = {"layer": "place", "community": f"{STREET}001", "kind": "road", "name": "渡口路"}
    (read,) = geojson.read(collection(feature({"type": "LineString", "coordinates": steps}, **named))).places or []
    assert read.line == (((113.5, 23.18), (113.51, 23.18)),)
    assert distance_m(read.x, read.y, 113.505, 23.18) < 2
    whole = Drawing(places=[replace(read, x=113.5, y=23.181, system="cgcs2000")])
    assert geojson.read(file_of(whole)) == whole


@pytest.mark.parametrize(
    "steps", [[], None, [[113.5, 23.18]], [[113.5, 23.18], [999, 1]], "x", [[113.5], [113.6]], [["a", 1], [2, 3]]]
)
def test_a_line_that_is_none_is_named_with_its_place(steps: Any) -> None:
    named = {"layer": "place", "community": f"{STREET}001", "kind": "river", "name": "鹭溪"}
    with pytest.raises(geojson.Unreadable) as fault:
        geojson.read(collection(feature({"type": "LineString", "coordinates": steps}, **named)))
    assert (fault.value.reason, fault.value.number) == ("bad_line", 1)
    assert "线" in texts.unreadable(fault.value)


def test_polygons_in_another_system_are_converted_at_the_door() -> None:
    ring = [list(from_canonical(x, y, "gcj02")) for x, y in square(0, 0)["coordinates"][0]]
    gcj = feature({"type": "Polygon", "coordinates": [ring]}, code=code(1, 1))
    (grid,) = geojson.read(collection(gcj, coordinate_system="gcj02")).unit_grids or []
    for (x, y), (lon, lat) in zip(grid.geometry["coordinates"][0], square(0, 0)["coordinates"][0], strict=True):
        assert distance_m(x, y, lon, lat) < 0.01


def test_a_feature_without_a_layer_is_known_by_the_length_of_its_code() -> None:
    read = geojson.read(
        collection(feature(square(0, 0), code=code(1, 1)), feature(square(0, 0), code=f"{STREET}001", name="榕岸"))
    )
    assert [grid.code for grid in read.unit_grids or []] == [code(1, 1)]
    assert read.communities == [CommunityDrawn(f"{STREET}001", "榕岸", "", square(0, 0))]


def test_a_code_may_be_a_number() -> None:
    read = geojson.read(collection(feature(square(0, 0), layer="unit_grid", code=int(code(1, 1)))))
    assert [grid.code for grid in read.unit_grids or []] == [code(1, 1)]


POINT = {"type": "Point", "coordinates": [113.5, 23.18]}


@pytest.mark.parametrize(
    ("data", "reason", "number"),
    [
        (b"", "not_json", 0),
        (b"\xff\xfe{}", "not_json", 0),
        (b"[" * 100_000, "not_json", 0),
        (b"[]", "not_collection", 0),
        (b'{"type": "Feature"}', "not_collection", 0),
        (b'{"type": "FeatureCollection", "features": {}}', "no_features", 0),
        (collection(), "no_features", 0),
        (collection(feature(POINT), coordinate_system="beijing54"), "bad_system", 0),
        (collection("x"), "not_feature", 1),
        (collection({"type": "Feature", "geometry": POINT}), "not_feature", 1),
        (collection(feature([1], layer="place")), "not_feature", 1),
        (collection(feature(square(0, 0), code=code(1, 1)), feature(POINT, layer="house")), "unknown_layer", 2),
        (collection(feature(POINT, layer={"a": 1})), "unknown_layer", 1),
        (collection(feature(square(0, 0), layer="unit_grid")), "missing_property", 1),
        (collection(feature(square(0, 0), layer="unit_grid", code=True)), "missing_property", 1),
        (collection(feature(None, layer="community", code=f"{STREET}001", name="x" * 201)), "missing_property", 1),
        (collection(feature(None, layer="responsibility_grid", name="a", grids="x")), "missing_property", 1),
        (collection(feature(square(0, 0), layer="monitoring_point", code="a", name="b", kind="foot")), "bad_point", 1),
        (
            collection(
                feature({"type": "Point", "coordinates": [500, 1]}, layer="place", community="a", kind="road", name="b")
            ),
            "bad_point",
            1,
        ),
        (
            collection(
                feature(POINT, layer="place", community="a", kind="road", name="b", raw={"x": 1, "y": 2, "system": "x"})
            ),
            "bad_point",
            1,
        ),
        (
            collection(
                feature({"type": "Point", "coordinates": [True, 1]}, layer="place", community="a", kind="road", name="b")
            ),
            "bad_point",
            1,
        ),
    ],
)
def test_what_is_no_map_is_refused_with_the_reason_and_the_place(data: bytes, reason: str, number: int) -> None:
    with pytest.raises(geojson.Unreadable) as caught:
        geojson.read(data)
    assert (caught.value.reason, caught.value.number) == (reason, number)
    sentence = texts.unreadable(caught.value)
    assert "%(" not in sentence
    assert number == 0 or str(number) in sentence


def test_too_much_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "MAX_BYTES", 100)
    with pytest.raises(geojson.Unreadable, match="too_large"):
        geojson.read(b" " * 101)
    monkeypatch.undo()
    monkeypatch.setattr(geojson, "MAX_FEATURES", 11)
    with pytest.raises(geojson.Unreadable, match="too_many"):
        geojson.read(file_of(drawing()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-300, 300) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "code", "layer", "coordinates", "raw"]), inner)
    ),
    max_leaves=8,
)


@given(JSON, JSON, st.sampled_from([*geojson.LAYERS, ""]))
def test_nonsense_is_refused_in_words_never_by_a_crash(geometry: Any, value: Any, layer: str) -> None:
    odd = feature(geometry, layer=layer, code=value, name=value, kind=value, community=value, grids=value, raw=value)
    with suppress(geojson.Unreadable):  # anything else fails the test
        geojson.read(collection(odd))


def test_base_map_features_are_not_taken_in() -> None:
    assert geojson.read(file_of(demo_geography().streets[1].drawing)).features == []
    with pytest.raises(geojson.Unreadable, match="unknown_layer"):
        geojson.read(collection(feature(square(0, 0), layer="map_feature", kind="road")))


def test_a_polygon_of_nonsense_reaches_the_check_and_is_named_there() -> None:
    from jiequ.grid.check import Known, problems

    spoiled = [*board()[1:]]
    read = geojson.read(
        collection(feature({"type": "Polygon", "coordinates": [[[1, 2], "x"]]}, layer="unit_grid", code=code(1, 1)))
    )
    whole = drawing(unit_grids=[*(read.unit_grids or []), *spoiled])
    (found,) = problems(whole, Known(STREET))
    assert found.codes == (code(1, 1),)
    assert texts.problem(found)
