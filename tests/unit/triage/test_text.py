"""Whatever is pasted into a report can be read, and is read the same way everywhere."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jiequ.triage.engine.text import (
    MOST_CHARACTERS,
    Bags,
    Weigher,
    aligned,
    bags,
    codes_of,
    cosines,
    gram_keys,
    grams,
    normalised,
)

ODD = {
    "empty": "",
    "blank": " \t\n　",
    "200 KB": "垃圾" * 50_000,
    "emoji": "🗑️👨‍👩‍👧🇨🇳",
    "traditional": "垃圾堆積如山，無人清運",
    "mixed": "Ｗｉｆｉ坏了 call １１０ пожар 火事だ",
    "digits": "0123456789" * 3,
    "growing": "ﷺ" * 3_000,
    "half": "\ud83d\x00\u202ea",
}
ANY_TEXT = st.text(st.characters(), max_size=60)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_no_text_is_too_odd_to_be_counted(text: str) -> None:
    row = bags([text, "井盖没了"])
    assert row.n == 2
    assert len(row.rows) == len(row.keys) == len(row.values)
    assert Counter(row.values[row.rows == 0]) == Counter(float(n) for n in Counter(grams(text)).values())
    assert len(normalised(text)) <= MOST_CHARACTERS


@given(ANY_TEXT)
@example("ﬃ  \u0301Ⅷ㎡")
def test_reading_twice_changes_nothing_and_places_point_into_the_text_as_given(text: str) -> None:
    plain, places = aligned(text)
    assert plain == normalised(text) == normalised(plain)
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)
    assert all(mark == " " or mark in normalised(text[place]) for mark, place in zip(plain, places, strict=True))


@given(st.lists(ANY_TEXT, max_size=4))
def test_the_rows_of_many_texts_are_those_of_each(texts: list[str]) -> None:
    together = bags(texts)
    for n, text in enumerate(texts):
        alone = bags([text])
        assert np.array_equal(together.keys[together.rows == n], alone.keys)
        assert np.array_equal(together.values[together.rows == n], alone.values)


def test_the_same_words_in_other_forms_are_the_same() -> None:
    assert normalised("　樓道雜物，ＡＢＣ１２３\r\n") == "楼道杂物,abc123"
    assert grams("路灯 不亮") == ["路", "灯", "不", "亮", "路灯", "不亮"]


@given(st.text(st.characters(categories=["Lo"], max_codepoint=0xFFFF), min_size=3, max_size=40), st.sampled_from([1, 2, 3]))
def test_keys_belong_to_the_gram_wherever_it_stands(text: str, n: int) -> None:
    keys, whole = gram_keys(codes_of(text), n)
    by_gram = {text[at : at + n]: keys[at] for at in np.flatnonzero(whole)}
    assert len(set(by_gram.values())) == len(by_gram)
    assert all(gram_keys(codes_of(gram), n)[0][0] == key for gram, key in by_gram.items())


def test_every_row_has_length_one_or_is_empty() -> None:
    row: Bags = bags(["窨井盖破了", "", "!!!"]).scaled()
    lengths = np.sqrt(np.bincount(row.rows, row.values**2, 3))
    assert np.allclose(lengths, [1, 0, 0])
    assert list(row.starts) == [0, 9, 9, 9]


def test_the_likeness_of_two_texts_is_that_of_their_weighed_grams() -> None:
    texts = ["路灯不亮", "路灯坏了", "路灯不亮", "河道发臭"]
    weigher = Weigher.of(bags(texts))
    found = cosines(weigher.rows(bags(["路灯不亮！"])), weigher.rows(bags(texts)))
    assert np.allclose(found[[0, 2, 3]], [1, 1, 0], atol=1e-6)
    assert 0.1 < found[1] < 0.9
