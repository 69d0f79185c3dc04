"""A guessed id tells nothing: what is hidden and what does not exist get the same answer (RELIABILITY row 20).

Every route with an id in its path is asked by GET and POST, once for a thing that is hidden from the actor and once for an
id that nothing has. Ids in bodies and queries have a table of their own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jiequ.cases import move_form
from jiequ.cases.forms import FORMS, asking, sending
from jiequ.cases.models import Case, CaseQuerySet
from tests.access import table
from tests.access.scene import REASON, Scene, absent, make_scene
from tests.actors import NOW, MovableClock, make_world
from tests.support.kept import kept

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

OPEN_TO_ALL = {
    "grid:layer_base": "the sketch of waters and roads is public",
    "grid:plate": "a plate hangs in the street",
    "cases:type": "the catalogue is the district's",
    "cases:type_edit": "the catalogue is the district's",
    "cases:type_active": "the catalogue is the district's",
}
LINKS = {"cases:mine", "cases:rate", "cases:reopen", "cases:revoke", "cases:export", "cases:erase", "cases:my_picture",
         "cases:keep", "web:feedback_answer"}  # fmt: skip
"""A link is the key itself: 256 bits, so none can be guessed; what it opens beside its own report is tried below."""
JUDGED_AFTER_READING = {"people:person", "people:leave_of", "people:end_leave", "people:hand_over", "people:remove_shift"}
"""The bytes are the same, a statement more is made: the row is read before its street is looked at (known, small)."""
BODY = {"reason": REASON, "text": "看一下", "version": "1", "title": "x", "finding": "true", "reached": "yes", "outcome": "x",
        "is_solved": "yes", "satisfaction": "3", "reason_code": "wrong_type", "reply": "好", "score": "3"}  # fmt: skip
HIDDEN_CASE = {
    "liu": "handling",
    "zhao": "handling",
    "qian": "handling",
    "ding": "handling",
    "qu": "handling",
    "huang": "reported",
}
"""In their own street, and none of theirs: out of the cell, out of the department, not called, not yet asked."""
OF_A_CASE = {"number", "report_id", "proof_id", "event_id"}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    yield from kept(django_db_blocker, lambda: make_scene(make_world()))


@pytest.fixture
def scene(made: Scene, db: None, clock: MovableClock) -> Scene:
    return deepcopy(made)


def hidden_ids(scene: Scene) -> dict[str, dict[str, Any]]:
    """For each actor, ids of things they may not see."""
    found = dict.fromkeys(("lin", "chen", "liu", "huang", "wu", "zhao", "qian", "ding", "he", "liang", "zhou"), scene.b.ids)
    found |= {"wai": scene.a.ids, "wai_handler": scene.a.ids, "bei": scene.a.ids, "nan": scene.a.ids}
    own = {f"{name} at home": of_case(scene.a.cases[case]) for name, case in HIDDEN_CASE.items()}
    return found | own


def of_case(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "report_id": case.reports.get().pk,
        "proof_id": case.proofs.earliest("pk").pk,
        "event_id": case.events.earliest("pk").pk,
    }


def questions(ids: dict[str, Any], moves: Sequence[str] = ("note", "close")) -> Iterator[tuple[str, str, str]]:
    """Route, address with the hidden ids, address with ids that nothing has."""
    ids = {part: value for part, value in ids.items() if part != "token"}
    constants = table.CONSTANTS | {"token": "x" * 43}
    for name, address, _view in table.templates():
        parts = [part for part in table.parts(address) if part in ids]
        if not parts or name in OPEN_TO_ALL or name in LINKS:
            continue
        for move in moves if name == "cases:move" else ("note",):
            given = constants | {"name": move}
            missing = {part: absent(part) for part in parts}
            yield name, table.filled(address, given | {p: ids[p] for p in parts}), table.filled(address, given | missing)


def told(
    client: Client, method: str, address: str, data: dict[str, Any] | None = None, *, echo: tuple[Any, Any] = ("", "")
) -> Any:
    """Status, bytes and headers of an answer, and how many statements it took; nothing it did stays.

    ``echo``: what the reader sent, and what to put in its place where it comes back.
    """
    point = transaction.savepoint()
    with CaptureQueriesContext(connection) as captured:
        answer: HttpResponse = getattr(client, method)(address, data or {})
    transaction.savepoint_rollback(point)
    body = answer.content.decode(errors="replace") + answer.headers.get("Location", "")
    body = re.sub(r"\?next=\S+", "", body)  # the sign-in page leads back to what was asked for
    if echo[0]:
        body = body.replace(str(echo[0]), str(echo[1]))
    statements = sum(not re.match(r"SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT", q["sql"]) for q in captured.captured_queries)
    return answer.status_code, re.sub(r'(csrfmiddlewaretoken|idempotency_key)" value="[^"]+"', "", body), statements


def cells(scene: Scene) -> Iterator[tuple[str, str, str, tuple[Any, ...], tuple[Any, ...]]]:
    """Actor, route, method, what was told of the hidden and of the missing. Every move is tried by a third of the actors."""
    for turn, (actor, ids) in enumerate(hidden_ids(scene).items()):
        client = scene.world.client(actor.split()[0])
        client.get("/me")
        for route, hidden, missing in questions(ids, list(FORMS)[turn % 3 :: 3]):
            for method in ("get", "post"):
                data = BODY if method == "post" else None
                swap = (absent("number"), ids["number"])
                yield actor, route, method, told(client, method, hidden, data), told(client, method, missing, data, echo=swap)


@pytest.mark.sqlite  # some thousand requests through the same ORM: once is enough
def test_hidden_and_missing_are_told_alike_in_the_path(scene: Scene) -> None:
    tried, wrong, statuses = 0, [], Counter[int]()
    for actor, route, method, hidden, missing in cells(scene):
        tried += 1
        statuses[hidden[0]] += 1
        alike = hidden[:2] == missing[:2] if route in JUDGED_AFTER_READING else hidden == missing
        if not alike or hidden[0] < 300:
            wrong.append((actor, route, method, hidden[0], missing[0], hidden[2] - missing[2]))
    assert not wrong, f"{len(wrong)} of {tried}: {sorted(set(wrong))[:25]}"
    assert tried > 1500
    assert statuses[404] > 800, statuses


def test_without_the_narrowing_query_cells_are_wrong(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, _actor: self)
    client, ids = scene.world.client("lin"), scene.b.ids
    wrong = [route for route, hidden, missing in questions(ids) if route in {"cases:case", "cases:messages", "cases:picture"}
             and told(client, "get", hidden) != told(client, "get", missing)]  # fmt: skip
    assert set(wrong) >= {"cases:case", "cases:messages"}


# -- one path, two ids that do not belong together -------------------------------------------------------------------


def test_one_cases_number_opens_nothing_of_another_case(scene: Scene) -> None:
    a, own = scene.a, scene.a.cases["handling"].number
    foreign = {"other street": scene.b.ids, "other case": a.ids}
    for who in ("lin", "huang", "he"):
        client = scene.world.client(who)
        for ids in foreign.values():
            for address, absent_address in (
                (f"/cases/{own}/photos/{ids['proof_id']}/full", f"/cases/{own}/photos/999999999/full"),
                (f"/cases/{own}/reveal/{ids['report_id']}", f"/cases/{own}/reveal/999999999"),
                (f"/cases/{own}/rate/{ids['report_id']}", f"/cases/{own}/rate/999999999"),
            ):
                for method in ("get", "post"):
                    assert told(client, method, address, BODY) == told(client, method, absent_address, BODY)


def test_a_link_opens_its_own_report_and_nothing_beside_it(scene: Scene) -> None:
    client, token = Client(), scene.a.tokens["handling"]
    missing = told(client, "get", f"/r/{token}/photos/999999999/full")
    assert missing[0] == 404
    for ids in (scene.a.ids, scene.b.ids):
        assert told(client, "get", f"/r/{token}/photos/{ids['proof_id']}/full") == missing
    revoked = told(client, "get", f"/r/{'y' * 43}/")
    Client().post(f"/r/{token}/revoke")
    assert told(client, "get", f"/r/{token}/") == revoked
    assert revoked[0] == 404


# -- ids in bodies and queries ---------------------------------------------------------------------------------------


def bodies(scene: Scene) -> list[tuple[str, str, dict[str, Any], str, Any]]:
    """Who posts where with what; the field that carries another street's id, and that id."""
    a, b, sanitation = scene.a, scene.b, scene.world.sanitation.pk
    number = {name: case.number for name, case in a.cases.items()}
    condition = scene.condition.pk
    tomorrow = (NOW.date()).isoformat()
    return [
        ("lin", f"/cases/{number['accepted']}/do/dispatch", {}, "lead_id", b.department.pk),
        ("lin", f"/cases/{number['accepted']}/do/dispatch", {"lead_id": sanitation}, "assist_ids", b.department.pk),
        ("he", f"/cases/{number['reported']}/do/accept_dispatch", {"condition_id": condition}, "lead_id", b.department.pk),
        ("wu", f"/cases/{number['handling']}/do/bring_in", {"text": "x"}, "department_ids", b.department.pk),
        ("wu", f"/cases/{number['dispatched']}/do/assign", {}, "person_id", scene.world.wai_handler.pk),
        ("he", f"/cases/{number['handling']}/do/ask_consult", {"question": "x", "answer_by": "2026-03-05T10:00"},
         "department_ids", b.department.pk),
        ("he", f"/cases/{number['handling']}/do/call", {"question": "x"}, "department_id", b.department.pk),
        ("lin", f"/cases/{number['reported']}/do/merge", {}, "into", b.cases["accepted"].number),
        ("huang", "/me/leave", {"days": "1", "starts_at": f"{tomorrow}T10:00", "ends_at": f"{tomorrow}T18:00"}, "deputy",
         b.lead.pk),
        ("liang", f"/people/{scene.world.huang.pk}/hand-over", {}, "to", b.lead.pk),
        ("liang", "/rota", {"day": tomorrow, "from": "8", "to": "12", "street": a.street_id}, "post", b.ids["post_id"]),
    ]  # fmt: skip


def test_hidden_and_missing_are_told_alike_in_the_body(scene: Scene) -> None:
    wrong = []
    for who, address, data, field, hidden in bodies(scene):
        client = scene.world.client(who)
        missing = "LG-2026-999999" if isinstance(hidden, str) else 999_999_999
        first = told(client, "post", address, data | {field: hidden})
        second = told(client, "post", address, data | {field: missing}, echo=(missing, hidden))
        if first[:2] != second[:2] or first[0] < 400:
            wrong.append((who, address, field, first[0], second[0]))
    assert not wrong, wrong


def test_a_form_that_offered_every_department_would_be_noticed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    everyone = [scene.world.sanitation, scene.b.department]
    for place in (move_form, sending):
        monkeypatch.setattr(place, "own_departments", lambda _street_id: everyone)
    monkeypatch.setattr(sending, "own_with_duty", lambda _street_id, **_duty: (everyone, frozenset()))
    monkeypatch.setattr(asking, "departments_of", lambda _street_id: everyone)
    who, address, data, field, hidden = bodies(scene)[0]
    client = scene.world.client(who)
    first = told(client, "post", address, data | {field: hidden})
    second = told(client, "post", address, data | {field: 999_999_999}, echo=(999_999_999, hidden))
    assert first[:2] != second[:2]


QUERIES = [
    ("lin", "/cases/", "department", "department"),
    ("lin", "/cases/", "community", "community"),
    ("lin", "/cases/points.json", "department", "department"),
    ("he", "/people", "street", "street"),
    ("liang", "/rota", "street", "street"),
    ("liang", "/rota", "department", "department"),
    ("lin", "/grid/units/", "street", "street"),
    ("lin", "/grid/units/", "community", "community"),
    ("lin", "/grid/points/", "street", "street"),
    ("lin", "/grid/responsibility/", "street", "street"),
    ("lin", "/grid/plates/", "street", "street"),
    ("lin", "/types/duty-lists/", "street", "street"),
    ("lin", "/types/control-areas/", "street", "street"),
    ("lin", "/desk/", "done", "event"),
    ("chen", "/todo/", "done", "event"),
]


def test_hidden_and_missing_are_told_alike_in_the_query(scene: Scene) -> None:
    b, wrong = scene.b, []
    ids = {"department": b.department.pk, "community": scene.world.grids["c"].community_id, "street": b.street_id,
           "event": b.ids["event_id"]}  # fmt: skip
    for who, address, field, kind in QUERIES:
        client = scene.world.client(who)
        client.get(address)
        first = told(client, "get", f"{address}?{field}={ids[kind]}")
        second = told(client, "get", f"{address}?{field}=999999999", echo=(999_999_999, ids[kind]))
        if first[:2] != second[:2]:
            wrong.append((who, address, field, first[0], second[0]))
    assert not wrong, wrong
