"""The analyst's desk: the queue in its turn, one verdict by one press, taken back, read twice, never counted by person."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jiequ.core.errors import Refusal, Stale
from jiequ.people.rules import Actor
from jiequ.sense.models import Example, Export, Reflight, Suspect, SuspectState, Verdict
from jiequ.sense.queries import desk
from jiequ.sense.services import exporting, judging
from tests.actors import NOW, World
from tests.statements import statements_of
from tests.support.sense import analyst
from tests.support.suspects import permit, queue_of, square

TILES = "http://tiles.test/tiles/"


@pytest.fixture
def pan(world: World) -> tuple[Actor, Client]:
    return analyst(world)[1:]


@pytest.fixture
def min_(world: World) -> tuple[Actor, Client]:
    return analyst(world, "min")[1:]


def told(client: Client, suspect: Suspect, said: str, **more: Any) -> Any:
    return client.post(f"/sense/desk/{suspect.pk}/say", {"said": said, "version": suspect.version, **more})


@pytest.mark.parametrize(
    ("said", "state", "has_example", "is_flown"),
    [
        ("confirmed", "confirmed", True, False),
        ("lawful", "lawful", True, False),
        ("not:plants", "quiet", True, False),
        ("cannot", "reflight", False, True),
    ],
)
def test_a_verdict_settles_a_suspect_and_shows_the_next(
    world: World, pan: tuple[Actor, Client], said: str, state: str, has_example: bool, is_flown: bool
) -> None:
    first, second = queue_of(world, 2)
    answer = told(pan[1], first, said)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, f"/sense/desk/{second.pk}/")
    first.refresh_from_db()
    assert (first.state, Example.objects.count(), Reflight.objects.count()) == (state, int(has_example), int(is_flown))
    page = pan[1].get(answer["Location"]).content.decode()
    assert first.number in page
    assert f"/sense/desk/verdicts/{Verdict.objects.get().pk}/undo" in page


def test_undo_puts_everything_back_and_only_its_author_can(
    world: World, pan: tuple[Actor, Client], min_: tuple[Actor, Client]
) -> None:
    first, _second = queue_of(world, 2)
    told(pan[1], first, "cannot")
    verdict = Verdict.objects.get()
    assert min_[1].post(f"/sense/desk/verdicts/{verdict.pk}/undo").status_code == 404
    assert pan[1].post(f"/sense/desk/verdicts/{verdict.pk}/undo").status_code == 302
    first.refresh_from_db()
    assert first.state == "open"
    assert not Reflight.objects.filter(cancelled_at=None).exists()
    assert pan[1].post(f"/sense/desk/verdicts/{verdict.pk}/undo").status_code == 409
    assert told(pan[1], first, "confirmed").status_code == 302


def test_a_word_that_is_none_is_refused_in_a_sentence_and_stores_nothing(world: World, pan: tuple[Actor, Client]) -> None:
    first = queue_of(world, 1)[0]
    for said in ("", "demolish", "not", "not:ghost", "lawful:plants"):
        answer = told(pan[1], first, said)
        assert answer.status_code == 422
        assert first.number in answer.content.decode()
    assert not Verdict.objects.exists()


def test_two_readers_of_one_version_make_one_verdict(
    world: World, pan: tuple[Actor, Client], min_: tuple[Actor, Client]
) -> None:
    first = queue_of(world, 1)[0]
    judging.say(first, said="confirmed", version=first.version, by=pan[0], at=NOW)
    with pytest.raises(Stale):
        judging.say(first, said="lawful", version=first.version, by=min_[0], at=NOW)
    assert told(min_[1], first, "lawful").status_code == 409
    assert [one.said for one in Verdict.objects.all()] == ["confirmed"]


def test_one_in_ten_is_read_again_by_somebody_who_is_told_nothing(
    world: World, pan: tuple[Actor, Client], min_: tuple[Actor, Client]
) -> None:
    first = queue_of(world, 1, second=True)[0]
    judging.say(first, said="not", false_alarm="plants", version=first.version, by=pan[0], at=NOW)
    first.refresh_from_db()
    assert desk.first(world.street.pk, pan[0].person_id or 0) is None, "nobody reads their own again"
    page = min_[1].get(f"/sense/desk/{first.pk}/").content.decode()
    assert "待判读" in page
    assert "data-verdict aria-label" in page
    assert "不是建设</strong>" not in page
    judging.say(first, said="confirmed", version=first.version, by=min_[0], at=NOW)
    first.refresh_from_db()
    assert first.state == "quiet", "the second reading changes nothing by itself"
    assert desk.agreement(world.street.pk, NOW) == desk.Agreement(pairs=1, same=0)
    assert desk.disagreed(world.street.pk, NOW) == [first]
    assert desk.first(world.street.pk, min_[0].person_id or 0) is None


def test_a_verdict_is_overruled_with_both_kept(world: World, pan: tuple[Actor, Client], min_: tuple[Actor, Client]) -> None:
    first = queue_of(world, 1)[0]
    told(pan[1], first, "confirmed")
    first.refresh_from_db()
    assert told(min_[1], first, "lawful").status_code == 409
    assert told(min_[1], first, "lawful", overrules="1").status_code == 302
    first.refresh_from_db()
    assert first.state == "lawful"
    assert sorted((one.said, one.undone_at is None) for one in Verdict.objects.all()) == [
        ("confirmed", False),
        ("lawful", True),
    ]
    assert [one.verdict.said for one in Example.objects.select_related("verdict")] == ["lawful"]


def test_a_reopened_suspect_is_read_anew(world: World, pan: tuple[Actor, Client]) -> None:
    first = queue_of(world, 1)[0]
    judging.say(first, said="not", false_alarm="shadow", version=first.version, by=pan[0], at=NOW)
    assert desk.first(world.street.pk, pan[0].person_id or 0) is None, "a rejected thing stays quiet"
    Suspect.objects.filter(pk=first.pk).update(state="open", came_back="grown", version=9)
    first.refresh_from_db()
    with pytest.raises(Refusal):  # of the same finding: a comparison brings a new one
        judging.say(first, said="confirmed", version=9, by=pan[0], at=NOW)


def test_what_was_flown_again_is_read_again(world: World, pan: tuple[Actor, Client]) -> None:
    first = queue_of(world, 1)[0]
    judging.say(first, said="cannot", version=first.version, by=pan[0], at=NOW)
    Reflight.objects.update(done_at=NOW)
    Suspect.objects.filter(pk=first.pk).update(state="open")  # as a comparison of newer pictures does, finding nothing new
    first.refresh_from_db()
    judging.say(first, said="confirmed", version=first.version, by=pan[0], at=NOW)
    first.refresh_from_db()
    assert first.state == "confirmed"


def test_the_page_shows_both_dates_shapes_heights_and_permits(world: World, pan: tuple[Actor, Client], settings: Any) -> None:
    settings.TILES_URL = TILES
    first, second = queue_of(world, 2)
    permit(world.street.pk, square(15, side=8))
    page = pan[1].get(f"/sense/desk/{first.pk}/").content.decode()
    assert page.count("/crop/") >= 2
    assert f"{TILES}sense/profile/" in page
    assert page.count("shape-permit") == 2
    assert page.count("shape-this") == 2
    assert second.number in page
    part = pan[1].get(f"/sense/desk/{first.pk}/?part=1").content.decode()
    assert "<html" not in part
    assert f'data-next="{second.pk}"' in part


def test_the_queue_says_uncalibrated_until_fifty_verdicts(world: World, pan: tuple[Actor, Client]) -> None:
    assert "未校准" in pan[1].get("/sense/desk/").content.decode()
    assert desk.still_uncalibrated(49) == 1
    assert desk.still_uncalibrated(50) == 0


def test_statements_stay_few(world: World, pan: tuple[Actor, Client], settings: Any) -> None:
    settings.TILES_URL = TILES
    suspects = queue_of(world, 30)
    pages = {f"/sense/desk/{suspects[0].pk}/?part=1": 10, "/sense/desk/": 10}
    for address, most in pages.items():
        found = statements_of(lambda address=address: pan[1].get(address))
        assert len(found) <= most, found
    found = statements_of(lambda: told(pan[1], suspects[0], "confirmed"))
    assert len(found) <= 14, found


def test_pilots_and_other_streets_do_not_judge(world: World) -> None:
    first = queue_of(world, 1)[0]
    far = analyst(world, "far", other_street=True)[2]
    assert far.get(f"/sense/desk/{first.pk}/").status_code == 404
    assert told(far, first, "confirmed").status_code == 404
    assert told(world.client("ding"), first, "confirmed").status_code == 403


@pytest.mark.parametrize(("reader", "state"), [("pan", "confirmed"), ("min_", "open")])
def test_lists_and_maps_tell_a_second_reader_nothing_of_the_first_verdict(
    world: World, pan: tuple[Actor, Client], min_: tuple[Actor, Client], reader: str, state: str
) -> None:
    one = queue_of(world, 1, second=True)[0]
    told(pan[1], one, "confirmed")
    by, client = {"pan": pan, "min_": min_}[reader]
    listed = {name: client.get(f"/sense/suspects/?state={name}").content.decode() for name in ("confirmed", "open")}
    assert [name for name, page in listed.items() if f'data-row="{one.pk}"' in page] == [state]
    layer = client.get("/sense/suspects/layer").json()
    assert [one["properties"]["what"] for one in layer["features"]] == [state]
    page = client.get(f"/sense/suspects/{one.pk}/").content.decode()
    assert (str(SuspectState.CONFIRMED.label) in page) == (state == "confirmed")
    rows = list(exporting._suspects(Export(street_id=world.street.pk, asked_by=by.person_id or 0)))
    assert [row["state"] for row in rows] == [SuspectState(state).label]
