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
            ("昨晚8点到12点", "11-26 20:00", "11-27 00:00"),
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


@pytest.mark.parametrize("text", ["工作日晚上10点到凌晨2点", "on weekdays at night from 10 pm to 2 am"])
def test_what_comes_again_overnight_keeps_its_length_over_a_weekend(text: str) -> None:
    (span,) = find_times(text, told_at=datetime(2026, 11, 30, 10, 0, tzinfo=TOLD.tzinfo))  # a Monday: it last began on Friday
    assert (f"{span.begins:%m-%d %H:%M}", f"{span.ends:%m-%d %H:%M}") == ("11-27 22:00", "11-28 02:00")


@pytest.mark.parametrize("text", ["", "2月31日", "有3点建议", "时间很长", "13800001111", "早上好", "去年"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert find_times(text, told_at=TOLD) == []


@pytest.mark.parametrize(
    ("text", "begins", "ends", "every"),
    [
        *(
            ("每天晚上", "11-26 18:00", "11-27 00:00", "day"),
            ("每晚11点半至第二天早上6点", "11-26 23:30", "11-27 06:00", "day"),
        ),
        *(("每天早上六点", "11-27 06:00", "11-27 06:00", "day"), ("每周三", "11-25 00:00", "11-26 00:00", "week")),
        *(("每个星期天下午", "11-22 12:00", "11-22 18:00", "week"), ("周末", "11-21 00:00", "11-23 00:00", "weekend")),
        *(
            ("工作日早上7点到9点", "11-27 07:00", "11-27 09:00", "workday"),
            ("每周五晚上", "11-20 18:00", "11-21 00:00", "week"),
        ),
        *(("每天都是晚上8点到12点", "11-26 20:00", "11-27 00:00", "day"),),
        *(("each morning", "11-27 06:00", "11-27 12:00", "day"), ("on Mondays", "11-23 00:00", "11-24 00:00", "week")),
        *(
            ("every Wednesday night from 10 pm to 2 am", "11-25 22:00", "11-26 02:00", "week"),
            ("every evening 7-9pm", "11-26 19:00", "11-26 21:00", "day"),
        ),
        *(
            ("every weekday morning", "11-27 06:00", "11-27 12:00", "workday"),
            ("at weekends", "11-21 00:00", "11-23 00:00", "weekend"),
        ),
    ],
)
def test_what_comes_again_is_told_by_the_last_time_it_began(text: str, begins: str, ends: str, every: str) -> None:
    (span,) = find_times(f"，{text} 吵", told_at=TOLD)
    assert (f"{span.begins:%m-%d %H:%M}", f"{span.ends:%m-%d %H:%M}", span.every) == (begins, ends, every)
    assert span.text == text


def test_what_comes_every_day_and_what_came_once_are_told_apart() -> None:
    assert [span.every for span in find_times("每天早上六点吵，昨天又吵", told_at=TOLD)] == ["day", ""]
    assert find_times("每天都吵", told_at=TOLD) == [], "every day alone says no time"


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        *(("last night from 10 pm to 2 am", "11-26 22:00", "11-27 02:00"), ("last night at 2am", "11-27 02:00", "11-27 02:00")),
        *(("yesterday from 8 to 10pm", "11-26 20:00", "11-26 22:00"), ("two hours ago", "11-27 08:00", "11-27 08:00")),
        *(("last Friday afternoon", "11-20 12:00", "11-20 18:00"), ("3rd of November", "11-03 00:00", "11-04 00:00")),
        *(("Nov 3 at 9:30", "11-03 09:30", "11-03 09:30"), ("this morning", "11-27 06:00", "11-27 12:00")),
        *(("yesterday at noon", "11-26 12:00", "11-26 12:00"), ("the day before yesterday", "11-25 00:00", "11-26 00:00")),
    ],
)
def test_english_is_read_too(text: str, begins: str, ends: str) -> None:
    (span,) = find_times(f"The drain smells {text}. 4 dogs.", told_at=TOLD)
    assert (f"{span.begins:%m-%d %H:%M}", f"{span.ends:%m-%d %H:%M}", span.text) == (begins, ends, text)


@pytest.mark.parametrize("text", ["4 dogs", "may I ask", "Feb 31", "every day", "the 2 to 3 of us", "daily", "İ last night"])
def test_english_that_tells_no_time(text: str) -> None:
    assert find_times(text, told_at=TOLD) == []


@settings(max_examples=80)
@given(
    st.lists(
        st.sampled_from(
            "每 昨 今 天 晚 早上 下午 凌晨 3 12 点 半 到 至 月 日 周 五 前 小时 上 :30 2026年 十 工作日 周末".split()
        )
        | st.sampled_from(
            [" every ", "each", " night ", "last ", " monday", " 11 pm", " to ", "at 2", "weekend", " ago", "noon"]
        )
    ).map("".join)
)
def test_no_span_ends_before_it_begins(text: str) -> None:
    found = find_times(text, told_at=TOLD)
    assert all(span.begins <= span.ends for span in found)
    assert all(span.begins <= TOLD for span in found if span.every)
    assert all(text[span.start : span.end] == span.text for span in found)
