"""The Open311 door as the specification has it: what everybody reads, what a key's holder hands in, and what is never told."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils.translation import override
from PIL import Image

from jiequ.cases import services as cases
from jiequ.cases.models import Case, CaseEvent, FilingCondition, Proof, Report
from jiequ.cases.queries import types
from jiequ.core import pictures
from jiequ.core.jobs import work_once
from jiequ.doors.open311 import keys
from jiequ.doors.open311.document import document
from jiequ.doors.open311.models import HiddenType, MediaFetch, Opening
from jiequ.doors.open311.services import opening, publishing
from jiequ.doors.open311.views import reading
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_condition, make_picture
from tests.programs import program_of
from tests.statements import statements_of
from tests.support.georeport import foreign

V2 = "/open311/v2"


@pytest.fixture
def work(world: World, clock: MovableClock, settings: Any, tmp_path: Any) -> Casework:
    settings.MEDIA_ROOT = tmp_path
    work = Casework(world, make_condition())
    open_up(work)
    types.forget()
    return work


def open_up(work: Casework, *, both: bool = False) -> None:
    """The street (or both) opened by 系."""
    for street in (work.world.street, work.world.other_street)[: 2 if both else 1]:
        opening.open_street(street_id=street.pk, contact="指挥中心 020-12345678", by=work.actor("xi"), at=NOW)


def get(what: str, *, key: str = "", language: str = "zh-hans", **query: str) -> Any:
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
    return Client().get(f"{V2}/{what}", query, headers=headers)


def rows(what: str, **query: Any) -> Any:
    answer = get(what, **query)
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()


def post(what: str = "requests.json", *, reference: str = "", **form: Any) -> Any:
    headers = {"Idempotency-Key": reference} if reference else {}
    return Client(enforce_csrf_checks=True).post(f"{V2}/{what}", form, headers=headers)


def key_of(work: Casework, who: str = "lin") -> str:
    return program_of(work.world, who, "open311", title="市政 App").token


def a_request(work: Casework, **changes: Any) -> dict[str, Any]:
    lon, lat = work.world.point_in("a")
    return {"service_code": "0110", "lat": lat, "long": lon, "description": "河边有一堆垃圾"} | changes


# -- discovery and services ----------------------------------------------------------------------------------------------


def test_discovery_says_where_the_door_is_and_whom_to_ask(work: Casework) -> None:
    told = json.loads(Client().get("/open311/discovery.json").content)
    (endpoint,) = told["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"].endswith("/open311/v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert "020-12345678" in told["contact"]
    answer = Client().get("/open311/v2/discovery.xml")
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    root = ElementTree.fromstring(answer.content)
    assert [one.text for one in root.findall("endpoints/endpoint/formats/format")] == ["text/xml", "application/json"]
    assert all(root.findtext(name) for name in ("changeset", "contact", "key_service"))


def test_services_are_our_types_without_those_that_are_not_public(work: Casework) -> None:
    hidden = make_condition("0999", name="邻里纠纷")
    secret = make_condition("0998", name="举报")
    secret.edition.is_confidential = True
    secret.edition.save()
    opening.hide_types(hidden=[hidden.edition.event_type_id], by=work.actor("xi"), at=NOW)
    types.forget()
    (service,) = rows("services.json")
    assert service["service_code"] == "0110"
    assert service["service_name"] == "暴露生活垃圾"
    assert service["metadata"] is False
    assert service["type"] == "realtime"
    assert service["group"] == "市容环境"
    root = ElementTree.fromstring(get("services.xml").content)
    assert [one.findtext("service_code") for one in root.findall("service")] == ["0110"]
    assert root.find("service").findtext("metadata") == "false"  # type: ignore[union-attr]
    for code in ("0999", "0998", "7777"):
        assert get(f"services/{code}.json").status_code == 404


def test_a_definition_asks_for_the_filing_condition_where_there_are_several(work: Casework) -> None:
    FilingCondition.objects.create(
        edition=work.condition.edition, key="heap", position=2, name_zh="成堆垃圾", closing_condition_zh="清运",
        required_proofs=[], limit_value=1, limit_unit="work_day",
    )  # fmt: skip
    types.forget()
    assert rows("services.json")[0]["metadata"] is True
    told = rows("services/0110.json")
    condition, seen_at, *measures = told["attributes"]
    assert (condition["code"], condition["datatype"], condition["required"]) == ("condition", "singlevaluelist", True)
    assert [one["key"] for one in condition["values"]] == ["only", "heap"]
    assert seen_at["datatype"] == "datetime"
    assert all(one["variable"] is False for one in measures)
    assert "1工作日" in measures[1]["description"].replace(" ", "")
    orders = [one["order"] for one in told["attributes"]]
    assert orders == sorted(set(orders))
    root = ElementTree.fromstring(get("services/0110.xml").content)
    assert [one.text for one in root.findall("attributes/attribute/values/value/key")] == ["only", "heap"]
    key = key_of(work)
    refused = post(api_key=key, **a_request(work))
    assert refused.status_code == 400
    assert "attribute[condition]" in refused.json()[0]["description"]
    done = post(
        api_key=key, **a_request(work), **{"attribute[condition]": "heap", "attribute[seen_at]": "2026-03-04T09:30:00+08:00"}
    )
    case = Case.objects.get(number=done.json()[0]["service_request_id"])
    assert case.condition is not None
    assert case.condition.key == "heap"
    assert case.reports.get().seen_at == NOW - timedelta(minutes=30)


def test_the_jurisdiction_is_a_street_and_may_be_left_out_where_only_one_is_open(work: Casework) -> None:
    assert get("services.json").status_code == 200
    assert get("services.json", jurisdiction_id="990101001").status_code == 200
    assert get("services.json", jurisdiction_id="990101002").status_code == 404
    open_up(work, both=True)
    missing = get("services.json")
    assert (missing.status_code, missing.json()[0]["code"]) == (400, 400)
    assert "jurisdiction_id" in missing.json()[0]["description"]
    assert get("services.json", jurisdiction_id="990101002").status_code == 200
    unknown = get("services.xml", jurisdiction_id="nowhere")
    assert unknown.status_code == 404
    assert ElementTree.fromstring(unknown.content).findtext("error/code") == "404"
    number = work.accepted().number
    assert get(f"requests/{number}.json", jurisdiction_id="990101002").status_code == 404


# -- reading -------------------------------------------------------------------------------------------------------------


def test_a_request_tells_number_state_times_and_department_and_nothing_of_a_person(work: Casework) -> None:
    case = work.dispatched(
        words="我是周女士，住3栋402，楼下有垃圾", place=cases.Place(*work.world.point_in("a"), words="3栋402门口")
    )
    (told,) = rows(f"requests/{case.number}.json")
    assert list(told) == [
        "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
        "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
        "lat", "long", "media_url",
    ]  # fmt: skip
    assert (told["status"], told["service_code"], told["service_name"]) == ("open", "0110", "暴露生活垃圾")
    assert told["requested_datetime"] == "2026-03-04T10:00:00+08:00"
    assert told["agency_responsible"] == "环卫站（所）"
    assert told["description"] == "暴露生活垃圾"
    assert told["address"] == "东涌社区"
    assert told["address_id"] == work.world.grid_a.code15
    assert told["zipcode"] is None
    text = json.dumps(rows("requests.json", extensions="true"), ensure_ascii=False) + get("requests.xml").content.decode()
    for word in ("周女士", "402", "3栋", "13912345678"):
        assert word not in text
    english = rows(f"requests/{case.number}.json", language="en")[0]
    assert english["agency_responsible"] == "Sanitation station"


def test_xml_and_json_say_the_same(work: Casework) -> None:
    work.closed()
    work.accepted()
    told = rows("requests.json")
    root = ElementTree.fromstring(get("requests.xml").content)
    assert root.tag == "service_requests"
    again = [{one.tag: one.text for one in request} for request in root.findall("request")]
    assert again == [{name: None if value is None else str(value) for name, value in row.items()} for row in told]
    assert [row["status"] for row in told] == ["open", "closed"]


def test_what_is_not_public_is_in_no_list_and_is_told_like_what_does_not_exist(work: Casework) -> None:
    shown = work.accepted().number
    hidden = [
        work.accepted(is_confidential=True),
        work.reported().case,  # nobody has said yet what it is
        work.reported(condition_id=work.condition.pk, is_suspect=True).case,
    ]
    elsewhere = cases.report_case(
        street_id=None, account=work.account(place=work.place("c"), condition_id=work.condition.pk),
        by=work.actor("wai"), at=NOW,
    ).case  # fmt: skip
    assert [row["service_request_id"] for row in rows("requests.json")] == [shown]
    asked = ",".join(case.number for case in [*hidden, elsewhere])
    assert rows("requests.json", service_request_id=asked) == []
    missing = get("requests/LG-2026-999999.json")
    for case in (*hidden, elsewhere):
        answer = get(f"requests/{case.number}.json")
        assert (answer.status_code, answer.content) == (404, missing.content)
    HiddenType.objects.create(event_type_id=work.condition.edition.event_type_id, changed_at=NOW)
    assert rows("requests.json") == []
    assert get(f"requests/{shown}.json").status_code == 404
    HiddenType.objects.all().delete()
    assert len(rows("requests.json")) == 1
    Opening.objects.all().delete()
    assert get("requests.json").status_code == 404


def test_a_list_that_forgot_to_leave_out_reports_of_wrongdoing_would_be_seen(
    work: Casework, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    work.accepted(is_confidential=True)
    assert rows("requests.json") == []
    monkeypatch.setattr(
        reading.requests, "published", lambda street_id: Case.objects.filter(street_id=street_id, event_type__isnull=False)
    )
    assert len(rows("requests.json")) == 1


def test_filters_narrow_by_number_service_state_and_span(work: Casework) -> None:
    other = make_condition("0120", name="道路破损")
    types.forget()
    old, older = NOW - timedelta(days=80), NOW - timedelta(days=120)
    numbers = {
        "closed": work.closed().number,
        "open": work.accepted().number,
        "other": work.reported(condition_id=other.pk).case.number,
        "old": work.accepted(at=old).number,
        "older": work.accepted(at=older).number,
    }

    def found(**query: str) -> set[str]:
        names = {number: name for name, number in numbers.items()}
        return {names[row["service_request_id"]] for row in rows("requests.json", **query)}

    assert found() == {"closed", "open", "other", "old"}
    assert found(status="open") == {"open", "other", "old"}
    assert found(status="closed") == {"closed"}
    assert found(status="open,closed") == {"closed", "open", "other", "old"}
    assert found(service_code="0120") == {"other"}
    assert found(service_code="0120,0110", status="closed") == {"closed"}
    assert found(service_code="none") == set()
    assert found(start_date="2026-03-01T00:00:00Z") == {"closed", "open", "other"}
    assert found(end_date=(old + timedelta(days=1)).isoformat()) == {"old", "older"}
    assert found(start_date="2026-03-01T00:00:00+08:00", end_date="2026-03-02T00:00:00+08:00") == set()
    assert found(service_request_id=f"{numbers['older']}, {numbers['open']}", status="closed") == {"older", "open"}
    assert found(status="", service_code="", start_date="") == found()


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-12-01T00:00:00Z"},
        {"start_date": "2026-03-02T00:00:00Z", "end_date": "2026-03-01T00:00:00Z"},
        {"start_date": "yesterday"},
        {"start_date": "2026-03-01T00:00:00"},
        {"status": "pending"},
        {"page": "0"},
        {"page_size": "1001"},
        {"page": "99999999"},
        {"cursor": "x"},
    ],
)
def test_a_question_that_cannot_be_answered_is_a_400_that_says_why(work: Casework, query: dict[str, str]) -> None:
    answer = get("requests.json", **query)
    assert answer.status_code == 400
    (error,) = answer.json()
    assert error["code"] == 400
    assert error["description"]


def test_pages_follow_one_another_by_number_and_by_the_key_in_the_link(work: Casework) -> None:
    numbers = [work.accepted(at=NOW - timedelta(minutes=n)).number for n in range(5)]
    pages = [[row["service_request_id"] for row in rows("requests.json", page=str(n), page_size="2")] for n in (1, 2, 3, 4)]
    assert pages == [numbers[:2], numbers[2:4], numbers[4:], []]
    seen, answer = [], get("requests.json", page_size="2")
    for _ in range(3):
        seen += [row["service_request_id"] for row in answer.json()]
        link = answer.headers.get("Link", "")
        if not link:
            break
        answer = Client().get(
            link[1 : link.index(">")].partition("testserver")[2] or link[1 : link.index(">")].split("8000", 1)[1]
        )
    assert seen == numbers


def test_a_list_makes_few_statements_however_long_it_is(work: Casework) -> None:
    key = key_of(work)
    work.accepted()

    def selects(**query: str) -> int:
        types.forget()  # the worst case: the types are read anew
        asked = statements_of(lambda: rows("requests.json", **query))
        return len([one for one in asked if one.lstrip("( ").startswith(("SELECT", "WITH"))])

    few = selects(service_code="0110", status="open", extensions="true")
    with_key = selects(service_code="0110", key=key)
    for _ in range(6):
        work.accepted()
    assert selects(service_code="0110", status="open", extensions="true") == few <= 8
    assert selects(service_code="0110", key=key) == with_key <= 9


def test_the_desk_publishes_words_and_photos_and_takes_them_back(work: Casework) -> None:
    case = work.handled()
    photo = Proof.objects.get(case=case)
    lin = work.world.client("lin")
    page = f"/open311/publish/{case.number}/"
    assert "暴露生活垃圾" in lin.get(page).content.decode()
    assert rows(f"requests/{case.number}.json")[0]["media_url"] is None
    assert lin.post(page, {"words": "河涌边的垃圾已清走", "photos": [photo.pk]}).status_code == 302
    told = rows(f"requests/{case.number}.json", extensions="true")[0]
    assert told["description"] == "河涌边的垃圾已清走"
    assert told["media_url"].endswith(f"/open311/v2/photos/{photo.pk}")
    assert told["extended_attributes"]["photos"] == [{"media_url": told["media_url"]}]
    lin.post(page, {"words": ""})
    assert rows(f"requests/{case.number}.json")[0]["media_url"] is None
    assert get(f"photos/{photo.pk}").status_code == 404
    assert work.world.client("huang").get(page).status_code == 403
    assert work.world.client("wai").get(page).status_code == 404


def test_a_published_photo_is_shown_and_no_other(work: Casework, settings: Any) -> None:
    case = work.accepted()
    proofs = [
        Proof.objects.create(
            case=case, phase="after", at=NOW,
            picture=pictures.admit(io.BytesIO(jpeg(64 + n, 64)), street_id=case.street_id, at=NOW),
        )
        for n in range(2)
    ]  # fmt: skip
    publishing.publish(case, words="", photo_ids=[proofs[0].pk], by=work.actor("lin"), at=NOW)
    shown = get(f"photos/{proofs[0].pk}")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    assert get(f"photos/{proofs[1].pk}").status_code == 404
    Case.objects.filter(pk=case.pk).update(is_confidential=True)
    assert get(f"photos/{proofs[0].pk}").status_code == 404


def test_a_month_is_downloaded_as_a_table_without_formulas(work: Casework) -> None:
    closed, opened = work.closed(), work.accepted()
    publishing.publish(opened, words="=HYPERLINK(1)", photo_ids=[], by=work.actor("lin"), at=NOW)
    answer = get("requests.csv", month="2026-03")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert {row["service_request_id"] for row in table} == {closed.number, opened.number}
    by_number = {row["service_request_id"]: row for row in table}
    assert by_number[opened.number]["description"] == "'=HYPERLINK(1)"
    assert by_number[closed.number]["closed_date"]
    assert by_number[opened.number]["closed_date"] == ""
    assert get("requests.csv", month="2026-13").status_code == 400
    assert len(b"".join(get("requests.csv", month="2026-02").streaming_content).splitlines()) == 1


# -- handing in ------------------------------------------------------------------------------------------------------------


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


def jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, width % 255)).save(file, "JPEG")
    return file.getvalue()


def work_all() -> None:
    for _ in range(10):
        done = sum(work_once(at=NOW + timedelta(minutes=1), limit=50, outside=outside) for outside in (False, True))
        if not done:
            break


# -- updates ---------------------------------------------------------------------------------------------------------------


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


# -- around it -------------------------------------------------------------------------------------------------------------


def test_too_many_questions_are_told_to_wait(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "CALLS_A_MINUTE", 2)
    answers = [get("services.json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()[0]["code"] == 429
    assert int(answers[2]["Retry-After"]) > 0
    assert get("services.json", key=key_of(work)).status_code == 200


def test_every_no_is_an_array_also_where_no_view_was_reached(work: Casework) -> None:
    for answer, status in [
        (Client().get(f"{V2}/nothing.json"), 404),
        (Client().put(f"{V2}/services.json"), 405),
        (Client().get(f"{V2}/requests.json?status=%00"), 400),
        (Client().post(f"{V2}/requests.json", "{}", content_type="text/csv"), 400),
        (Client().get("/open311/discovery.yaml"), 404),
    ]:
        assert answer.status_code == status, answer.content
        if answer["Content-Type"].startswith("application/json"):
            assert answer.json()[0]["code"] == status
        else:
            assert ElementTree.fromstring(answer.content).findtext("error/code") == str(status)


def test_only_the_system_administrator_opens_a_street_and_hides_types(work: Casework) -> None:
    xi = work.world.client("xi")
    page = xi.get("/open311/settings/").content.decode()
    assert "龙涧街道" in page
    assert "020-12345678" in page
    other = work.world.other_street.pk
    assert xi.post("/open311/settings/street", {"street": other, "contact": ""}).status_code == 422
    assert xi.post("/open311/settings/street", {"street": other, "contact": "热线", "act": "open"}).status_code == 302
    assert {one.street_id for one in Opening.objects.all()} == {work.world.street.pk, other}
    assert xi.post("/open311/settings/street", {"street": other, "act": "close"}).status_code == 302
    assert xi.post("/open311/settings/types", {"shown": []}).status_code == 302
    assert rows("services.json") == []
    assert work.world.client("lin").post("/open311/settings/types", {"shown": []}).status_code == 403
    assert "990101001" in Client().get("/open311/").content.decode()


def test_the_document_is_the_copy_in_docs() -> None:
    from pathlib import Path

    copy = Path(__file__).resolve().parents[2] / "docs" / "openapi-open311.json"
    with override("en"):
        now = document("https://jiequ.example")
    assert json.loads(copy.read_text(encoding="utf-8")) == now, "./run bench open311 --document writes it anew"
    assert json.loads(Client().get(f"{V2}/openapi.json").content)["openapi"] == "3.1.0"


def test_photos_of_others_cannot_be_published_with_a_case(work: Casework) -> None:
    mine, other = work.handled(), work.handled()
    photo = Proof.objects.get(case=other)
    page = f"/open311/publish/{mine.number}/"
    assert work.world.client("lin").post(page, {"words": "x", "photos": [photo.pk]}).status_code == 422
    secret = work.accepted(is_confidential=True, pictures=[make_picture(work.world.street.pk, "z")])
    assert work.world.client("lin").post(f"/open311/publish/{secret.number}/", {"words": "x"}).status_code == 422
