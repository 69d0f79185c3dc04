"""One system that sends each report from eight sides at once: one case each, and the same answer to all (RELIABILITY row 7)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.api import outside as api
from jiequ.cases.models import Case, CaseEvent, Report
from tests.actors import NOW, make_world
from tests.casework import Casework, make_condition
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SIDES, REPORTS = 8, 12


@pytest.fixture
def work(db: None) -> Casework:
    return Casework(make_world(), make_condition())


def token_of(work: Casework) -> str:
    made = services.make_system(
        name="摄像头", kind="camera", street_id=work.world.street.pk, is_trusted=True, by=work.actor("xi"), at=NOW
    )
    return made[1]


def send_all(work: Casework, token: str, *, with_key: bool) -> list[Any]:
    """Every side sends every report; each side's answers in order."""
    lon, lat = work.world.point_in("a")

    def send(_side: int) -> list[tuple[int, str]]:
        found = []
        for number in range(REPORTS):
            body = {"source_ref": f"r{number}", "words": "积水", "type": "0110", "lon": lon, "lat": lat, "system": "cgcs2000"}
            headers = {"Authorization": f"Bearer {token}"}
            if with_key:
                headers["Idempotency-Key"] = f"report-number-{number:04d}"
            answer = Client().post("/api/v1/reports", json.dumps(body), content_type="application/json", headers=headers)
            found.append((answer.status_code, answer.content.decode()))
        return found

    return at_once(SIDES, send)


@pytest.mark.parametrize("with_key", [False, True], ids=["by reference", "by key"])
def test_each_report_from_eight_sides_is_one_case_and_one_answer(work: Casework, with_key: bool) -> None:
    answers = send_all(work, token_of(work), with_key=with_key)
    assert Case.objects.count() == Report.objects.count() == REPORTS
    assert CaseEvent.objects.filter(move="accept").count() == REPORTS
    assert all(side == answers[0] for side in answers)
    assert {status for status, _body in answers[0]} == {201}


def test_the_broken_twin_that_forgets_the_reference_makes_more(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    account = api._account
    monkeypatch.setattr(api, "_account", lambda *given: replace(account(*given), source_ref=""))
    send_all(work, token_of(work), with_key=False)
    assert Case.objects.count() == SIDES * REPORTS
