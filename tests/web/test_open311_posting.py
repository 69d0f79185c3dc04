"""What a key's holder hands in by Open311: requests, tokens, pictures, updates."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from jiequ.cases.models import Case, CaseEvent, Proof, Report
from jiequ.doors.open311.models import MediaFetch
from tests.actors import MovableClock
from tests.casework import Casework
from tests.open311 import a_request, get, jpeg, key_of, open_up, post, rows, work_all
from tests.programs import program_of
from tests.support.georeport import foreign


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


def test_a_request_is_posted_with_a_key_and_read_by_everybody(work: Casework) -> None:
    key = key_of(work)
    answer = post(api_key=key, first_name="Anna", last_name="Smith", phone="13800001111", email="a@b.c", **a_request(work))
    assert answer.status_code == 200, answer.content.decode()
    (told,) = answer.json()
    assert "token" not in told
    case = Case.objects.get(number=told["service_request_id"])
    assert (case.source, case.street_id, case.unit_grid_id) == ("outside", work.world.street.pk, work.world.grid_a.pk)
    assert case.condition_id == work.condition.pk
    report = Report.objects.select_related("reporter").get(case=case)
    assert report.words == "河边有一堆垃圾"
    assert report.reporter is not None
    assert "Smith" not in report.reporter.name_sealed
    (shown,) = rows(f"requests/{case.number}.json")
    assert shown["description"] == "暴露生活垃圾"
    (own,) = rows(f"requests/{case.number}.json", key=key)
    assert own["description"] == "河边有一堆垃圾"
    assert (own["long"], own["lat"]) == work.world.point_in("a")
    assert "Smith" not in json.dumps(own)


def test_a_token_is_given_to_whoever_asks_for_one_and_leads_to_the_number(work: Casework) -> None:
    told = post("requests.xml", api_key=key_of(work), respond_with="token", **a_request(work))
    root = ElementTree.fromstring(told.content)
    token = root.findtext("request/token")
    assert root.find("request/service_request_id") is None
    (found,) = rows(f"tokens/{token}.json")
    assert found == {"service_request_id": Case.objects.get().number, "token": token}
    assert get(f"tokens/{token}x.json").status_code == 404
    assert ElementTree.fromstring(get(f"tokens/{token}.xml").content).findtext("request/token") == token


def test_a_key_is_missing_wrong_ended_or_of_another_scope_with_a_403_and_the_same_words(work: Casework) -> None:
    other = program_of(work.world, "lin", "cases:read", title="别的").token
    answers = [post(**a_request(work)), *(post(api_key=key, **a_request(work)) for key in ("x", "jq_" + "x" * 43, other))]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers[1:]}) == 1
    assert answers[0].json()[0]["code"] == 403
    stranger = post(api_key=key_of(work, "wai"), **a_request(work))
    assert stranger.status_code == 403
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"service_code": ""}, 400),
        ({"service_code": "7777"}, 404),
        ({"lat": "", "long": ""}, 400),
        ({"lat": "north"}, 400),
        ({"long": ""}, 400),
        ({"lat": "nan"}, 400),
        ({"lat": "23.1805", "long": "113.5025"}, 400),  # another street's
        ({"description": "长" * 4001}, 400),
        ({"phone": "123"}, 400),
        ({"media_url": "http://127.0.0.1/x.jpg"}, 400),
        ({"media_url": "ftp://example.org/x.jpg"}, 400),
        ({"address_id": "000000000000000", "lat": "", "long": ""}, 400),
        ({"attribute[seen_at]": "2036-01-01T00:00:00Z"}, 400),
        ({"jurisdiction_id": "990101009"}, 404),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(work: Casework, changes: dict[str, str], status: int) -> None:
    answer = post(api_key=key_of(work), **(a_request(work) | changes))
    assert answer.status_code == status, answer.content.decode()
    assert answer.json()[0]["code"] == status
    assert Case.objects.count() == 0


def test_places_may_be_told_by_words_or_by_the_number_of_a_unit_grid(work: Casework) -> None:
    key = key_of(work)
    there = {"lat": "", "long": ""}
    by_words = post(api_key=key, **(a_request(work) | there | {"address_string": "东涌桥头"}))
    by_grid = post(api_key=key, **(a_request(work) | there | {"address_id": work.world.grid_b.code15}))
    found = {case.number: case for case in Case.objects.all()}
    assert found[by_words.json()[0]["service_request_id"]].address == "东涌桥头"
    assert found[by_grid.json()[0]["service_request_id"]].unit_grid_id == work.world.grid_b.pk
    assert post(api_key=key, **(a_request(work) | {"description": ""})).status_code == 200
    assert post(api_key=key, **(a_request(work) | {"description": "长" * 4000})).status_code == 200


def test_a_reference_stands_for_one_request_for_ever(work: Casework) -> None:
    key = key_of(work)
    first, again = (post(api_key=key, reference="app-0001", **a_request(work)) for _ in range(2))
    assert first.content == again.content
    assert Case.objects.count() == 1
    other = post(api_key=key, reference="app-0001", **a_request(work, description="别的"))
    assert other.status_code == 400
    assert post(api_key=key, reference="app-0002", **a_request(work)).status_code == 200
    assert post(api_key=key, reference="a b", **a_request(work)).status_code == 400
    assert post(api_key=key_of(work, "chen"), reference="app-0001", **a_request(work)).status_code == 200
    assert Case.objects.count() == 3


def test_a_picture_that_a_caller_points_to_is_fetched_later_through_the_one_door(work: Casework, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with foreign() as there:
        there.answers["GET /one.jpg"] = jpeg(320, 240)
        done = post(api_key=key_of(work), media_url=f"{there.url}/one.jpg", **a_request(work))
        assert done.status_code == 200
        assert there.calls == []
        work_all()
        assert len(there.calls) == 1
    case = Case.objects.get()
    proof = Proof.objects.select_related("picture").get(case=case)
    assert proof.picture is not None
    assert (proof.picture.width, proof.picture.height) == (320, 240)
    fetch = MediaFetch.objects.get()
    assert (fetch.state, fetch.url_sealed) == ("kept", "")
    assert rows(f"requests/{case.number}.json")[0]["media_url"] is None  # nobody has looked at it yet


@pytest.mark.parametrize("body", [b"<svg/>", b"\xff\xd8\xff" + b"x" * 500, b"x" * (10 * 1024 * 1024 + 1)])
def test_what_is_no_picture_is_kept_nowhere_and_the_administrator_sees_why(work: Casework, settings: Any, body: bytes) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with foreign() as there:
        there.answers["GET /one.jpg"] = body
        post(api_key=key_of(work), media_url=f"{there.url}/one.jpg", **a_request(work))
        work_all()
    assert MediaFetch.objects.get().state == "failed"
    assert not Proof.objects.exists()
    assert "没有取到的照片" in work.world.client("xi").get("/open311/settings/").content.decode()


def test_updates_tell_the_steps_in_a_reporters_words(work: Casework) -> None:
    case = work.closed()
    hidden = work.accepted(is_confidential=True)
    told = rows("servicerequestupdates.json")
    assert {one["service_request_id"] for one in told} == {case.number}
    assert [one["description"] for one in told][-1] == "已办结"
    assert told[-1]["status"] == "closed"
    assert "垃圾已清走" not in json.dumps(told, ensure_ascii=False)
    assert rows("servicerequestupdates.json", service_request_id=hidden.number) == []
    assert rows("servicerequestupdates.json", start_date="2026-03-05T00:00:00Z") == []
    assert rows("servicerequestupdates.json", page_size="1", page="2") == told[1:2]
    root = ElementTree.fromstring(get("servicerequestupdates.xml").content)
    assert len(root.findall("request_update")) == len(told)


def test_an_update_is_noted_once_and_reopens_what_it_calls_open(work: Casework) -> None:
    key, case = key_of(work), work.handling()
    form = {"api_key": key, "service_request_id": case.number, "update_id": "u1", "description": "又多了一堆", "status": "open"}
    first, again = (post("servicerequestupdates.json", **form) for _ in range(2))
    assert first.status_code == 200, first.content.decode()
    assert first.content == again.content
    note = CaseEvent.objects.get(case=case, move="note")
    assert (note.text, str(note.pk)) == ("又多了一堆", first.json()[0]["update_id"])
    assert post("servicerequestupdates.json", **(form | {"description": "别的"})).status_code == 400
    assert post("servicerequestupdates.json", **(form | {"update_id": "u2", "status": "closed"})).status_code == 200
    case.refresh_from_db()
    assert case.state == "handling"  # whether it is closed is for the street to say
    ended = work.closed()
    reopened = post("servicerequestupdates.json", **(form | {"service_request_id": ended.number, "update_id": "u3"}))
    assert reopened.status_code == 200
    ended.refresh_from_db()
    assert ended.state == "reopened"
    assert post("servicerequestupdates.json", **(form | {"service_request_id": "LG-2026-999999"})).status_code == 404
    stranger = form | {"api_key": key_of(work, "wai"), "update_id": "u4"}
    assert post("servicerequestupdates.json", **stranger).status_code == 403
