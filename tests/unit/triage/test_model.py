"""What the model answers, how it is kept in a file, and what a person is shown of it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jiequ.triage.engine import files
from jiequ.triage.engine.advice import advise, weigher_for
from jiequ.triage.engine.learning import Trained, train
from jiequ.triage.engine.memory import Memory, Row
from jiequ.triage.engine.model import TextModel, nameless, with_types
from jiequ.triage.engine.results import Level
from jiequ.triage.engine.types import OTHER, EventType, Report
from tests.unit.triage.support import TYPES, examples


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(examples(30), TYPES, district="440310", at="2026-11-27")


@pytest.fixture
def model(trained: Trained) -> TextModel:
    return trained.model


def first(model: TextModel, words: str) -> str:
    return advise(Report(words), model=model).suggestions[0].code


def test_names_alone_answer_before_any_case_was_confirmed() -> None:
    model = nameless(TYPES, district="440310")
    assert first(model, "门口的井盖破损了") == "event:4"
    assert first(model, "有人占道经营") == "event:2"
    assert not model.is_learnt


def test_a_model_learns_and_knows_how_sure_it_is(trained: Trained) -> None:
    assert first(trained.model, "小区门口摆摊的太多") == "event:2"
    assert trained.model.is_learnt == {"event:1", "event:2", "event:3", "event:4"}
    assert trained.card["macro_f1"] > 0.8
    assert [row["n"] for row in trained.card["per_type"]] == [30, 30, 30, 30]
    assert not any(word in str(trained.card) for word in ("垃圾", "路灯"))


def test_the_same_cases_and_seed_give_the_same_file(model: TextModel) -> None:
    again = train(examples(30), TYPES, district="440310", at="2026-11-27").model
    assert files.to_bytes(again) == files.to_bytes(model)


def test_a_type_with_too_few_cases_is_found_by_its_name_within_its_learnt_branch() -> None:
    rows = [*examples(30, codes=("event:1", "event:2", "event:3")), *examples(8, codes=("event:4",))]
    extra = (*TYPES, EventType("event:5", ("公共设施", "座椅损坏")))
    model = train(rows, extra, district="d", at="2026-11-27").model
    assert "event:4" not in model.is_learnt
    assert first(model, "井盖破损，裂开很危险") == "event:4"
    assert first(model, "公园座椅损坏") == "event:5"
    reasons = [reason.kind for reason in advise(Report("井盖破损"), model=model).suggestions[0].reasons]
    assert "name" in reasons


def test_what_is_none_of_ours_is_an_answer_that_is_learnt() -> None:
    others = [replace(each, code=OTHER, report=Report(f"我要起诉合同纠纷开庭{n}次了")) for n, each in enumerate(examples(10))]
    model = train([*examples(30), *others], TYPES, district="d", at="2026-11-27").model
    assert first(model, "合同纠纷什么时候开庭") == OTHER


@pytest.mark.parametrize("words", ["", "！！！", "🗑️🗑️", "\ud83d", "7" * 30, "垃圾" * 60_000, "垃圾堆積沒人清理"])
def test_no_text_breaks_the_advice(model: TextModel, words: str) -> None:
    advice = advise(Report(words), model=model)
    assert sum(each.confidence for each in advice.suggestions) <= 1 + 1e-6
    assert all(0 <= mark.start < mark.end <= len(words) for mark in advice.marks)
    if words in ("", "！！！", "🗑️🗑️", "\ud83d"):
        assert advice.level is Level.NONE


def test_the_words_that_decided_are_marked_in_the_text_as_given(model: TextModel) -> None:
    words = "您好!!  Ｘ小区　路灯坏了,晚上看不见"
    marked = [words[mark.start : mark.end] for mark in advise(Report(words), model=model).marks]
    assert any("路灯" in each for each in marked)
    assert not any("您好" in each for each in marked)


def test_only_allowed_codes_are_suggested(model: TextModel) -> None:
    advice = advise(Report("路灯坏了"), model=model, among={"event:1", "event:2"})
    assert {each.code for each in advice.suggestions} == {"event:1", "event:2"}


def test_a_correction_counts_at_once_for_the_same_words_and_for_no_others(model: TextModel) -> None:
    words = "桥头垃圾桶满了发臭没人管"
    memory = Memory.of([Row("LG-1", "路灯坏了", "event:3")], weigher_for(model))
    assert advise(Report(words), model=model, memory=memory).suggestions[0].code == "event:1"
    memory = memory.with_row(Row("LG-2", words, "event:2", is_correction=True))
    after = advise(Report("桥头垃圾桶满了，发臭没人管！"), model=model, memory=memory)
    assert after.suggestions[0].code == "event:2"
    assert after.suggestions[0].reasons[0].kind == "corrected"
    assert after.similar[0].key == "LG-2"
    assert advise(Report("井盖破了"), model=model, memory=memory).suggestions[0].code == "event:4"


def test_another_districts_file_is_refused(model: TextModel, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    files.save(model, path)
    report = [Report("路灯不亮")]
    assert np.array_equal(files.load(path, district="440310").probabilities(report), model.probabilities(report))
    with pytest.raises(files.ModelRefused) as refused:
        files.load(path, district="440311")
    assert refused.value.code == "other_district"


def test_a_file_that_was_changed_or_is_none_is_refused(model: TextModel) -> None:
    data = files.to_bytes(model)
    for bad in (b"", b"PK", data[:-200], pickled(data), renamed(data)):
        with pytest.raises(files.ModelRefused):
            files.from_bytes(bad, district="440310")


def renamed(data: bytes) -> bytes:
    """The file with another district written over its own, and nothing else: the sum tells."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["json"] = np.frombuffer(bytes(arrays["json"]).replace(b"440310", b"440311"), np.uint8)
    target = io.BytesIO()
    np.savez_compressed(target, **arrays)
    return target.getvalue()


def pickled(data: bytes) -> bytes:
    """The file with an array of objects in it."""
    target = io.BytesIO(data)
    inside = io.BytesIO()
    np.save(inside, np.array([{"a": 1}], object), allow_pickle=True)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("more.npy", inside.getvalue())
    return target.getvalue()


def test_a_retired_type_is_not_answered_any_more(model: TextModel) -> None:
    fewer = with_types(model, TYPES[:2], district="440310")
    shares = fewer.probabilities([Report("路灯坏了")])
    assert shares.shape == (1, 3)
    assert shares.sum() == pytest.approx(1)


def test_a_type_made_after_the_fit_is_among_the_three_at_once_by_its_name_and_not_filled_in(model: TextModel) -> None:
    sure = replace(model, thresholds=replace(model.thresholds, fill=0.9))
    more = with_types(sure, (*TYPES, EventType("event:9", ("公共设施", "充电桩占用"))), district="440310")
    found = advise(Report("充电桩被占用"), model=more)
    assert "event:9" in [one.code for one in found.suggestions]
    assert found.level != Level.FILL
    reasons = next(one.reasons for one in found.suggestions if one.code == "event:9")
    assert "name" in [reason.kind for reason in reasons]
    old = Report("路灯不亮")
    assert more.probabilities([old])[0][:3] == pytest.approx(sure.probabilities([old])[0][:3], abs=0.05)  # others hardly change


def test_a_district_without_types_is_offered_none() -> None:
    empty = with_types(nameless(TYPES, district="d"), (), district="d")
    assert advise(Report("垃圾没人收"), model=empty).suggestions == ()
