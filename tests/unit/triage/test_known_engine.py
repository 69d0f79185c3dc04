"""Likeness of two reports, sketches, incidents, topics and heat: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.triage.engine import pairs
from jiequ.triage.engine.heat import heat
from jiequ.triage.engine.incidents import Spot, incidents, topics
from jiequ.triage.engine.pairs import Badge, Likeness, Seen, likeness, read, weigher_of
from jiequ.triage.engine.sketches import BYTES, shares, sketch

DAY = 86_400.0
HERE = (114.05, 22.54)
OTHERS = [
    f"{place}的{thing}，请尽快处理"
    for place in ("东门路", "西湖里", "北塘村", "南桥边")
    for thing in ("井盖坏了", "路灯不亮", "垃圾成堆")
]
ODD = ["", " ", "啊", "👩‍👩‍👧‍👦🚧", "垃圾" * 25_000, "0123456789" * 9, "𠮷野家門口積水", "\x00\ud800", "a" * 5000]


def compared(one: Seen, other: Seen, radius_m: float = 120) -> Likeness:
    mine, theirs = read([one, other], weigher_of([*OTHERS, one.words, other.words], least=1))
    return likeness(one, other, reads=(mine, theirs), radius_m=radius_m)


def test_the_same_words_at_the_same_place_are_very_likely_the_same() -> None:
    one = Seen("石桥边的河道被树枝堵住，水漫上来了", DAY, lon=HERE[0], lat=HERE[1])
    found = compared(one, Seen("石桥边河道被树枝堵了，水漫到路上", 0.0, lon=HERE[0], lat=HERE[1] + 0.0001))
    assert found.badge == Badge.SAME
    assert {reason.kind for reason in found.reasons} >= {"words", "distance"}


def test_the_same_words_far_away_are_not() -> None:
    one = Seen("门口的井盖坏了", DAY, lon=HERE[0], lat=HERE[1])
    assert compared(one, Seen("门口的井盖坏了", 0.0, lon=HERE[0] + 0.01, lat=HERE[1])).badge != Badge.SAME


def test_another_line_or_building_is_never_very_likely_the_same() -> None:
    found = compared(Seen("请把地铁7号线延长到动物园", 0.0), Seen("请把地铁1号线延长到动物园", 0.0))
    assert found.badge != Badge.SAME
    assert "number_differs" in {reason.kind for reason in found.reasons}


def test_a_photo_sent_again_says_more_than_a_photo_that_is_like_it() -> None:
    one = Seen("", DAY, photos=(0b1011,))
    again = compared(one, Seen("", DAY, photos=(0b1010, 0xFFFF_FFFF)))
    like = compared(one, Seen("", DAY, photos=(0b1011 ^ 0x7F0,)))
    other = compared(one, Seen("", DAY, photos=(0xFFFF_FFFF_0000,)))
    assert again.probability > like.probability > other.probability
    assert again.reasons[0].facts == {"bits": 1}


def test_a_hash_with_its_highest_bit_set_is_compared_whatever_its_sign() -> None:
    assert pairs.hamming(-1, 0xFFFF_FFFF_FFFF_FFFF) == 0


def test_nearer_and_sooner_is_likelier() -> None:
    one = Seen("路灯不亮", 30 * DAY, lon=HERE[0], lat=HERE[1])
    steps = [compared(one, Seen("路灯坏了", 30 * DAY, lon=HERE[0] + n * 0.0003, lat=HERE[1])).probability for n in range(6)]
    assert steps == sorted(steps, reverse=True)
    ages = [compared(one, Seen("路灯坏了", (30 - n) * DAY)).probability for n in (0, 3, 20)]
    assert ages == sorted(ages, reverse=True)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_are_compared_without_a_fault(text: str) -> None:
    for other in ODD:
        assert 0 <= compared(Seen(text, 0.0), Seen(other, DAY)).probability <= 1
    assert len(sketch(text)) <= BYTES


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_the_same_both_ways(one: str, other: str) -> None:
    there, back = compared(Seen(one, 0.0), Seen(other, DAY)), compared(Seen(other, DAY), Seen(one, 0.0))
    assert there.probability == pytest.approx(back.probability, abs=1e-6)


@given(st.text(max_size=300))
def test_a_text_holds_its_own_sketch(text: str) -> None:
    made = sketch(text)
    assert len(made) <= BYTES
    assert shares(text, [made, b"", None]).tolist() == pytest.approx([1.0 if made else 0.0, 0.0, 0.0])


def test_sketches_put_the_matter_asked_for_first_even_of_a_long_text() -> None:
    said = [*OTHERS, "石桥边的河道被树枝堵住，水漫上来了。" + "另外想问一下明天社区活动几点开始，孩子能不能参加。" * 10]
    found = shares("河道被树枝堵住，石桥边水漫上来", [sketch(text) for text in said])
    assert int(found.argmax()) == len(said) - 1


def test_a_chain_of_half_like_reports_is_no_incident() -> None:
    chain = [(1, 2, 0.9), (2, 3, 0.6), (3, 4, 0.6), (1, 3, 0.1), (2, 4, 0.1)]
    assert incidents(chain) == [{1, 2}, {3, 4}] or incidents(chain) == [{1, 2}]
    assert incidents([(1, 2, 0.9), (2, 3, 0.9), (1, 3, 0.8)]) == [{1, 2, 3}]


def test_a_topic_reaches_step_by_step_but_never_to_another_type() -> None:
    row = [Spot(n, HERE[0] + n * 0.0009, HERE[1], "lamp", 120) for n in range(4)]
    assert topics([*row, Spot(9, *HERE, "river", 120), Spot(8, HERE[0] + 0.02, HERE[1], "lamp", 120)]) == [[0, 1, 2, 3]]


@given(st.lists(st.tuples(st.floats(-0.01, 0.01), st.floats(-0.01, 0.01)), max_size=25))
def test_topics_are_those_of_comparing_each_with_each(offsets: list[tuple[float, float]]) -> None:
    spots = [Spot(n, HERE[0] + x, 23.0 + y, "lamp", 300) for n, (x, y) in enumerate(offsets)]  # across a whole degree
    near = {(a.key, b.key) for a in spots for b in spots if pairs.distance_m(a.lon, a.lat, b.lon, b.lat) <= 300}
    groups = {spot.key: {spot.key} for spot in spots}
    for a, b in near:
        joined = groups[a] | groups[b]
        for key in joined:
            groups[key] = joined
    wanted = {frozenset(each) for each in groups.values() if len(each) > 1}
    assert {frozenset(each) for each in topics(spots)} == wanted


def test_heat_counts_people_not_messages_and_fades() -> None:
    one = [("a", 0.0)]
    assert heat([("a", 0.0)] * 50, at=0.0) == heat(one, at=0.0) == 1.0
    assert heat([("a", 0.0), ("b", 0.0)], at=0.0) == 2.0
    assert heat(one, at=7 * DAY) == pytest.approx(0.5)
    assert heat([("", 0.0)] * 99, at=0.0) == 1.0  # nobody can heat by leaving nothing
