"""Fuzzing by the OpenAPI document: every operation, with data that fits it and data that does not (RELIABILITY row 37).

The short form runs in tests/hostile/test_api_fuzz.py, the long one in ``./run bench api --fuzz``. In-process, through the
WSGI door, with a good token: what is tried is what lies behind the door, not the door.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hypothesis
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from jiequ.cases.api.document import document

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
LEAK = re.compile(
    r"Traceback|\bSELECT\b|\bINSERT INTO\b|\bUPDATE \"|psycopg|sqlite3|django\.|File \"/|IntegrityError|DataError"
)


class Told(AssertionError):
    """An answer that holds what only a log may."""


def fuzz(tokens: Mapping[str, str], parts: Mapping[str, Any], *, examples: int) -> Counter[int]:
    """Statuses of all answers; raises on the first that does not conform. ``tokens``: by security scheme.

    ``parts``: values for addresses that lead somewhere, used for every second example. Fixed seed.
    """
    schema = schemathesis.openapi.from_dict(document("http://127.0.0.1"))
    schema.app = get_wsgi_application()
    seen: Counter[int] = Counter()
    with one_connection():
        _all(schema, tokens, parts, examples, seen)
    return seen


@contextmanager
def one_connection() -> Iterator[None]:
    """The test's own connection stays open between requests, as it does under Django's test client."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def _all(schema: Any, tokens: Mapping[str, str], parts: Mapping[str, Any], examples: int, seen: Counter[int]) -> None:
    for found in schema.get_all_operations():
        operation = found.ok()
        real = {name: parts[name] for name in re.findall(r"\{(\w+)\}", operation.path) if name in parts}
        scheme = next(iter(operation.definition.raw["security"][0]))
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for path in ([real] if real else []) + [None]:
                if path and mode is GenerationMode.NEGATIVE and "requestBody" not in operation.definition.raw:
                    continue
                _try(operation, mode, path, tokens[scheme], examples, seen)


def _try(operation: Any, mode: Any, path: Any, token: str, examples: int, seen: Counter[int]) -> None:
    try:
        strategy = operation.as_strategy(generation_mode=mode, **({"path_parameters": path} if path else {}))
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
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        seen[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if leak := LEAK.search(answer.text if "image" not in answer.headers.get("content-type", [""])[0] else ""):
            raise Told(f"{operation.label}: {leak.group()}")

    once()
