"""Two at the desk merge the same pair at the same moment: one way is made, and one case of the two stays open."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import OperationalError

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Report
from jiequ.cases.services import joining, moving
from jiequ.core.errors import Refusal
from tests.actors import NOW, make_world
from tests.casework import Casework, make_condition
from tests.environment import ON_POSTGRESQL
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PAIRS = 12


@pytest.fixture
def work(db: None) -> Casework:
    return Casework(make_world(), make_condition())


def merged_from_both_sides(work: Casework) -> tuple[list[list[Case]], int, int]:
    """Each pair is merged one into the other by one clerk and the other into the one by another. Pairs, made, lost."""
    pairs = [[work.accepted(words=f"{i}-{j}") for j in range(2)] for i in range(PAIRS)]

    def clerk(number: int) -> tuple[int, int]:
        made = lost = 0
        for pair in pairs:
            one, other = pair[number % 2], pair[1 - number % 2]
            try:
                services.merge(work.fresh(one, "lin"), into=other.number, by=work.actor("lin"), at=NOW)
                made += 1
            except Refusal:
                pass
            except OperationalError:
                lost += 1
        return made, lost

    told = at_once(4, clerk)
    return pairs, sum(made for made, _lost in told), sum(lost for _made, lost in told)


def open_of(pair: list[Case]) -> int:
    return Case.objects.filter(pk__in=[one.pk for one in pair]).exclude(state="merged").count()


def test_a_pair_merged_from_both_sides_leaves_one_open_with_both_reports(work: Casework) -> None:
    pairs, made, lost = merged_from_both_sides(work)
    assert lost == 0, "nobody is told of a fault of the database"
    assert made == PAIRS == CaseEvent.objects.filter(move="merge").count()
    for pair in pairs:
        assert open_of(pair) == 1
        kept = Case.objects.exclude(state="merged").get(pk__in=[one.pk for one in pair])
        assert kept.voices == Report.objects.filter(case=kept).count() == 2


@pytest.mark.skipif(not ON_POSTGRESQL, reason="on SQLite writers stand in a queue: the order is the same to them")
def test_the_broken_twin_that_holds_neither_is_ended_as_a_deadlock(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    make = moving.make

    def slowly(*given: Any, **more: Any) -> CaseEvent:
        event = make(*given, **more)
        time.sleep(0.01)  # the other comes in between on any machine
        return event

    monkeypatch.setattr(moving, "make", slowly)
    monkeypatch.setattr(joining, "_held", lambda *cases: {case.pk: case.voices for case in cases})
    assert merged_from_both_sides(work)[2] > 0
