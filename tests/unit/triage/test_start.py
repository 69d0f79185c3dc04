"""What a fresh district begins with: invented reports of our own, and the model that is shipped of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jiequ.cases import catalogue
from jiequ.triage.engine import files, generator, start
from jiequ.triage.engine.advice import advise
from jiequ.triage.engine.contest import contest
from jiequ.triage.engine.model import TextModel, nameless
from jiequ.triage.engine.results import Level
from jiequ.triage.engine.types import OTHER, EventType, Example, Report
from jiequ.web.demo.texts import SUBJECTS

TYPES = tuple(EventType(f"{one.kind}:{one.code}", (one.draft.major_zh, one.draft.name_zh)) for one in catalogue.entries())
SAID = [(f"event:{subject.code}", words) for subject in SUBJECTS for words in subject.words]


def share_right(model: TextModel) -> float:
    """Of the demonstration's own sentences, which were written before and apart from the generator's."""
    shares = model.probabilities([Report(words) for _code, words in SAID])
    return sum(model.codes[n] == code for n, (code, _) in zip(shares.argmax(axis=1), SAID, strict=True)) / len(SAID)


def test_reports_are_invented_for_every_type_of_the_catalogue_and_for_what_is_not_ours() -> None:
    told = {one.code for one in generator.generate(200, seed=1)}
    assert told == {one.code for one in TYPES} | {OTHER}
    assert all(len(one.cores) >= 6 for one in generator.matters())


def test_the_same_seed_invents_the_same_reports_another_seed_others() -> None:
    first, again, other = ([one.report.words for one in generator.generate(400, seed=seed)] for seed in (1, 1, 2))
    assert first == again
    assert len({*first, *other}) > 780


def test_a_place_that_is_given_is_said_and_nothing_is_left_to_fill_in() -> None:
    words = [one.report.words for one in generator.generate(300, seed=3, places=("砚池路",))]
    assert 150 < sum("砚池路" in said for said in words) < 280
    assert not any(sign in said for said in words for sign in "{}|@+=")


def test_the_shipped_model_is_whole_small_and_made_of_the_sentences_as_they_stand() -> None:
    data = start.MODEL.read_bytes()
    assert len(data) <= start.MOST_BYTES
    assert start.SUM.read_text().split()[0] == hashlib.sha256(data).hexdigest()
    card = files.from_bytes(data, district="any").card
    assert card["sentences"] == start.sum_of_sentences(), "the sentences changed: python -m jiequ.triage.engine.start"


def test_a_fresh_district_is_answered_better_than_by_names_and_nothing_is_filled_in() -> None:
    begun = start.start_model(TYPES, district="440198")
    assert share_right(begun) > 0.8 > share_right(nameless(TYPES, district="440198"))
    levels = {advise(Report(words), model=begun).level for _code, words in SAID}
    assert Level.PRESELECT in levels
    assert Level.FILL not in levels
    assert advise(Report("我要打官司，法院什么时候开庭"), model=begun).suggestions[0].code == OTHER


def test_a_shipped_file_that_was_changed_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bad = tmp_path / "model.npz"
    bad.write_bytes(start.MODEL.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(start, "MODEL", bad)
    monkeypatch.setattr(start, "_shipped", start._shipped.__wrapped__)
    assert start.start_model(TYPES, district="d").learnt is None


def test_a_district_with_codes_of_its_own_is_answered_by_the_names_and_a_code_used_for_else_is_not() -> None:
    own = (
        EventType("event:A1", ("路灯不亮/倾斜",)),
        EventType("event:0110", ("婚姻登记预约",)),
        EventType("event:A3", ("犬只扰民",)),
    )
    model = start.start_model(own, district="d")
    assert model.is_learnt == {"event:A1", OTHER}
    assert advise(Report("巷子里的路灯坏了好几天"), model=model).suggestions[0].code == "event:A1"


def test_invented_reports_go_as_confirmed_ones_come() -> None:
    confirmed = [
        Example(str(n), Report(f"垃圾没人清{n}"), "event:0110") for n in range(start.GOES_WITH * (start.SUPPORT_EACH - 4))
    ]
    counts: dict[str, int] = {}
    for one in start.support_for(confirmed, TYPES):
        counts[one.code] = counts.get(one.code, 0) + 1
    assert counts["event:0110"] == 4
    assert counts["event:0401"] == counts[OTHER] == start.SUPPORT_EACH


def test_a_first_refit_takes_the_place_of_the_start_model_only_where_the_folds_say_so() -> None:
    begun = start.start_model(TYPES, district="d")
    codes, local = ("event:0110", "event:0401", "component:1103"), ("邋遢佬", "走鬼档", "盲公灯")
    rows = list(generator.generate(90, seed=9, codes=codes))
    known = [Example(str(n), one.report, one.code, "2026-11-01") for n, one in enumerate(rows)]
    dialect = [
        Example(str(n), Report(f"{one.report.words[:4]}有{local[n % 3]}"), codes[n % 3], "2026-11-01")
        for n, one in enumerate(rows)
    ]
    found = [contest(begun, each, TYPES, district="d", at="2026-11-27") for each in (known, dialect)]
    assert [(one.winner, one.why) for one in found] == [("champion", "no_better"), ("challenger", "better")]
