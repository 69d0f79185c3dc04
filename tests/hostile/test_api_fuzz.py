"""Whatever a program sends, the answer is one of the document's: no 5xx, no word of SQL or of a stack (RELIABILITY row 37)."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from schemathesis.core.failures import FailureGroup, ServerError
from schemathesis.openapi.checks import JsonSchemaError

from jiequ.cases.api import door, reading
from tests.access.scene import make_scene
from tests.actors import MovableClock, World
from tests.fuzz import fuzz
from tests.programs import program_of

pytestmark = [
    pytest.mark.postgresql,  # the stricter of the two about what is sent: once is enough
    pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def tokens(world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(door, "TOKEN_CALLS_A_MINUTE", 1_000_000)
    monkeypatch.setattr(door, "CALLS_A_MINUTE", 1_000_000)
    scene = make_scene(world)
    return {"token": program_of(world, "lin").token, "system": scene.a.tokens["system"], "parts": scene.a.ids}


def test_every_operation_answers_as_the_document_says(tokens: dict[str, Any]) -> None:
    seen = fuzz(tokens, tokens["parts"], examples=2)
    assert sum(seen.values()) > 250
    assert seen[200] + seen[201] > 10
    assert seen[422] > 50
    assert max(seen) < 500


def test_an_answer_of_another_shape_would_be_seen(tokens: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""

    def other(_shape: Any) -> HttpResponse:
        return HttpResponse(b'{"ok": true}', content_type="application/json")

    monkeypatch.setattr(reading, "answer", other)
    with pytest.raises(FailureGroup) as found:
        fuzz(tokens, tokens["parts"], examples=1)
    assert {type(one) for one in found.value.exceptions} == {JsonSchemaError}


def test_a_fault_would_be_seen(tokens: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The other broken twin."""

    def fault(_request: HttpRequest, *_shape: Any) -> HttpResponse:
        raise ZeroDivisionError

    monkeypatch.setattr(reading, "caller_of", fault)
    with pytest.raises(FailureGroup) as found:
        fuzz(tokens, tokens["parts"], examples=1)
    assert ServerError in {type(one) for one in found.value.exceptions}
