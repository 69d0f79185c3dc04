"""One street's words never stand in another's answers, a reporter's name and phone in nobody's (RELIABILITY rows 22, 23)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from jiequ.cases.forms import FORMS
from jiequ.cases.models import CaseQuerySet
from jiequ.cases.views import present
from jiequ.channels.models import CallBack, Message, StubSms
from tests.access import table
from tests.access.scene import REASON, Scene, Side, make_scene
from tests.actors import MovableClock, make_world
from tests.support.kept import kept

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

LISTS = ("cases:list", "cases:points", "cases:map",
         "cases:desk", "cases:todo", "cases:leader", "people:list", "people:rota", "grid:places",
         "grid:units", "grid:points", "grid:names", "grid:responsibility", "cases:types", "cases:control_areas",
         "cases:duty_lists", "channels:undelivered", "channels:call_backs", "cases:report",
         "grid:locate")  # fmt: skip
SOME_STAGES = ("reported", "handling", "closed", "secret")
"""Of both streets' cases on every route with a number; the pages that show one are asked for in every state."""
ONE_CASE = ("cases:case", "cases:peek", "cases:messages", "cases:picture")
IN_PARTS = ("cases:desk", "cases:peek")  # what htmx asks for


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    yield from kept(django_db_blocker, lambda: make_scene(make_world()))


@pytest.fixture
def scene(made: Scene, db: None, clock: MovableClock) -> Scene:
    return deepcopy(made)


def addresses(scene: Scene, *, with_links: bool) -> Iterator[tuple[str, str]]:
    """Every GET address with ids of both streets, in the path and in the query. Links only for whom they were given to."""
    for name, address, _view in table.templates():
        parts = table.parts(address)
        if "token" in parts:
            if with_links:
                for token in scene.a.tokens.values():
                    yield name, table.filled(address, table.CONSTANTS | scene.a.ids | {"token": token})
        elif not parts:
            yield name, address
            if name in LISTS:
                yield from ((name, f"{address}?{query}") for query in queries(scene, scene.b))
        else:
            for side in (scene.a, scene.b):
                yield from ((name, one) for one in with_ids(scene, side, name, address, parts))


def with_ids(scene: Scene, side: Side, name: str, address: str, parts: list[str]) -> Iterator[str]:
    ids = table.CONSTANTS | side.ids
    if name == "cases:move":
        for move in FORMS:
            yield table.filled(address, ids | {"name": move, "number": side.cases["handling"].number})
    elif "number" in parts:
        for case in (case for stage, case in side.cases.items() if name in ONE_CASE or stage in SOME_STAGES):
            report = case.reports.get()
            yield table.filled(address, ids | {"number": case.number, "report_id": report.pk, "name": "note", "act": "rename"})
    else:
        yield table.filled(address, ids)


def queries(scene: Scene, side: Side) -> list[str]:
    """Ids of ``side`` in the query, one at a time. ``q`` is never a whole canary: it would come back as an echo."""
    world = scene.world
    lon, lat = world.point_in(side.grid)
    community = world.grids[side.grid].community_id
    return [
        f"street={side.street_id}",
        f"community={community}",
        f"department={side.department.pk}",
        f"person={side.lead.pk}",
        f"number={side.cases['closed'].number}",
        f"q={side.cases['closed'].number}",
        f"q={side.canary.staff[:-1]}",
        f"done={side.ids['event_id']}",
        f"plate={world.grids[side.grid].code15}",
        f"lon={lon}&lat={lat}&x={lon}&y={lat}&system=cgcs2000",
        f"bbox={lon - 1},{lat - 1},{lon + 1},{lat + 1}",
        "state=closed&tray=close&before=999999999",
    ]


def walk(scene: Scene) -> Iterator[tuple[str, str, str]]:
    """Who asked, which route, and the answer's text, for every GET and every actor whose sight ends at street A."""
    everywhere = {with_links: list(addresses(scene, with_links=with_links)) for with_links in (True, False)}
    for who, client in scene.clients().items():
        for route, address in everywhere[who == "zhou"]:
            for headers in ({}, {"HX-Request": "true"}) if route in IN_PARTS else ({},):
                answer = client.get(address, headers=headers)
                assert answer.status_code < 500, (who, address, answer.status_code)
                yield who, route, answer.content.decode(errors="replace") + str(dict(answer.headers))


def found_in(text: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word in text]


# -- another street --------------------------------------------------------------------------------------------------


NAMES_A_REPORTER: dict[tuple[str, str], int] = {}
"""Who, and at which page, reads a reporter's name or phone by a GET, how often: nobody, not even whoever holds the link in
another browser than the one that reported (tests/hostile/test_attacks_link.py)."""


def test_no_answer_holds_a_word_of_the_other_street_or_a_reporters_name_or_phone(scene: Scene) -> None:
    asked, own, leaks, named = 0, 0, [], Counter[tuple[str, str]]()
    identity = (scene.a.canary.reporter, scene.a.canary.phone)
    for who, route, text in walk(scene):
        asked += 1
        leaks += [(who, route, word) for word in found_in(text, scene.b.canary.all())]
        own += bool(found_in(text, scene.a.canary.all()))
        named[who, route] += bool(found_in(text, identity))
    assert not leaks, f"{len(leaks)} leaks of {asked} answers: {sorted(set(leaks))[:20]}"
    assert +named == NAMES_A_REPORTER
    assert asked > 4000
    assert own > 200, "the walk saw little of its own street: it would not see the other's either"


def test_with_sight_of_every_street_the_walk_would_find_leaks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin."""
    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, _actor: self)
    lin = scene.world.client("lin")
    text = lin.get("/cases/").content.decode() + lin.get(f"/cases/{scene.b.cases['closed'].number}/").content.decode()
    assert found_in(text, scene.b.canary.all())


def test_another_streets_words_are_not_found_through_a_systems_token_either(scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {scene.a.tokens['system']}"}
    for number in [case.number for case in scene.b.cases.values()]:
        assert Client().get(f"/api/v1/reports/{number}", headers=headers).status_code == 404


# -- the reporter ----------------------------------------------------------------------------------------------------

MAY_REVEAL = {
    "lin": 1, "liang": 1,
    "chen": 0, "liu": 0, "huang": 0, "wu": 0, "zhao": 0, "qian": 0, "ding": 0, "he": 0, "zhou": 0,
    "du": 0, "qu": 0, "wai": 0, "xi": 0, "an": 0, "shen": 0,
}  # fmt: skip
"""Acceptor and duty leader of the street, with a reason; nobody else (DOMAIN §9)."""


@pytest.mark.parametrize("opener", ["cases:reveal", "channels:show_phone"])
def test_only_the_acceptor_and_the_duty_leader_open_an_identity(scene: Scene, opener: str) -> None:
    ids, marks, seen = scene.a.ids, scene.a.canary, {}
    addresses = {
        "cases:reveal": f"/cases/{ids['number']}/reveal/{ids['report_id']}",
        "channels:show_phone": f"/call-backs/{ids['call_back_id']}/phone",
    }
    for who in MAY_REVEAL:
        client = scene.world.client(who)
        answer = client.post(addresses[opener], {"reason": REASON})
        seen[who] = answer.content.decode().count(marks.phone) and 1
        if opener == "cases:reveal":
            bare = client.post(addresses[opener], {"reason": " "})
            assert bare.status_code >= 400 or bare.status_code == 302
            assert not found_in(bare.content.decode(), (marks.phone, marks.reporter))
    assert seen == MAY_REVEAL


def test_a_page_that_named_the_reporter_would_be_seen(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of both tables."""
    facts = present.facts
    monkeypatch.setattr(present, "facts", lambda case: [*facts(case), ("电话", scene.a.canary.phone)])
    text = scene.world.client("huang").get(f"/cases/{scene.a.cases['handling'].number}/").content.decode()
    assert scene.a.canary.phone in text


# -- what leaves the house -------------------------------------------------------------------------------------------


def test_no_message_carries_words_names_phones_or_places(scene: Scene) -> None:
    """``sentence`` is read out by a person and may hold the reply that was written for the reporter; it is never sent."""
    both = (scene.a.canary, scene.b.canary)
    unsaid = [w for m in both for w in (m.words, m.address, m.reporter, m.phone, m.staff, m.staff_phone)]
    unsent = [*unsaid, *(m.said for m in both)]
    sent = [str(row) for row in Message.objects.values("facts", "template", "about", "key")]
    sent += [str(row) for row in StubSms.objects.values("text", "key")]
    read_out = [*Message.objects.values_list("sentence", flat=True), *CallBack.objects.values_list("sentence", flat=True)]
    assert StubSms.objects.count() > 10
    assert len(sent) > 60
    assert not [(row, word) for row in sent for word in unsent if word in row]
    assert not [(row, word) for row in read_out for word in unsaid if word in row]
