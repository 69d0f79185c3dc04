"""By a token its owner may do what they may on the pages, no more; for one key once (RELIABILITY rows 7 and 21)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from jiequ.cases.api import moving
from jiequ.cases.api.bodies import BODIES
from jiequ.cases.forms import FORMS
from jiequ.cases.models import Case
from tests.access.deeds import DEEDS, Deed
from tests.access.test_once import counts
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition
from tests.programs import program_of
from tests.support.pictures import photo_file

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

STAFF = ("lin", "chen", "liu", "huang", "wu", "zhao", "qian", "ding", "he", "liang", "du", "qu", "wai", "wai_handler")


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


# -- the same as on the pages ----------------------------------------------------------------------------------------


def given_by(deed: Deed, move: str, version: int) -> dict[str, Any]:
    """The deed's form as a program's body."""
    given: dict[str, Any] = {"version": version} if "version" in BODIES[move].model_fields else {}
    for name, value in deed.fields.items():
        if value in ("yes", "no"):
            value = value == "yes"
        elif name in {"share", "score"}:
            value = float(value)
        elif name == "answer_by":
            value = f"{value}:00+08:00"
        given[name] = value
    return given


def told(send: Any) -> int:
    """The status of an answer whose effect is taken back."""
    point = transaction.savepoint()
    status: int = send().status_code
    transaction.savepoint_rollback(point)
    return 200 if status in {302, 303} else status


def upload_once(work: Casework, deed: Deed) -> Any:
    """What the handle of an uploaded photo says, to be signed for others too."""
    actor = work.actor(deed.who)
    return moving._signer(actor).unsign_object(program_of(work.world, deed.who).upload(photo_file()).json()["picture"])


@pytest.mark.parametrize("move", sorted(FORMS))
def test_a_program_may_do_what_its_owner_may_on_the_page(work: Casework, move: str) -> None:
    deed = DEEDS[move](work)
    number = deed.address.split("/")[2]
    version = Case.objects.values_list("version", flat=True).get(number=number)
    wrong, seen = [], set()
    seen_of_it = upload_once(work, deed) if deed.photos else None
    for who in [deed.who, "chen", "wu", "wai"] if deed.photos else STAFF:  # photos take a fraction of a second each
        program, client = program_of(work.world, who), work.world.client(who)
        given = given_by(deed, move, version)
        if seen_of_it:
            given["pictures"] = [moving._signer(work.actor(who)).sign_object(seen_of_it)]
        by_page = told(lambda client=client: deed.send(client))
        by_api = told(lambda program=program, given=given: program.post(f"/cases/{number}/moves/{move}", given))
        seen.add(by_api)
        if by_page != by_api or (who == deed.who) > (by_api == 200):
            wrong.append((who, by_page, by_api))
    assert not wrong, wrong
    assert 200 in seen
    assert seen & {403, 404}


# -- once ------------------------------------------------------------------------------------------------------------


def test_every_post_is_done_once_for_a_key_and_a_refusal_stores_nothing(work: Casework) -> None:
    for move in sorted(FORMS):
        deed = DEEDS[move](work)
        number = deed.address.split("/")[2]
        program, key = program_of(work.world, deed.who, title=move), f"once-{move}-0000000001"
        given = given_by(deed, move, Case.objects.values_list("version", flat=True).get(number=number))
        if deed.photos:
            given["pictures"] = [program.upload(photo_file()).json()["picture"]]
        address, before = f"/cases/{number}/moves/{move}", counts()
        refused = program.post(address, given | {"nobody_knows": 1}, key=key)
        assert (refused.status_code, counts()) == (422, before), move
        first = program.post(address, given, key=key)
        assert first.status_code == 200, (move, first.content.decode())
        after = counts()
        again = program.post(address, given, key=key)
        assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (200, first.content, "true"), move
        assert program.post(address, given | {"text": "别的"}, key=key).status_code == 422, move
        assert counts() == after, move
