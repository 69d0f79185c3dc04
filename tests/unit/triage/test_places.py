"""Where it was: invented names only, by gazetteer and by shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.triage.engine.places import Entry, Gazetteer, Place, PlaceKind, find_places, metres_from, places_to_offer

LAKE = Entry("r1", "清溪河", PlaceKind.RIVER, 114.30, 22.70, aliases=("老清溪",))
ESTATE = Entry("e1", "云锦花园", PlaceKind.ESTATE, 114.31, 22.70)
KNOWN = Gazetteer([LAKE, ESTATE, Entry("e2", "云锦花园二期", PlaceKind.ESTATE)])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        *(("A市青梧西路西方向有车违停", ["青梧西路"]), ("投诉B3区槐荫壹号小区夜间施工", ["槐荫壹号"])),
        *(
            ("A2区柏林街道沁园大道管道施工", ["柏林街道", "沁园大道"]),
            ("A市青梧路（槐荫路至柏叶路）段积水", ["青梧路", "槐荫路", "柏叶路"]),
        ),
        *(("银杉路和槐荫路路口红绿灯坏了", ["银杉路", "槐荫路"]), ("举报石塘镇政府208国道占道", ["石塘镇", "208国道"])),
        *(("在A市买房需要什么条件", []), ("A市公交405路线路问题", []), ("咨询A市公积金问题", []), ("", []), ("😀123", [])),
    ],
)
def test_a_name_is_known_by_its_shape(text: str, names: list[str]) -> None:
    assert [place.text for place in find_places(text)] == names


def test_the_districts_own_names_and_aliases_come_first_and_the_longest_wins() -> None:
    text = "云锦花园二期门口到老清溪边上臭"
    found = find_places(text, gazetteer=KNOWN, pattern=False)
    assert [place.entry.code for place in found if place.entry] == ["e2", "r1"]
    assert all(text[place.start : place.end] == place.text for place in found)


def test_places_are_offered_where_no_pin_stands_or_all_lie_over_300_metres_from_it() -> None:
    found = find_places("云锦花园旁清溪河发臭", gazetteer=KNOWN, pattern=False)
    assert [place.text for place in places_to_offer(found, pin=None)] == ["云锦花园", "清溪河"]
    assert places_to_offer(found, pin=(114.31, 22.70)) == []  # the pin agrees with one of them
    assert len(places_to_offer(found, pin=(114.40, 22.70))) == 2
    assert places_to_offer(find_places("A市青梧路积水"), pin=(114.40, 22.70)) == []  # of unknown position


@pytest.mark.parametrize(("north", "is_offered"), [(299.0, False), (301.0, True)])
def test_the_edge_is_300_metres(north: float, is_offered: bool) -> None:
    place = Place("清溪河", 0, 3, PlaceKind.RIVER, LAKE)
    pin = (114.30, 22.70 + north / 111_195.08)
    assert metres_from(place, pin) == pytest.approx(north, abs=0.01)
    assert bool(places_to_offer([place], pin=pin)) is is_offered


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_any_text_is_borne_and_places_stand_where_they_say(text: str) -> None:
    found = find_places(text, gazetteer=KNOWN)
    assert all(text[place.start : place.end] == place.text for place in found)
    assert len(find_places("青梧路" * 30_000)) <= 20
