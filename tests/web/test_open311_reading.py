"""What everybody reads by Open311, as the specification has it, and what is never told."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.test import Client

from jiequ.cases import services as cases
from jiequ.cases.models import Case, FilingCondition
from jiequ.cases.queries import types
from jiequ.doors.open311.models import HiddenType, Opening
from jiequ.doors.open311.services import opening
from jiequ.doors.open311.views import reading
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.open311 import a_request, get, key_of, open_up, post, rows


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


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
