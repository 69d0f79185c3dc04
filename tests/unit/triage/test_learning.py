"""A new model takes over only where the folds say so; poison does not; drift is seen."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.triage.engine import contest as contests
from jiequ.triage.engine.calibrate import Thresholds, calibration_error, softmax, temperature_of, thresholds_of
from jiequ.triage.engine.contest import Contest, contest
from jiequ.triage.engine.drift import drift
from jiequ.triage.engine.folds import folds_of, groups_of
from jiequ.triage.engine.learning import train
from jiequ.triage.engine.model import TextModel
from jiequ.triage.engine.results import Level
from jiequ.triage.engine.types import Example, Report
from jiequ.triage.engine.urgent import UrgentWord, urgency_of
from tests.unit.triage.support import TYPES, examples

OLD = examples(25, at="2026-11-01")


@pytest.fixture(scope="module")
def champion() -> TextModel:
    return train(OLD, TYPES, district="d", at="2026-11-10").model


def against(champion: TextModel, fresh: list[Example]) -> Contest:
    return contest(champion, [*OLD, *fresh], TYPES, district="d", at="2026-11-27")


def poisoned() -> list[Example]:
    """Corrections by one hand that call most lamps and covers rubbish."""
    fresh = examples(25, seed=2, at="2026-11-20", codes=("event:3", "event:4"))
    return [replace(each, code="event:1", is_correction=True) for each in fresh]


def test_honest_corrections_make_the_challenger_champion(champion: TextModel) -> None:
    found = against(champion, examples(10, seed=3, at="2026-11-20"))
    assert (found.winner, found.why) == ("challenger", "better")
    assert found.model is not champion


def test_a_poisoned_correction_set_does_not_become_champion(champion: TextModel) -> None:
    found = against(champion, poisoned())
    assert (found.winner, found.why) == ("champion", "poisoned")
    assert found.model is champion


def test_without_the_gate_the_poison_would_have_won(champion: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "MOST_LOSS", 2.0)
    monkeypatch.setattr(contests, "MOST_CONTRADICTED", 2.0)
    assert against(champion, poisoned()).why != "poisoned"


def test_with_few_cases_the_champion_stays(champion: TextModel) -> None:
    assert contest(champion, OLD[:10], TYPES, district="d", at="2026-11-27").why == "too_few"


def test_copies_of_one_report_stay_in_one_fold() -> None:
    chance = Random(1)
    reports = [Report("".join(chance.choices("天地人你我他春夏秋冬东南西北", k=60))) for _ in range(40)]
    groups = groups_of([*reports, *(Report(each.words[:-2] + "！！") for each in reports)])
    assert np.array_equal(groups[:40], groups[40:])
    assert len(set(groups.tolist())) == 40
    fold = folds_of(groups, ["a", "b"] * 40)
    assert np.array_equal(fold[:40], fold[40:])
    assert set(np.bincount(fold)) == {16}


@given(st.floats(0.2, 5))
def test_the_temperature_that_scores_were_made_with_is_found(temperature: float) -> None:
    chance = np.random.default_rng(0)
    scores = chance.normal(size=(4000, 4)) * 2
    places = np.array([chance.choice(4, p=row) for row in softmax(scores, 1.0)])
    assert temperature_of(scores * temperature, places) == pytest.approx(temperature, rel=0.15)


def test_calibration_error_is_the_gap_between_confidence_and_rightness() -> None:
    assert calibration_error(np.full(100, 0.8), np.arange(100) < 80) == pytest.approx(0)
    assert calibration_error(np.full(100, 0.8), np.arange(100) < 50) == pytest.approx(0.3)


def test_what_fills_a_form_was_right_often_enough() -> None:
    confidence = np.linspace(0.01, 1, 1000)
    is_right = np.random.default_rng(0).random(1000) < confidence
    found = thresholds_of(confidence, is_right, confidence, is_right)
    assert is_right[confidence >= found.fill].mean() >= 0.97
    assert found.fill > found.preselect > found.choices
    assert Thresholds(0.9, 0.6, 0.3).level(0.95, 1) is Level.FILL
    assert [Thresholds(0.9, 0.6, 0.3).level(*each) for each in ((0.7, 0.9), (0.5, 0.9), (0.1, 0.2))] == [
        Level.PRESELECT,
        Level.CHOICES,
        Level.NONE,
    ]


def test_a_week_of_other_matters_raises_the_alarm_and_a_usual_one_does_not(champion: TextModel) -> None:
    usual = [each.report for each in examples(20, seed=9)]
    assert not drift(champion, usual).is_alarm
    odd = [Report(f"学校食堂涨价{n}元，家长群里议论纷纷") for n in range(60)]
    assert drift(champion, odd).is_alarm


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("楼下闻到煤气味", "gas"),
        ("電線掉下來觸電了", "electric"),
        ("没漏电，就是灯不亮", None),
        ("检查漏电保护器", None),
        ("", None),
    ],
)
def test_hard_words_raise_the_urgency_unless_taken_back(words: str, code: str | None) -> None:
    found = urgency_of(Report(words))
    assert (found.code if found else None) == code


def test_a_district_has_its_own_hard_words() -> None:
    found = urgency_of(Report("村口的水闸开不了"), [UrgentWord("水闸开不了", 1, "flood")])
    assert found is not None
    assert found.words == ("水闸开不了",)
