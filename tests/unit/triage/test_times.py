"""When it was: counted from when it was told, and never ending before it begins."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.triage.engine.times import find_times

TOLD = datetime(2026, 11, 27, 10, 0, tzinfo=timezone(timedelta(hours=8)))  # a Friday


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        *(
            ("昨晚10点到凌晨2点一直施工", "11-26 22:00", "11-27 02:00"),
            ("每晚11点半至第二天早上6点", "11-27 23:30", "11-28 06:00"),
        ),
        *(("昨晚八点到十点放音响", "11-26 20:00", "11-26 22:00"), ("今天上午9点到3点", "11-27 09:00", "11-27 15:00")),
        *(("昨晚10点到2点", "11-26 22:00", "11-27 02:00"), ("昨晚8点到第二天9点", "11-26 20:00", "11-27 09:00")),
        *(("今天上午", "11-27 08:00", "11-27 12:00"), ("11月3日上午9:30", "11-03 09:30", "11-03 09:30")),
        *(("3月5日到3月1日", "03-01 00:00", "03-06 00:00"), ("上周五下午3点", "11-20 15:00", "11-20 15:00")),
        *(("半小时前", "11-27 09:30", "11-27 09:30"), ("三天前", "11-24 00:00", "11-25 00:00")),
        *(("晚上十二点到一点", "11-28 00:00", "11-28 01:00"), ("凌晨12点半", "11-27 00:30", "11-27 00:30")),
    ],
)
def test_a_time_is_read_as_people_mean_it(text: str, begins: str, ends: str) -> None:
    (span,) = find_times(text, told_at=TOLD)
    assert (f"{span.begins:%m-%d %H:%M}", f"{span.ends:%m-%d %H:%M}") == (begins, ends)
    assert text[span.start : span.end] == span.text


@pytest.mark.parametrize("text", ["", "2月31日", "有3点建议", "时间很长", "13800001111", "早上好", "去年"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert find_times(text, told_at=TOLD) == []


def test_what_comes_every_day_is_told_so() -> None:
    assert [span.recurring for span in find_times("每天早上六点吵，昨天又吵", told_at=TOLD)] == [True, False]


@settings(max_examples=80)
@given(
    st.lists(
        st.sampled_from("每 昨 今 天 晚 早上 下午 凌晨 3 12 点 半 到 至 月 日 周 五 前 小时 上 :30 2026年 十".split())
    ).map("".join)
)
def test_no_span_ends_before_it_begins(text: str) -> None:
    assert all(span.begins <= span.ends for span in find_times(text, told_at=TOLD))
