"""Every POST of the loop, sent once, twice and ten times with one key, does one thing and answers alike (RELIABILITY row 7)."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, router

from jiequ.cases.forms import FORMS
from jiequ.cases.views import moves, public
from tests.access.deeds import DEEDS, Deed
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

TIMES = 10


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


def counts() -> dict[str, int]:
    """Rows of every table of ours, but for tries that were counted and browsers that were seen."""
    passing = {"core.Throttle", "people.Session", "people.Device"}
    ours = [m for m in apps.get_models() if m.__module__.startswith("jiequ.") and m._meta.label not in passing]
    models = [m for m in ours if router.db_for_read(m) == DEFAULT_DB_ALIAS]  # the inbox of callbacks lies elsewhere
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{m._meta.label}', count(*) FROM {m._meta.db_table}" for m in models))
        return dict(cursor.fetchall())


def test_there_is_a_deed_for_every_move() -> None:
    assert set(FORMS) <= set(DEEDS), set(FORMS) - set(DEEDS)


@pytest.mark.parametrize("name", DEEDS)
def test_ten_sendings_with_one_key_do_it_once_and_answer_alike(work: Casework, name: str) -> None:
    deed = DEEDS[name](work)
    client, before = work.world.client(deed.who), counts()
    if deed.who == "zhou":
        client.cookies["device"] = "d" * 32
    first = deed.send(client)
    after = counts()
    assert first.status_code in {302, 303}, (first.status_code, first.content.decode()[:3000])
    assert after != before
    for _ in range(TIMES - 1):
        again = deed.send(client)
        assert (again.status_code, again.content, again.headers.get("Location")) == (
            first.status_code,
            first.content,
            first.headers.get("Location"),
        )
        assert again["Idempotency-Replayed"] == "true"
    assert counts() == after
    changed = deed.send(client, more="x")
    assert changed.status_code == 422, changed.status_code
    assert counts() == after


def sent_twice(work: Casework, deed: Deed) -> dict[str, int]:
    client = work.world.client(deed.who)
    if deed.who == "zhou":
        client.cookies["device"] = "d" * 32
    deed.send(client)
    once = counts()
    deed.send(client)
    return {name: n - once[name] for name, n in counts().items() if n != once[name]}


@pytest.mark.parametrize("name", ["report", "note"])
def test_a_view_that_forgets_the_key_does_it_again(work: Casework, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The broken twin."""

    def forgetful(_request: Any, do: Any, **_scope: Any) -> Any:
        return do()

    monkeypatch.setattr(moves, "once", forgetful)
    monkeypatch.setattr(public, "once", forgetful)
    assert sent_twice(work, DEEDS[name](work))
