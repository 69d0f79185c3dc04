"""Drop each check of the door in turn: some probe must notice (RELIABILITY row 21, mutants alive = 0)."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from jiequ.people import access, middleware
from jiequ.people.access import Access
from jiequ.people.rules import Actor, Role, Seat
from jiequ.people.views import signing_in
from tests.access import table
from tests.actors import MovableClock, World, client_of

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

IN_ADMITS = [
    ("if self.is_open:", "if False:"),
    ("if self.is_open:", "if True:"),
    ("actor.person_id is not None and ", ""),
    ("self.door is Door.SIGNED_IN or ", ""),
    ("actor.has(*self.roles)", "True"),
    ("actor.has(*self.roles)", "False"),
]
IN_IS_OPEN = [
    ("Door.PUBLIC, ", ""),
    (", Door.PRIVATE_LINK", ""),
    (", Door.TOKEN", ""),
    ("{Door.PUBLIC", "{Door.SIGNED_IN, Door.PUBLIC"),
]
IN_JUDGE = [
    ("actor.person_id is None or ", ""),
    (" or is_too_weak(request, actor)", ""),
    ("not access.admits(actor)", "False"),
    ("not _has_form_key(request)", "False"),
]
IN_PROCESS_VIEW = [("if access is None:", "if False:"), ("if refusal is not None:", "if False:")]


def mutant(function: Callable[..., Any], old: str, new: str) -> Any:
    """The function with one piece of its text changed."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{old!r} is not once in {function.__qualname__}"
    made: dict[str, Any] = {}
    exec(source.replace(old, new).removeprefix("@property\n"), vars(inspect.getmodule(function)).copy(), made)
    return made[function.__name__]


def wrong_by_rule() -> int:
    """Cells of the matrix that the declarations alone answer otherwise, without a request."""
    actors = {key: Actor(person_id=1, seats=frozenset({Seat(role)})) for key, role in table.role_keys().items()}
    actors[table.ANYBODY] = Actor(person_id=None, seats=frozenset(Seat(role) for role in (Role.RESIDENT, Role.LEADER)))
    expected, wrong = table.doors(), 0
    for name, _address, view in table.routes():
        if name not in expected:  # told by test_routes
            continue
        found = access.access_of(view)
        assert found is not None
        wrong += sum(found.admits(actor) != expected[name][key] for key, actor in actors.items())
    return wrong


def what_probes_see(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Statuses of a few knocks, each for one check of the middleware."""
    careful = client_of(world.chen)
    careful.handler.enforce_csrf_checks = True
    with monkeypatch.context() as patch:
        patch.setattr(signing_in.sign_out, "csrf_exempt", True, raising=False)
        without_key = careful.post("/sign-out").status_code
        patch.setattr(signing_in.sign_in, "csrf_exempt", True, raising=False)
        reading = careful.get("/me").status_code
    with monkeypatch.context() as patch:
        patch.delattr(signing_in.sign_in, "access")
        undeclared = Client().get("/sign-in").status_code
    with monkeypatch.context() as patch:
        from jiequ.people.views import mine

        patch.setattr(mine.me, "csrf_exempt", True, raising=False)
        exempt_reading = careful.get("/me").status_code
    json = {"accept": "application/json"}
    return [
        Client().get("/me", headers=json).status_code,
        client_of(world.lin, is_strong=False).get("/me", headers=json).status_code,
        client_of(world.chen).get("/people", headers=json).status_code,
        without_key,
        reading,
        exempt_reading,
        undeclared,
    ]


SEEN = [401, 401, 403, 403, 200, 200, 403]


def test_untouched_the_door_is_right(world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong_by_rule() == 0
    assert what_probes_see(world, monkeypatch) == SEEN


@pytest.mark.parametrize(("old", "new"), IN_ADMITS)
def test_each_check_of_admits_is_needed(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    monkeypatch.setattr(Access, "admits", mutant(Access.admits, old, new))
    assert wrong_by_rule() > 0


@pytest.mark.parametrize(("old", "new"), IN_IS_OPEN)
def test_each_open_door_is_needed(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    getter = vars(Access)["is_open"].fget
    monkeypatch.setattr(Access, "is_open", property(mutant(getter, old, new)))
    assert wrong_by_rule() > 0


@pytest.mark.parametrize(("old", "new"), IN_JUDGE)
def test_each_check_of_the_judgement_is_needed(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setattr(middleware, "_judge", mutant(middleware._judge, old, new))
    assert what_probes_see(world, monkeypatch) != SEEN


@pytest.mark.parametrize(("old", "new"), IN_PROCESS_VIEW)
def test_each_check_of_the_middleware_is_needed(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    process_view = middleware.AccessMiddleware.process_view
    monkeypatch.setattr(middleware.AccessMiddleware, "process_view", mutant(process_view, old, new))
    try:
        seen = what_probes_see(world, monkeypatch)
    except AttributeError:  # None has no is_open: noticed
        return
    assert seen != SEEN
