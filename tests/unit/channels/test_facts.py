"""A notice carries number, type, grid and due time only (DOMAIN §9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jiequ.channels.rules import FactRefused, clean_facts

FACTS = {
    "number": "LG-2026-000123",
    "type": "河道堵塞",
    "grid": "990101001001001",
    "due": datetime(2026, 3, 4, 9, 0, tzinfo=UTC),
}


def test_the_four_facts_are_kept_and_absent_ones_are_dropped() -> None:
    assert clean_facts(FACTS) == {**FACTS, "due": "2026-03-04T09:00:00+00:00"}
    assert clean_facts({"number": "LG-2026-000123", "type": None, "grid": ""}) == {"number": "LG-2026-000123"}


def test_a_type_may_be_named_in_both_languages() -> None:
    both = {"zh-hans": "河道堵塞", "en": "Blocked river"}
    assert clean_facts({"type": both}) == {"type": both}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reporter", "周女士"),
        ("phone", "13800000001"),
        ("words", "门口堵了"),
        ("address", "1 栋 302 房"),
        ("token", "x" * 43),
        ("number", "周女士 13800000001"),
        ("number", "LG-2026-000123 302房"),
        ("number", 123),
        ("grid", "东涌社区 3 栋 302"),
        ("grid", "13800000001"),
        ("type", "请回电 13800000001"),
        ("type", "一" * 121),
        ("type", "第一行\n第二行"),
        ("type", {"fr": "x"}),
        ("type", {}),
        ("type", ["河道堵塞"]),
        ("due", "明天下午"),
        ("due", "2026-03-04T09:00:00"),
        ("due", 5),
    ],
)
def test_whatever_else_is_refused_and_named(name: str, value: object) -> None:
    with pytest.raises(FactRefused) as refused:
        clean_facts({**FACTS, name: value})
    assert refused.value.fact == name
