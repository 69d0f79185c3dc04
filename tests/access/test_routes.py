"""No page or call is open by accident, and docs/roles.md says who enters where (RELIABILITY rows 19 and 21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches

from jiequ.people.access import Door, access_of
from jiequ.people.middleware import AccessMiddleware
from jiequ.people.views import mine
from tests.access import table
from tests.actors import MovableClock, World, client_of

CLOSED = {"not_signed_in", "not_your_page", "access_undeclared"}


def undeclared() -> list[str]:
    """Routes whose view says nothing about access."""
    return [name for name, _address, view in table.routes() if access_of(view) is None]


def answer_of(client: Client, method: str, address: str) -> tuple[int, str]:
    """Status, and the code of a refusal."""
    answer = getattr(client, method)(address, headers={"accept": "application/json"})
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    told = answer.json() if is_json and answer.status_code >= 400 else {}
    code = told.get("code", "") if isinstance(told, dict) else ""  # Open311 refuses with an array, behind open doors only
    return answer.status_code, code


def wrong_cells(world: World, at: Any) -> tuple[int, list[str]]:
    """Knocks at every door as everybody; how many cells were tried, and which answered otherwise than the table says.

    PUT: no view takes it, so that only the door answers (405 from behind it).
    """
    people = table.one_person_per_role(world, at)
    clients = {key: client_of(people[role]) for key, role in table.role_keys().items()}
    clients[table.ANYBODY] = Client()
    expected, tried, wrong = table.doors(), 0, []
    for name, address, _view in table.routes():
        for column, client in clients.items():
            tried += 1
            status, code = answer_of(client, "put", address)
            opened = code not in CLOSED
            if name not in expected or opened != expected[name][column]:
                wrong.append(f"{name} {column}: {'opened' if opened else 'closed'} ({status} {code})")
    return tried, wrong


def test_every_route_declares_its_access() -> None:
    routes = list(table.routes())
    assert len(routes) > 80
    assert undeclared() == []


def test_every_route_stands_in_the_role_matrix_and_no_other() -> None:
    names = {name for name, _address, _view in table.routes()}
    missing, gone = sorted(names - table.doors().keys()), sorted(table.doors().keys() - names)
    assert not missing, f"add to a row of docs/roles.md §2: {missing}"
    assert not gone, f"docs/roles.md §2 names routes that do not exist: {gone}"


def test_every_role_has_a_column() -> None:
    keys = set(table.role_keys())
    assert len(keys) == 15
    assert all(set(row) == keys | {table.ANYBODY} for row in table.doors().values())
    assert all(set(row) == keys for row in table.capabilities().values())


def test_every_door_opens_to_whom_the_matrix_says(world: World, clock: MovableClock) -> None:
    tried, wrong = wrong_cells(world, clock.at)
    assert tried == len(list(table.routes())) * 16
    assert not wrong, f"{len(wrong)} of {tried} cells: {wrong[:20]}"


def test_a_stranger_who_reads_and_writes_everywhere_is_answered_by_the_public_list_only(
    world: World, clock: MovableClock
) -> None:
    public = {name for name, row in table.doors().items() if row[table.ANYBODY]}
    for name, address, view in table.routes():
        door = getattr(access_of(view), "door", None)
        for method in ("get", "post"):
            status, code = answer_of(Client(), method, address)
            assert status < 500, (name, method)
            if door in {Door.TOKEN, Door.PRIVATE_LINK}:
                assert status in {401, 404, 405}, (name, method, status)
            if name not in public:
                assert (status, code) == (401, "not_signed_in"), (name, method)
            else:
                assert code not in CLOSED, (name, method)


def test_a_view_without_a_declaration_answers_nobody(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the declaration: forgotten, the page is shut, and the walk tells."""
    monkeypatch.delattr(mine.me, "access")
    assert undeclared() == ["people:me"]
    for name in ("chen", "xi", "zhou"):
        assert answer_of(world.client(name), "get", "/me") == (403, "access_undeclared")


def test_without_the_middleware_the_matrix_would_be_wrong(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the enforcement: the test above can fail."""

    def open_to_all(*_args: Any, **_kwargs: Any) -> None:
        return None

    middleware: Callable[..., Any] = open_to_all
    monkeypatch.setattr(AccessMiddleware, "process_view", middleware)
    clear_url_caches()
    _tried, wrong = wrong_cells(world, clock.at)
    assert len(wrong) > 500
