"""Whatever somebody writes, every function of the engine that reads words answers, with offsets that fit the words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.triage.engine import aliases, generator, start
from jiequ.triage.engine.advice import advise, weigher_for
from jiequ.triage.engine.dispatch import Dispatcher
from jiequ.triage.engine.masking import mask
from jiequ.triage.engine.matter import Matter
from jiequ.triage.engine.memory import Memory, Row
from jiequ.triage.engine.pairs import Seen, likeness, read, weigher_of
from jiequ.triage.engine.places import Entry, Gazetteer, PlaceKind, find_places
from jiequ.triage.engine.replies import Told, flags_of, quality_of
from jiequ.triage.engine.sketches import shares, sketch
from jiequ.triage.engine.times import find_times
from jiequ.triage.engine.titles import title_of
from jiequ.triage.engine.types import Report
from jiequ.triage.engine.urgent import urgency_of

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MODEL = start.start_model(generator.types(), district="d")
MEMORY = Memory.of([Row("1", "巷口垃圾没人收", "event:0110", is_correction=True)], weigher_for(MODEL))
KNOWN = Gazetteer([Entry("r1", "清溪河", PlaceKind.RIVER, 114.3, 22.7)])
ODD = {
    "empty": "",
    "blanks": " \n\t　",
    "100 KB": "巷口的垃圾3天没人收，电话13912345678。" * 2600,
    "100 KB of one sign": "1" * 100_000,
    "emoji": "🗑️🗑️👨‍👩‍👧臭🤢",
    "traditional": "路燈壞了，垃圾堆積發臭，請盡快處理",
    "mixed": "Road 路面 дорога طريق 道路 ﾄﾞｳﾛ broken!!",
    "digits": "13912345678 20261127 007",
    "half a character": "路\ud83d灯",
    "kept apart": "K \u0327处置处置",
    "nothing but signs": "。。！！？？——……（）",
}


def answers(words: str) -> None:
    """All of them, with what must hold of each answer."""
    found = advise(Report(words), model=MODEL, memory=MEMORY)
    assert all(0 <= one.start < one.end <= len(words) for one in found.marks)
    assert sum(one.confidence for one in found.suggestions) <= 1 + 1e-6
    assert urgency_of(Report(words)) is None or urgency_of(Report(words)).words  # type: ignore[union-attr]
    hidden = mask(words)
    assert mask(hidden.text).text == hidden.text
    assert "13912345678" not in hidden.text
    assert len(title_of(words)) <= 30
    assert all(words[one.start : one.end] == one.text for one in find_places(words, gazetteer=KNOWN))
    assert all(one.begins <= one.ends for one in find_times(words, told_at=NOW))
    assert 0 <= quality_of(words, report=words) <= 1
    assert all(one.kind for one in flags_of(words, report="垃圾", told=Told(NOW)))
    assert len(sketch(words)) <= 512
    assert 0 <= float(shares(words, [sketch(words)])[0]) <= 1 + 1e-6
    seen = [Seen(words[:5000], 1.0), Seen("巷口垃圾没人收", 2.0)]
    mine, theirs = read(seen, weigher_of([one.words for one in seen], least=1))
    assert 0 <= likeness(seen[0], seen[1], reads=(mine, theirs)).probability <= 1
    dispatcher = Dispatcher("d")
    dispatcher.learn(Matter("event:0110", text=words), "hw", day=1.0)
    (lead,) = dispatcher.suggest(Matter("event:0110", text=words), day=2.0, allowed=["hw"])
    assert lead.code == "hw"
    assert aliases.clean(aliases.clean(words[:100])) == aliases.clean(words[:100])


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
def test_every_function_bears_odd_texts(words: str) -> None:
    answers(words)


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_every_function_bears_any_text(words: str) -> None:
    answers(words)


@pytest.mark.parametrize("words", ["xxxx", "1234", "😀👍", "测试", "你好", "哈哈哈哈", "啊啊啊啊", "ok 好的", "test 测试 123"])
def test_what_says_nothing_is_answered_with_nothing(words: str) -> None:
    assert advise(Report(words), model=MODEL).suggestions == ()


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=("Lo", "Cs")), max_size=40))
def test_no_letters_digits_or_signs_alone_are_taken_for_a_matter(words: str) -> None:
    assert advise(Report(words), model=MODEL).suggestions == ()


@settings(max_examples=60)
@given(st.lists(st.sampled_from("亥戌酉申未午巳辰卯寅丑子癸壬辛庚己戊丁丙乙甲璀璨琳琅徜徉彷徨"), min_size=1, max_size=14))
def test_characters_in_no_order_are_taken_for_none(signs: list[str]) -> None:
    assert advise(Report("".join(signs)), model=MODEL).suggestions == ()


def test_short_and_long_reports_are_still_answered() -> None:
    for words in ("路灯不亮", "井盖坏了", "积水", "占道", "下水道堵了", "樹倒了，路過不去"):
        assert advise(Report(words), model=MODEL).suggestions, words
    reports = [one.report for one in generator.generate(100, seed=77)]
    assert sum(bool(advise(report, model=MODEL).suggestions) for report in reports) >= 98


def test_a_remembered_correction_speaks_even_for_words_nobody_learnt() -> None:
    memory = Memory.of([Row("7", "啊哦呃", "event:0110", is_correction=True)], weigher_for(MODEL))
    assert advise(Report("啊哦呃"), model=MODEL, memory=memory).suggestions[0].code == "event:0110"
