"""Earlier reports of perhaps the same matter, from the database."""

from __future__ import annotations

from datetime import timedelta

from jiequ.cases.models import Case, Report, TextWeights
from jiequ.cases.queries.known import Asked, known_cases
from jiequ.cases.services import knowing
from jiequ.triage.engine.pairs import Badge
from jiequ.triage.engine.sketches import BYTES
from tests.actors import NOW
from tests.casework import Casework


def asked(work: Casework, words: str, case: Case) -> Asked:
    return Asked(words, NOW + timedelta(hours=1), case.lon, case.lat, base_m=60)


def test_a_report_near_by_is_found_with_its_reasons_and_its_sketch_is_stored_with_it(work: Casework) -> None:
    case = work.just_reported()
    said = Report.objects.get(case=case)
    assert 0 < len(bytes(said.sketch or b"")) <= BYTES
    (found,) = known_cases(asked(work, said.words, case))
    assert (found.case.pk, found.metres, found.likeness.badge) == (case.pk, 0.0, Badge.POSSIBLE)
    assert {reason.kind for reason in found.likeness.reasons} >= {"words", "distance"}


def test_confidential_and_suspect_reports_are_never_found(work: Casework) -> None:
    case = work.just_reported()
    words = Report.objects.get(case=case).words
    for hidden in ({"is_confidential": True}, {"is_suspect": True}):
        Case.objects.filter(pk=case.pk).update(is_confidential=False, is_suspect=False)
        assert len(known_cases(asked(work, words, case))) == 1
        Case.objects.filter(pk=case.pk).update(**hidden)
        assert known_cases(asked(work, words, case)) == []


def test_only_what_was_counted_makes_two_very_likely_the_same(work: Casework) -> None:
    case = work.just_reported()
    words = "石桥边的河道被树枝堵住，水漫上来了"
    Report.objects.filter(case=case).update(words=words, sketch=None)
    assert known_cases(asked(work, words, case))[0].likeness.badge == Badge.POSSIBLE
    assert knowing.learn_weights(at=NOW) is not None
    knowing.learn_weights(at=NOW)
    assert TextWeights.objects.count() == 1
    assert Report.objects.get(case=case).sketch
    assert known_cases(asked(work, words, case))[0].likeness.badge == Badge.SAME
