"""Whatever a program sends to the Open311 door, the answer is one of its document's: no 5xx, no word of the inside."""

from __future__ import annotations

from collections import Counter
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup

from jiequ.doors.open311 import keys
from jiequ.doors.open311.document import document
from jiequ.doors.open311.views import reading
from tests.actors import MovableClock
from tests.casework import Casework
from tests.fuzz import CHECKS, LEAK, Told, one_connection
from tests.open311 import key_of, open_up

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis"),
    pytest.mark.filterwarnings("ignore:No directory at"),
    pytest.mark.postgresql,  # the stricter of the two: once is enough
]


@pytest.fixture
def work(world: Any, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> Casework:
    from tests.casework import make_condition

    monkeypatch.setattr(keys, "CALLS_A_MINUTE", 1_000_000)
    monkeypatch.setattr(keys, "KEY_CALLS_A_MINUTE", 1_000_000)
    work = Casework(world, make_condition())
    open_up(work)
    work.closed()
    return work


def fuzz(key: str, number: str, *, examples: int) -> Counter[int]:
    """Statuses of all answers; raises on the first that does not conform. Fixed seed."""
    schema = schemathesis.openapi.from_dict(document("http://127.0.0.1"))
    schema.app = get_wsgi_application()
    seen: Counter[int] = Counter()
    real = {"service_code": "0110", "request_id": number, "token": "none"}
    with one_connection():
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for is_real in (True, False):
                    _try(operation, mode, real if is_real else None, key, examples, seen)
    return seen


def _try(operation: Any, mode: Any, real: dict[str, str] | None, key: str, examples: int, seen: Counter[int]) -> None:
    parts = {name: value for name, value in (real or {}).items() if f"{{{name}}}" in operation.path}
    given = {"path_parameters": {"form": "json"} | parts} if real else {}
    try:
        strategy = operation.as_strategy(generation_mode=mode, **given)
        strategy.validate()
    except Exception:  # nothing about this operation can be made wrong
        return

    @hypothesis.seed(20260304)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=strategy)
    def once(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {key}"})
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if leak := LEAK.search(answer.text):
            raise Told(f"{operation.label}: {leak.group()}")

    once()


def test_every_operation_answers_as_the_document_says(work: Casework) -> None:
    seen = fuzz(key_of(work), work.closed().number, examples=5)
    assert sum(seen.values()) > 100
    assert seen[200] > 20
    assert seen[400] > 5
    assert seen[403] + seen[404] > 5
    assert max(seen) < 500


def test_a_list_of_another_shape_would_be_seen(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(reading.offers, "service", lambda _choice: {"service_code": "0110"})
    with pytest.raises(FailureGroup):
        fuzz(key_of(work), work.closed().number, examples=2)
