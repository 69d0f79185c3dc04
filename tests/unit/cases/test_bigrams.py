"""Text split for search, and what one box understands: pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.cases import bigrams
from jiequ.cases.bigrams import Term
from jiequ.cases.questions import understood


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("垃圾", ["垃圾", "圾"]),
        ("石桥边", ["石桥", "桥边", "边"]),
        ("桥", ["桥"]),
        ("龙涧路123号", ["龙涧", "涧路", "路", "123", "号"]),
        ("ＬＧ　１２", ["lg", "12"]),
        ("Wi-Fi 坏了！", ["wi", "fi", "坏了", "了"]),
        ("龍", ["龍"]),
        ("", []),
        ("，。！ \x00", []),
    ],
)
def test_han_becomes_pairs_and_a_last_character_words_stay_whole(text: str, tokens: list[str]) -> None:
    assert bigrams.tokens(text) == tokens


def test_a_run_of_seven_digits_is_not_a_token() -> None:
    assert bigrams.tokens("电话13912345678，门牌 123456") == ["电话", "话", "门牌", "牌", "123456"]


@given(st.text(max_size=60))
def test_a_token_holds_letters_and_digits_only_so_no_query_can_be_broken_out_of(text: str) -> None:
    assert all(token.isalnum() for token in bigrams.tokens(text))
    assert all(token.isalnum() for term in bigrams.asked(text) for token in term.tokens)


@given(st.text(alphabet="垃圾桶河道桥路边一二三", min_size=1, max_size=12), st.integers(0, 11), st.integers(1, 5))
def test_every_piece_of_a_text_is_found_by_its_own_tokens(text: str, start: int, length: int) -> None:
    piece = text[start : start + length]
    if not piece:
        return
    (term,) = bigrams.asked(piece)
    stored = f" {bigrams.indexed([text])} "
    assert f" {' '.join(term.tokens)}" + ("" if term.is_open else " ") in stored


@pytest.mark.parametrize(
    ("typed", "numbers", "terms"),
    [
        ("LG-2026-000123", ("LG-2026-000123",), ()),
        ("lg2026 123", ("LG-2026-000123",), ()),
        ("2026-123", ("LG-2026-000123", "QG-2026-000123"), ()),
        (
            "#7",
            tuple(f"{street}-{year}-000007" for street in ("LG", "QG") for year in (2026, 2025, 2024)),
            (),
        ),
        ("垃圾桶", (), (Term(("垃圾", "圾桶")),)),
        ("河道 桥", (), (Term(("河道",)), Term(("桥",), is_open=True))),
    ],
)
def test_one_box_tells_numbers_from_words(typed: str, numbers: tuple[str, ...], terms: tuple[Term, ...]) -> None:
    asked = understood(typed, prefixes=["LG", "QG"], year=2026)
    assert (asked.numbers, asked.terms) == (numbers, terms)


def test_a_short_number_may_be_a_number_or_stand_in_an_address() -> None:
    asked = understood("123", prefixes=["LG"], year=2026)
    assert "LG-2026-000123" in asked.numbers
    assert asked.terms == (Term(("123",)),)


@pytest.mark.parametrize("typed", ["尾号5678", "尾号：5678", "尾 5678", "*5678"])
def test_a_phone_s_last_four_are_asked_for_by_name(typed: str) -> None:
    assert understood(typed, year=2026).last4 == "5678"


@pytest.mark.parametrize("typed", ["13912345678", "+86 139 1234 5678", "0755-83941111"])
def test_a_whole_phone_is_seen_as_one(typed: str) -> None:
    assert understood(typed, year=2026).is_phone


@pytest.mark.parametrize("typed", ["！！", "，", "…"])
def test_signs_alone_ask_for_nothing(typed: str) -> None:
    assert understood(typed, year=2026).is_empty
