"""The conversation as values: by tables, and in every order in which the pieces of a report may come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.doors.chat import flow, meaning
from jiequ.doors.chat import words as sentences
from jiequ.doors.chat.flow import Act, Draft, Kind, Limits, Spot, State, Sure, Thing, Turn, turn
from jiequ.doors.chat.meaning import Command, Meaning

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
LIMITS = Limits()
BRIDGE = Spot("鹭溪河桥", 113.5, 23.18, "gcj02", Sure.SENT)


def photo(key: str = "p1", *, at: datetime = NOW) -> Thing:
    return Thing(Kind.PHOTO, key, at, media_id=f"media-{key}")


def words(text: str = "河道被垃圾堵住了", key: str = "w1", *, at: datetime = NOW, **more: Any) -> Thing:
    return Thing(Kind.WORDS, key, at, words=text, **more)


def place(key: str = "l1", *, at: datetime = NOW, spot: Spot = BRIDGE) -> Thing:
    return Thing(Kind.PLACE, key, at, spot=spot)


def voice(key: str = "v1", text: str = "", *, at: datetime = NOW) -> Thing:
    return Thing(Kind.VOICE, key, at, words=text, media_id=f"media-{key}")


def play(things: Sequence[Thing], draft: Draft | None = None, limits: Limits = LIMITS) -> Turn:
    """Everything one after the other; the last answer."""
    told = Turn(draft)
    for thing in things:
        told = turn(told.draft, thing, limits, is_noticed=True, new_key="d1")
    return told


def names(told: Turn) -> list[str]:
    return [say.name for say in told.says]


# -- pieces ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_photo_words_and_place_in_any_order_end_in_one_summary(order: tuple[int, ...]) -> None:
    three = [photo(at=NOW), words(at=NOW + timedelta(seconds=9)), place(at=NOW + timedelta(seconds=20))]
    told = play([three[n] for n in order])
    assert told.draft == play(three).draft
    assert names(told) == ["summary"]
    assert told.says[0].facts["place"] == "鹭溪河桥"


def things() -> st.SearchStrategy[Thing]:
    """Pieces of a report by random keys, some of them the same message again."""
    keys, seconds = st.sampled_from("abcdefgh"), st.integers(0, 600)

    def made(kind: str, key: str, second: int) -> Thing:
        at = NOW + timedelta(seconds=second if kind else 0)
        spot = Spot(f"地点{key}", 113.5, 23.18, sure=Sure.SENT if ord(key) % 2 else Sure.WRITTEN)
        return {
            "photo": photo(f"p{key}", at=at),
            "words": words(f"第{key}句话说明情况", f"w{key}", at=at),
            "place": place(f"l{key}", at=at, spot=spot),
            "voice": voice(f"v{key}", f"语音{key}", at=at),
        }[kind]

    return st.builds(made, st.sampled_from(["photo", "words", "place", "voice"]), keys, seconds)


@given(st.lists(things(), min_size=1, max_size=12, unique_by=lambda thing: thing.key), st.randoms(use_true_random=False))
def test_any_order_of_any_pieces_and_any_repeats_give_the_same_draft(pieces: list[Thing], random: Any) -> None:
    shuffled = [*pieces, *random.sample(pieces, random.randint(0, len(pieces)))]
    random.shuffle(shuffled)
    wide = replace(LIMITS, most_photos=99, most_voices=99)
    assert play(shuffled, limits=wide).draft == play(pieces, limits=wide).draft


def test_the_broken_twin_that_appends_pieces_as_they_come_makes_a_draft_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def appended(draft: Draft, piece: flow.Piece) -> Draft:
        return replace(draft, pieces=(*draft.pieces, piece), touched_at=piece.at)

    monkeypatch.setattr(Draft, "with_piece", appended)
    three = [photo(at=NOW), words(at=NOW + timedelta(seconds=9)), place(at=NOW + timedelta(seconds=20))]
    assert len({play(list(order)).draft for order in permutations(three)}) == 6


@pytest.mark.parametrize(
    ("given_things", "asked"),
    [
        ([photo()], "where_is_it"),
        ([words()], "where_is_it"),
        ([voice()], "where_is_it"),
        ([place()], "what_is_it"),
        ([place(), photo()], "summary"),
        ([place(), voice()], "summary"),
        ([words(spot=replace(BRIDGE, sure=Sure.GUESSED))], "summary"),
    ],
)
def test_one_short_question_for_what_is_missing(given_things: list[Thing], asked: str) -> None:
    assert names(play(given_things)) == [asked]


def test_a_surer_place_wins_and_of_equally_sure_ones_the_last() -> None:
    guessed = words(spot=Spot("某小区", 113.4, 23.1, "cgcs2000", Sure.GUESSED), at=NOW + timedelta(seconds=50))
    written = place("l2", spot=Spot("路口", sure=Sure.WRITTEN), at=NOW + timedelta(seconds=40))
    later = place("l3", spot=Spot("改正的位置", 113.6, 23.2), at=NOW + timedelta(seconds=60))
    told = play([guessed, place(), written])
    assert told.draft is not None
    assert told.draft.spot == BRIDGE
    assert play([later], told.draft).draft.spot == later.spot  # type: ignore[union-attr]


def test_a_place_outside_is_refused_and_kept_nowhere() -> None:
    outside = place(spot=Spot("别处", 116.4, 39.9, is_ours=False))
    told = play([photo(), outside])
    assert names(told) == ["not_ours"]
    assert told.draft == play([photo()]).draft


def test_past_nine_photos_the_tenth_is_refused_and_a_repeat_is_no_tenth() -> None:
    nine = [photo(f"p{n}") for n in range(9)]
    told = play([*nine, photo("p9")])
    assert names(told) == ["too_many_photos"]
    assert told.act == Act.NONE
    assert names(play([*nine, nine[3]])) == ["where_is_it"]


def test_what_comes_after_the_window_begins_anew() -> None:
    late = NOW + LIMITS.window + timedelta(seconds=1)
    told = turn(play([photo()]).draft, words(at=late), LIMITS, is_noticed=True, new_key="d2")
    assert told.act == Act.FRESH
    assert told.draft is not None
    assert (told.draft.key, len(told.draft.pieces)) == ("d2", 1)
    assert names(told) == ["began_anew", "where_is_it"]
    in_time = turn(play([photo()]).draft, words(at=NOW + LIMITS.window), LIMITS, is_noticed=True, new_key="d2")
    assert (in_time.act, in_time.draft.key if in_time.draft else "") == (Act.KEEP, "d1")


def test_the_first_report_comes_with_the_privacy_notice_and_no_later_piece_does() -> None:
    first = turn(None, photo(), LIMITS, is_noticed=False, new_key="d1")
    assert names(first) == ["notice", "where_is_it"]
    assert names(turn(first.draft, place(), LIMITS, is_noticed=True, new_key="d1")) == ["summary"]


# -- commands --------------------------------------------------------------------------------------------------------


def tapped(command: Command, target: str = "") -> Thing:
    return Thing(Kind.MENU, "t1", NOW, command=command, target=target)


FULL = play([photo(), place()]).draft
assert FULL is not None
DONE = replace(FULL, state=State.DONE, number="LG-2026-000001")


@pytest.mark.parametrize(
    ("draft", "thing", "act", "said"),
    [
        (FULL, words("确认"), Act.SEND, []),
        (FULL, words("ＯＫ。"), Act.SEND, []),
        (FULL, tapped(Command.CONFIRM, "d1"), Act.SEND, []),
        (FULL, tapped(Command.CONFIRM, "another"), Act.NONE, ["nothing_to_confirm"]),
        (replace(FULL, state=State.LAPSED), words("确认"), Act.SEND, []),
        (replace(FULL, state=State.SENDING), words("确认"), Act.NONE, ["sending"]),
        (DONE, words("确认"), Act.NONE, ["done_already"]),
        (DONE, words("取消"), Act.NONE, ["done_already"]),
        (None, words("确认"), Act.NONE, ["nothing_to_confirm"]),
        (play([photo()]).draft, words("确认"), Act.NONE, ["where_is_it"]),
        (FULL, words("取消"), Act.DROP, ["cancelled"]),
        (None, words("取消"), Act.NONE, ["nothing_to_cancel"]),
        (replace(FULL, state=State.LAPSED), words("继续"), Act.RESUME, ["summary"]),
        (FULL, words("还有一股臭味，很难闻", "w2"), Act.KEEP, ["summary"]),
        (DONE, words("路灯也坏了三天了", "w3"), Act.KEEP, ["where_is_it"]),
        (None, words("在吗"), Act.NONE, ["help"]),
        (None, words("嗯"), Act.NONE, ["help"]),
        (None, Thing(Kind.VIDEO, "m", NOW), Act.NONE, ["no_video"]),
        (None, Thing(Kind.FOLLOW, "f", NOW), Act.NONE, ["welcome"]),
        (None, Thing(Kind.SCAN, "f", NOW, spot=BRIDGE), Act.KEEP, []),
        (play([photo()]).draft, Thing(Kind.SCAN, "f", NOW, spot=BRIDGE), Act.KEEP, []),
        (FULL, Thing(Kind.LEAVE, "u", NOW), Act.LEAVE, []),
        (None, tapped(Command.REPORT), Act.NONE, ["how_to_report"]),
        (play([photo()]).draft, tapped(Command.REPORT), Act.NONE, ["where_is_it"]),
        (None, words("隐私"), Act.NONE, ["privacy"]),
    ],
)
def test_a_thing_and_a_draft_give(draft: Draft | None, thing: Thing, act: Act, said: list[str]) -> None:
    told = turn(draft, thing, LIMITS, is_noticed=True, new_key="new")
    assert (told.act, names(told)) == (act, said)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("进度", Meaning(Command.PROGRESS)),
        ("进度 LG-2026-000123", Meaning(Command.PROGRESS, "LG-2026-000123")),
        ("进度：lg-2026-000123。", Meaning(Command.PROGRESS, "LG-2026-000123")),
        ("LG-2026-000123", Meaning(Command.PROGRESS, "LG-2026-000123")),
        ("进度123", Meaning(Command.PROGRESS, "123")),
        ("status LG-2026-000123", Meaning(Command.PROGRESS, "LG-2026-000123")),
        ("13800000001", None),
        ("这件事的进度怎么样了", None),
        ("待办", Meaning(Command.TODO)),
        ("To Do", Meaning(Command.TODO)),
        ("？", Meaning(Command.HELP)),
        ("确认一下是不是漏水", None),
    ],
)
def test_words_mean(text: str, meant: Meaning | None) -> None:
    assert meaning.meaning_of(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "有人触电了",
        "楼下燃气味很大",
        "着火了！",
        "火",
        "小孩落水",
        "The house is on fire",
        "救命",
        "Gas leak here",
        "高压线断了",
    ],
)
def test_an_emergency_hears_the_three_numbers_first(text: str) -> None:
    assert names(play([words(text)]))[0] == "emergency"
    assert names(play([voice(text=text)]))[0] == "emergency"


@pytest.mark.parametrize(
    "text", ["火锅店油烟扰民", "消防通道被车占了", "河道被垃圾堵住了", "The fire hydrant leaks water", "路灯坏了三天"]
)
def test_no_emergency_is_cried_where_there_is_none(text: str) -> None:
    assert names(play([words(text)])) == ["where_is_it"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("地点 鹭溪河桥", "鹭溪河桥"),
        ("地点：鹭溪河桥下。", "鹭溪河桥下"),
        ("地点在桥下", "桥下"),
        ("address: Luxi bridge", "Luxi bridge"),
        ("地点不对", ""),
        ("桥下堵了", ""),
    ],
)
def test_a_place_written_as_one(text: str, where: str) -> None:
    assert meaning.place_said(text) == where


@pytest.mark.parametrize(("text", "language"), [("河堵了", "zh-hans"), ("The river", "en"), ("ok", ""), ("LG-2026-000123", "")])
def test_the_language_is_that_of_the_words(text: str, language: str) -> None:
    assert meaning.language_of(text) == language


def test_the_flow_names_no_sentence_that_has_no_words() -> None:
    said = set(re.findall(r'Say\(\s*"(\w+)"', Path(flow.__file__).read_text(encoding="utf-8"))) | {"help", "privacy", "suggest"}
    assert said <= set(sentences.PLAIN) | set(sentences.MADE)
