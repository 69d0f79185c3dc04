"""Who handles it: learnt in turn, never outside the duty list, reasons that are true."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.triage.engine.dispatch import Dispatcher
from jiequ.triage.engine.matter import Matter, block_of, features_of

RUBBISH = Matter("event:0110", street="lg01", grid="c1", source="resident", groups=("01",), hour=9)
NOISE = Matter("event:0501", street="lg01", grid="c1", source="hotline", groups=("05",), hour=23)
DUTY = {"hw", "cg", "sw", "sq1"}


def taught(times: int = 12) -> Dispatcher:
    made = Dispatcher("440310")
    for day in range(times):
        made.learn(RUBBISH, "hw", day=day)
        made.learn(NOISE, "cg", day=day + 0.5)
    return made


def first(made: Dispatcher, matter: Matter, *, day: float = 20, allowed: set[str] | None = DUTY) -> str:
    return made.suggest(matter, day=day, allowed=allowed)[0].code


def test_what_was_confirmed_is_suggested_for_the_next_such_case_and_the_reason_counts_right() -> None:
    made = taught()
    made.learn(RUBBISH, "sq1", day=12)
    best, second, _third = made.suggest(RUBBISH, day=20, allowed=DUTY)
    assert (best.code, second.code) == ("hw", "sq1")
    assert best.reasons[0].kind == "went_to"
    assert best.reasons[0].facts == {"count": 12, "of": 13, "level": "type+grid", "days": 20}


def test_a_new_community_is_told_by_what_its_street_does() -> None:
    best = taught().suggest(replace(RUBBISH, grid="c9"), day=20, allowed=DUTY)[0]
    assert (best.code, best.reasons[0].facts["level"]) == ("hw", "type+street")


def test_no_department_outside_the_duty_list_is_ever_named() -> None:
    made = taught()
    assert "hw" not in {one.code for one in made.suggest(RUBBISH, day=20, allowed=DUTY - {"hw"})}
    assert made.suggest(RUBBISH, day=20, allowed=set()) == []


def test_confidences_are_shares_of_the_duty_list() -> None:
    shares = [one.confidence for one in taught().suggest(RUBBISH, day=20, allowed=DUTY, most=9)]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_a_change_of_duty_is_followed_within_a_few_cases() -> None:
    made = taught(40)
    for at in range(4):
        made.learn(RUBBISH, "sq1", day=60 + at / 10)
    assert first(made, RUBBISH, day=61) == "sq1"


def test_a_return_counts_against_the_department_and_is_told() -> None:
    made = taught(3)
    before = {one.code: one.confidence for one in made.suggest(RUBBISH, day=20, allowed=DUTY)}
    for day in (4, 5):
        made.learn_return(RUBBISH, "hw", day=day)
        made.learn(RUBBISH, "sw", day=day)
    assert first(made, RUBBISH) == "sw"
    after = {one.code: one for one in made.suggest(RUBBISH, day=20, allowed=DUTY, most=4)}
    assert after["hw"].confidence < before["hw"]
    assert {one.kind: one.facts for one in after["hw"].reasons}["returned"] == {"count": 2, "days": 16}


def test_until_something_is_learnt_the_types_own_department_stands_first() -> None:
    nothing = Dispatcher("440310")
    assert nothing.suggest(RUBBISH, day=1, allowed=DUTY) == []
    best = nothing.suggest(RUBBISH, day=1, allowed=DUTY, default="sw")[0]
    assert (best.code, [one.kind for one in best.reasons]) == ("sw", ["default"])
    assert nothing.suggest(RUBBISH, day=1, allowed=DUTY, default="elsewhere") == []
    assert taught().suggest(RUBBISH, day=20, allowed=DUTY, default="sw")[0].code == "hw"


def test_words_decide_where_the_type_is_not_known() -> None:
    made = Dispatcher("440310")
    for day in range(15):
        made.learn(Matter("", text="河道里的水发黑发臭"), "sw", day=day)
        made.learn(Matter("", text="楼下垃圾堆了三天"), "hw", day=day)
    assert first(made, Matter("", text="这条河发臭了")) == "sw"
    assert first(made, Matter("", text="垃圾没有人清")) == "hw"


def test_what_was_written_down_suggests_the_same_and_only_to_its_own_district() -> None:
    made = taught()
    made.learn_return(NOISE, "cg", day=13)
    data = json.loads(json.dumps(made.to_data()))
    again = Dispatcher.from_data(data, district="440310")
    for matter in (RUBBISH, NOISE):
        mine, theirs = (one.suggest(matter, day=20, allowed=DUTY) for one in (made, again))
        assert [one.code for one in mine] == [one.code for one in theirs]
        assert [one.reasons for one in mine] == [one.reasons for one in theirs]
        assert [one.confidence for one in mine] == pytest.approx([one.confidence for one in theirs], abs=0.02)
    with pytest.raises(ValueError, match="not learnt by this district"):
        Dispatcher.from_data(data, district="440311")
    data["tallies"]["weights"] = data["tallies"]["weights"][:2]
    with pytest.raises(ValueError, match="other levels"):
        Dispatcher.from_data(data, district="440310")


def test_a_day_before_the_last_learnt_one_is_borne() -> None:
    assert first(taught(), RUBBISH, day=-5) == "hw"


def test_the_hour_stands_for_its_part_of_the_working_day() -> None:
    assert [block_of(hour) for hour in (None, 0, 8, 12, 14, 18, 23)] == ["", "0", "1", "2", "3", "4", "4"]


@settings(max_examples=40)
@given(st.text(max_size=40), st.text(max_size=5), st.integers(0, 23))
def test_any_words_and_codes_are_borne(text: str, code: str, hour: int) -> None:
    matter = Matter(code, street=code, grid=code, text=text, hour=hour)
    made = taught(2)
    made.learn(matter, "sw", day=3)
    assert {one.code for one in made.suggest(matter, day=4, allowed=DUTY, most=9)} == DUTY
    assert len(features_of(Matter("x", text="长" * 100_000))) < 200
