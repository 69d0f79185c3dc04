"""A token opens what its scope and its owner's roles open, and nothing by a guessed id (what a move does: test_api_moves)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jiequ.cases.api.bodies import BODIES
from jiequ.cases.models import CaseQuerySet
from tests.access.deeds import Deed
from tests.access.scene import Scene, make_scene
from tests.access.test_api_moves import STAFF, given_by
from tests.access.test_idor import bodies
from tests.access.test_once import counts
from tests.actors import MovableClock, make_world
from tests.programs import EVERY_SCOPE, Program, program_of
from tests.support.kept import kept

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

SCOPES = {
    ("get", "/cases"): "cases:read",
    ("get", "/cases/{number}"): "cases:read",
    ("get", "/cases/{number}/pictures/{proof_id}"): "cases:read",
    ("get", "/tasks"): "cases:read",
    ("get", "/types"): "reference:read",
    ("get", "/streets"): "reference:read",
    ("get", "/departments"): "reference:read",
    ("get", "/grids?street=990101001"): "reference:read",
    ("post", "/pictures"): "reports:write",
    ("post", "/cases"): "reports:write",
    ("post", "/cases/{number}/me-too"): "reports:write",
    ("post", "/cases/{number}/moves/accept"): "cases:move",
    ("post", "/cases/{number}/reports/{report_id}/rating"): "cases:move",
    ("post", "/undo/{event_id}"): "cases:move",
}
"""Written by hand: what each operation asks of a token."""


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    yield from kept(django_db_blocker, lambda: make_scene(make_world()))


@pytest.fixture
def scene(made: Scene, db: None, clock: MovableClock) -> Scene:
    return deepcopy(made)


# -- scopes ----------------------------------------------------------------------------------------------------------


def test_each_operation_opens_to_its_scope_only(scene: Scene) -> None:
    tried, wrong = 0, []
    for scope in EVERY_SCOPE:
        program = program_of(scene.world, "lin", scope)
        for (method, address), needed in SCOPES.items():
            tried += 1
            answer = getattr(program, method)(address.format(**scene.a.ids))
            is_open = not (answer.status_code == 403 and answer.json()["code"] == "scope_missing")
            if is_open != (scope == needed):
                wrong.append((scope, method, address, answer.status_code))
    assert not wrong, wrong
    assert tried == len(SCOPES) * len(EVERY_SCOPE)


def test_the_table_of_scopes_has_every_operation() -> None:
    from jiequ.cases.api.door import api

    known = {(method, address.split("?")[0].replace("/moves/accept", "/moves/{move}")) for method, address in SCOPES}
    found = {
        (method.lower(), path.replace("{int:", "{"))
        for _prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    assert found - known == {("post", "/reports"), ("get", "/reports/{source_ref}")}
    assert known <= found


# -- ids that are not the caller's -----------------------------------------------------------------------------------


def answer_of(send: Any) -> tuple[int, bytes, int]:
    """Status, bytes, and how many statements; nothing it did stays."""
    point = transaction.savepoint()
    with CaptureQueriesContext(connection) as captured:
        answer = send()
    transaction.savepoint_rollback(point)
    return answer.status_code, answer.content, len(captured.captured_queries)


def questions(ids: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    yield "get", f"/cases/{ids['number']}", None
    yield "get", f"/cases/{ids['number']}/pictures/{ids['proof_id']}", None
    yield "post", f"/cases/{ids['number']}/me-too", {"words": "也有"}
    yield "post", f"/cases/{ids['number']}/reports/{ids['report_id']}/rating", {"is_solved": True, "satisfaction": 3}
    yield "post", f"/undo/{ids['event_id']}", {}
    for move in ("close", "note", "urge", "correct", "merge"):
        fields = {"note": {"text": "x"}, "urge": {}, "close": {"reply": "好", "version": 8}, "correct": {"version": 8}}
        yield "post", f"/cases/{ids['number']}/moves/{move}", fields.get(move, {"into": "LG-2026-000001", "version": 8})


def sent(program: Program, method: str, address: str, given: Any) -> Any:
    return program.get(address) if method == "get" else program.post(address, given)


def test_hidden_and_missing_are_told_alike(scene: Scene) -> None:
    missing = {"number": "LG-2026-999999", "proof_id": 999_999_999, "report_id": 999_999_999, "event_id": 999_999_999}
    tried, wrong = 0, []
    for who, ids in [*((name, scene.b.ids) for name in STAFF[:10]), ("wai", scene.a.ids), ("wai_handler", scene.a.ids)]:
        program = program_of(scene.world, who)
        for hidden, absent in zip(questions(ids), questions(missing), strict=True):
            tried += 1
            first, second = answer_of(partial(sent, program, *hidden)), answer_of(partial(sent, program, *absent))
            same = first == second or (first[:2] == second[:2] and "/undo/" in hidden[1])
            if not same or first[0] != 404:
                wrong.append((who, hidden[1], first, second))
    assert not wrong, wrong[:5]
    assert tried == 12 * 10


def test_another_streets_ids_in_a_body_are_refused(scene: Scene) -> None:
    for who, address, data, field, hidden in bodies(scene):
        if "/do/" not in address:
            continue
        number, _do, move = address.strip("/").split("/")[1:]
        version = next(case for case in scene.a.cases.values() if case.number == number).version
        program = program_of(scene.world, who)
        given = given_by(Deed(who, address, data), move, version)
        many = str(BODIES[move].model_fields[field].annotation).startswith("list") or field.endswith("_ids")
        missing = "LG-2026-999999" if isinstance(hidden, str) else 999_999_999
        said = []
        for value in (hidden, missing):
            body = given | {field: [value] if many else value}
            status, content, _n = answer_of(partial(program.post, f"/cases/{number}/moves/{move}", body))
            answer = json.loads(content)
            said.append((status, answer["code"], answer["message"].replace(str(value), "…")))
        assert said[0][0] >= 400, (who, address, said)
        assert said[0] == said[1], (who, address)


def test_without_the_narrowing_query_the_other_street_would_be_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, _actor: self)
    assert program_of(scene.world, "lin").get(f"/cases/{scene.b.ids['number']}").status_code == 200


def test_no_answer_names_a_reporter_or_the_other_street(scene: Scene) -> None:
    unsaid = (*scene.b.canary.all(), scene.a.canary.reporter, scene.a.canary.phone)
    asked = 0
    for who in STAFF[:10]:
        program = program_of(scene.world, who)
        addresses = ["/cases?limit=200", "/tasks", "/departments", "/streets", "/types", "/grids?street=990101001"]
        addresses += [f"/cases/{case.number}" for side in (scene.a, scene.b) for case in side.cases.values()]
        for address in addresses:
            asked += 1
            text = program.get(address).content.decode()
            assert not [word for word in unsaid if word in text], (who, address)
    assert asked > 200


# -- what else comes along -------------------------------------------------------------------------------------------


def test_a_field_that_nobody_asked_for_is_refused_everywhere(scene: Scene) -> None:
    program, before = program_of(scene.world, "lin"), counts()
    for field in ("state", "is_suspect", "street_id", "by", "at", "actor", "reporter", "lead"):
        for (method, address), _scope in SCOPES.items():
            if method == "post" and address != "/pictures":
                answer = program.post(address.format(**scene.a.ids), {field: 1})
                assert (answer.status_code, field in answer.json()["facts"].get("fields", {})) == (422, True), (address, field)
    assert counts() == before


def test_a_session_is_no_key(scene: Scene) -> None:
    client = scene.world.client("lin")
    for (method, address), _scope in SCOPES.items():
        answer = getattr(client, method)(f"/api/v1{address.format(**scene.a.ids)}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), address
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_systems_token_opens_only_the_systems_door(scene: Scene) -> None:
    for token in (scene.a.tokens["system"], scene.a.tokens["closed"], "jq_" + "x" * 43):
        headers = {"Authorization": f"Bearer {token}"}
        assert Client().get("/api/v1/cases", headers=headers).status_code == 401
    person = program_of(scene.world, "lin")
    assert person.get("/reports/cam-1").status_code == 401
