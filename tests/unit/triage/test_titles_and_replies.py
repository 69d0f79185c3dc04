"""A title from the words, and what a reply lacks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.triage.engine.replies import Flag, Told, flags_of, quality_of
from jiequ.triage.engine.titles import title_of

REPORT = "青梧路口的下水井盖坏了三天，晚上骑车很危险，请尽快更换"
GOOD = (
    "您好！您反映青梧路口下水井盖损坏的问题已收悉。经现场核查，该井盖因重车碾压破裂，属市政服务中心维护。"
    "11月26日下午已更换新井盖并复测牢固，围挡已撤除；今后每周巡查该路段。如仍有松动，可拨打12345。感谢您的监督！"
)
NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)


def kinds(reply: str, told: Told | None = None) -> list[str]:
    return [flag.kind for flag in flags_of(reply, report=REPORT, told=told)]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        *(("您好，我想反映一下，东街3号楼下垃圾桶满了三天没人清", "东街3号楼下垃圾桶满了三天没人清"), ("路灯不亮", "路灯不亮")),
        *(("", ""), ("你好", ""), ("😀😀", "")),
        ("领导好！我是云锦花园的业主。门口的井盖坏了，请处理", "门口的井盖坏了，请处理"),
    ],
)
def test_a_title_is_the_first_clause_that_tells_something(words: str, title: str) -> None:
    assert title_of(words) == title


@given(st.text(max_size=200))
def test_a_title_is_one_line_of_the_length_that_was_asked_for(words: str) -> None:
    title = title_of(words, most=20)
    assert len(title) <= 20
    assert len(title.splitlines()) <= 1
    assert "13812345678" not in title_of(f"{words}，13812345678")


def test_a_reply_that_says_what_was_found_and_done_has_no_flag() -> None:
    assert kinds(GOOD, Told(NOW, is_done=True)) == []


def test_a_reply_that_only_passes_on_is_told_what_it_lacks_with_the_words() -> None:
    flags = {flag.kind: flag for flag in flags_of("您好，您反映的问题已转交相关部门核实处理。", report=REPORT)}
    assert {"short", "only_passed_on", "no_finding", "no_date", "off_topic"} <= set(flags)
    assert flags["only_passed_on"].reason.facts["words"] in "已转交相关部门核实处理"
    assert flags["short"].reason.facts["least"] == 40
    assert quality_of("您好，已转交处理。", report=REPORT) < 0.5 < quality_of(GOOD, report=REPORT)


def claims(reply: str, told: Told) -> list[Flag]:
    return [flag for flag in flags_of(reply, report=REPORT, told=told) if flag.kind == "contradicts"]


def test_a_promise_that_the_timeline_contradicts_is_flagged() -> None:
    assert claims(GOOD, Told(NOW))[0].reason.facts["what"] == "done"
    assert claims("该件已结案。", Told(NOW))[0].reason.facts["what"] == "closed"
    assert claims("我们将于11月20日更换。", Told(NOW))[0].reason.facts["what"] == "past"
    later = claims("我们将于12月20日更换。", Told(NOW, promised_by=(datetime(2026, 12, 1, tzinfo=UTC),)))
    assert later[0].reason.facts["what"] == "later"
    assert claims("我们将于12月1日更换。", Told(NOW, promised_by=(datetime(2026, 12, 1, tzinfo=UTC),))) == []


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_reply_has_a_number_between_0_and_1(reply: str, report: str) -> None:
    assert 0 <= quality_of(reply, report=report) <= 1
    assert all(flag.reason.kind == flag.kind for flag in flags_of(reply, report=report))
