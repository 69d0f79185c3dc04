"""Spellings of departments: one unit, many names."""

from __future__ import annotations

import pytest

from jiequ.triage.engine.aliases import Aliases, Spellings, clean, short

LIST = {
    "cg": ["城市管理局"],
    "sw": ["环境保护和水务局", "环水局"],
    "sz1": ["市政服务中心（甲街道办事处）"],
    "sz2": ["市政服务中心（乙街道办事处）"],
    "zf1": ["甲街道综合执法队"],
    "sq1": ["东山社区工作站"],
    "sq2": ["西山社区工作站"],
    "sj": ["市场监督管理局"],
}


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        *(("城管局", "cg"), ("区城市管理局", "cg"), ("龙岗区城管局", "cg"), (" 城市管理局 ", "cg"), ("城市管理局处置", "cg")),
        *(("环水局", "sw"), ("环保和水务局", "sw"), ("市政服务中心(甲街道办事处)", "sz1"), ("甲办事处综合执法队", "zf1")),
        *(("东山社区工作站", "sq1"), ("西山社区工作站(处置)", "sq2"), ("市市场监管局", "sj"), ("龙岗区市场监督管理局", "sj")),
        *(("市政服务中心", None), ("教育局", None), ("", None)),
    ],
)
def test_a_spelling_means_one_department_or_none(spelling: str, code: str | None) -> None:
    assert Aliases(LIST).code_of(spelling) == code


def test_brackets_blanks_and_width_make_no_other_name() -> None:
    assert clean("城建办（ 甲 街道）") == clean("城建办(甲街道)") != clean("城建办")
    assert short("甲街道办事处") == short("甲街道")


def learnt(*names: str) -> Spellings:
    made = Spellings()
    for name in names:
        made.learn(name)
    return made


def test_a_unit_renamed_with_its_street_in_brackets_stays_one_and_takes_its_new_name_after_two_uses() -> None:
    made = learnt(*["六合社区"] * 5, "六合社区（甲街道办事处）")
    assert made.key("六合社区（甲街道办事处）") == made.key("六合社区")
    assert made.in_use(made.key("六合社区")) == "六合社区"
    made.learn("六合社区（甲街道办事处）")
    assert made.in_use(made.key("六合社区")) == "六合社区（甲街道办事处）"


def test_the_same_office_of_two_streets_is_two_units() -> None:
    made = learnt("城建办", "城建办（甲街道办事处）", "城建办（乙街道办事处）")
    assert len({made.key(name) for name in ("城建办", "城建办（甲街道办事处）", "城建办（乙街道办事处）")}) == 3
