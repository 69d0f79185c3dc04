"""上报, while somebody writes: what was reported before in the same words, joined by one tap, and nothing learnt from it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from jiequ.cases.models import Case, Report
from jiequ.core.models import Picture
from jiequ.triage.engine.sketches import sketch
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_picture
from tests.statements import statements_of
from tests.web.test_report_pages import here, text_of


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


SAID = "石桥边的河道被树枝堵住，水漫上来了"


def alike(world: World, browser: Client, words: str, **more: Any) -> str:
    answer = browser.post("/report/suggest", here(world) | {"words": words} | more, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return text_of(answer)


def offers(part: str) -> list[str]:
    return [one for one in re.findall(r'name="me_too" value="([^"]*)"', part) if one]


def test_words_bring_the_report_that_says_the_same_to_the_front_with_a_badge_and_one_tap_joins_it(work: Casework) -> None:
    same, other = work.reported(words=SAID).case, work.reported(words="路灯不亮了").case
    browser = Client()
    assert "badge" not in alike(work.world, browser, "")
    part = alike(work.world, browser, SAID)
    assert 0 < part.index("可能有关") < part.index("都不是")
    assert len(offers(part)) == 2
    for hidden in (SAID, same.number, other.number, "周女士"):
        assert hidden not in part
    answer = browser.post("/report/", here(work.world) | {"me_too": offers(part)[0], "words": SAID})
    assert answer.status_code == 303
    same.refresh_from_db()
    assert (same.voices, Case.objects.count()) == (2, 2)


def test_a_report_that_was_chosen_stays_chosen_while_more_is_written_and_with_scripts_off(work: Casework) -> None:
    work.reported(words=SAID)
    browser = Client()
    offer = offers(alike(work.world, browser, SAID))[0]
    for part in (
        alike(work.world, browser, SAID + "，很臭", me_too=offer),
        text_of(browser.post("/report/", here(work.world) | {"words": SAID, "suggest": "1", "me_too": offer})),
    ):
        ticked = re.findall(r'name="me_too" value="([^"]*)" checked', part)
        assert len(ticked) == 1
        assert ticked[0]


def test_without_a_point_the_communitys_reports_are_asked_for_the_same_words(work: Casework) -> None:
    work.reported(words=SAID)
    given = {"words": SAID, "community": work.world.communities["east"].pk}
    part = text_of(Client().post("/report/suggest", given))
    assert "可能有关" in part
    assert len(offers(part)) == 1
    elsewhere = given | {"community": work.world.communities["other"].pk}
    assert offers(text_of(Client().post("/report/suggest", elsewhere))) == []


@pytest.mark.parametrize("hidden", [{"is_confidential": True}, {"is_suspect": True}, {"state": "rejected", "ended_at": NOW}])
def test_a_stolen_session_that_types_the_very_words_learns_nothing_of_what_is_hidden(
    work: Casework, hidden: dict[str, Any]
) -> None:
    case = work.reported(words=SAID).case
    browser = Client()
    offer = offers(alike(work.world, browser, SAID))[0]
    Case.objects.filter(pk=case.pk).update(**hidden)
    for known in ("", offer):  # also where it was offered before
        assert offers(alike(work.world, browser, SAID, me_too=known)) == []


def test_the_same_probe_finds_a_door_that_shows_everything(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test before: what was offered once would be shown for ever."""
    case = work.reported(words=SAID).case
    offer = offers(alike(work.world, Client(), SAID))[0]
    Case.objects.filter(pk=case.pk).update(is_confidential=True)
    monkeypatch.setattr("jiequ.cases.queries.lists.strangers_may_see", Case.objects.all)
    assert offers(alike(work.world, Client(), SAID, me_too=offer)) != []


def test_who_probes_with_words_is_stopped_at_both_doors(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiequ.cases.views.suggesting.ASKS_AN_HOUR", 2)
    browser = Client()
    alike(work.world, browser, SAID)
    assert browser.post("/report/", {"words": SAID, "suggest": "1"}).status_code == 200
    assert browser.post("/report/suggest", {"words": SAID}).status_code == 429
    assert browser.post("/report/", {"words": SAID, "suggest": "1"}).status_code == 429
    assert browser.get("/report/suggest").status_code == 405  # words never stand in an address


def test_one_request_tells_what_is_known_and_what_the_words_sound_like(work: Casework) -> None:
    work.reported(words=SAID)
    part = alike(work.world, Client(), "楼下暴露生活垃圾堆了三天，昨晚八点到十点还有人倒")
    for told in (f'name="condition" value="{work.condition.pk}"', 'name="me_too"', 'name="happened"'):
        assert told in part
    assert re.findall(r'id="(near|heard)"', part) == ["near", "heard"]


def test_a_refused_report_keeps_the_earlier_one_that_was_chosen(work: Casework) -> None:
    work.reported(words=SAID)
    browser = Client()
    offer = offers(alike(work.world, browser, SAID))[0]
    answer = browser.post("/report/", here(work.world) | {"words": SAID, "me_too": offer, "phone": "12"})
    assert answer.status_code == 422
    assert re.findall(r'name="me_too" value="([^:"]*)[^"]*" checked', text_of(answer)) == [offer.split(":")[0]]


LOOK = 0xF0F0_0F0F_AAAA_5555


def pictured(work: Casework, look: int = LOOK, **changes: Any) -> Case:
    """A report of a lamp with a photo of that look, told in words nobody repeats; one with words alone lies beside it."""
    picture = make_picture(work.world.street.pk)
    Picture.objects.filter(pk=picture.pk).update(dhash=look - (1 << 64))
    case = work.reported(words="路灯不亮了", pictures=[picture], **changes).case
    work.reported(words="树倒在路上")
    return case


def badges(part: str) -> int:
    return part.count('class="badge')


def test_a_photo_that_looks_the_same_is_said_so_where_not_a_word_was_written(work: Casework) -> None:
    case, browser = pictured(work), Client()
    assert badges(alike(work.world, browser, "")) == 0
    part = alike(work.world, browser, "", looks=f"{LOOK ^ 0b11:016x}")
    assert badges(part) == 1
    assert offers(part)[0].split(":")[0] == str(case.pk)
    assert badges(alike(work.world, browser, "", looks=f"{LOOK ^ 0xFFFF:016x}")) == 0


def test_the_photo_is_found_behind_fifty_nearer_reports_without_one(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    case = pictured(work)
    Case.objects.filter(pk=case.pk).update(lat=F("lat") + 0.0004)  # 44 metres
    values = {f.attname: getattr(case, f.attname) for f in Case._meta.concrete_fields if f.attname != "id"}
    made = Case.objects.bulk_create(Case(**values | {"number": f"LG-2026-8{n:05}"}) for n in range(50))
    shared = {"street_id": case.street_id, "words": "路灯", "sketch": sketch("路灯"), "source": "resident", "at": NOW}
    Report.objects.bulk_create(Report(case=one, origin=one, **shared) for one in made)
    part = alike(work.world, Client(), "", looks=f"{LOOK:016x}")
    assert (badges(part), offers(part)[0].split(":")[0]) == (1, str(case.pk))
    monkeypatch.setattr("jiequ.cases.queries.known.photo_odds", lambda *_photos: (0.0, 64))
    assert badges(alike(work.world, Client(), "", looks=f"{LOOK:016x}")) == 0, (
        "the twin looks at the photos of the few it reads"
    )


@pytest.mark.parametrize("hidden", [{"is_confidential": True}, {"is_suspect": True}])
def test_whoever_holds_the_very_photo_learns_nothing_of_what_is_hidden(work: Casework, hidden: dict[str, Any]) -> None:
    case = pictured(work)
    Case.objects.filter(pk=case.pk).update(**hidden)
    assert badges(alike(work.world, Client(), "", looks=f"{LOOK:016x}")) == 0


@pytest.mark.parametrize("looks", ["1", "g" * 16, f"{LOOK:016x},", "1" * 17, "²" * 16])
def test_what_is_no_likeness_of_a_photo_is_refused_with_a_sentence(work: Casework, looks: str) -> None:
    answer = Client().post("/report/suggest", here(work.world) | {"words": SAID, "looks": looks})
    assert answer.status_code == 422
    assert "照片特征" in text_of(answer)


def test_what_is_asked_while_writing_costs_thirteen_statements_and_stores_nothing(work: Casework) -> None:
    for _n in range(3):
        work.reported(words=SAID)
    browser = Client()
    alike(work.world, browser, SAID)  # the types, the names of places: read once a process
    made = statements_of(lambda: alike(work.world, browser, SAID))
    assert len(made) <= 13, "\n".join(made)
    assert Case.objects.count() == 3
