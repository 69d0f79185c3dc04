"""One move sent from eight sides at once with one key: made once, and the same answer to all (RELIABILITY row 7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from jiequ.cases.api import moving
from jiequ.cases.models import Case, CaseEvent
from jiequ.core import clock
from tests.actors import make_world
from tests.casework import Casework, make_condition
from tests.programs import program_of
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SIDES, CASES = 8, 6


@pytest.fixture
def work(db: None) -> Casework:
    return Casework(make_world(), make_condition())


def note_all(work: Casework) -> list[Any]:
    """Every side writes the same note on every case, with one key a case."""
    numbers = [work.reported().case.number for _ in range(CASES)]
    program = program_of(work.world, "lin", at=clock.now())

    def send(_side: int) -> list[tuple[int, str]]:
        answers = [program.post(f"/cases/{n}/moves/note", {"text": "记"}, key=f"note-of-{n}") for n in numbers]
        return [(answer.status_code, answer.content.decode()) for answer in answers]

    return at_once(SIDES, send)


def test_each_note_is_written_once(work: Casework) -> None:
    answers = note_all(work)
    assert CaseEvent.objects.filter(move="note").count() == CASES == Case.objects.count()
    assert all(side == answers[0] for side in answers)
    assert {status for status, _body in answers[0]} == {200}


def test_the_broken_twin_that_forgets_the_key_writes_more(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(_request: HttpRequest, do: Any) -> HttpResponse:
        answer: HttpResponse = do()
        return answer

    monkeypatch.setattr(moving, "once", forgetful)
    note_all(work)
    assert CaseEvent.objects.filter(move="note").count() == SIDES * CASES
