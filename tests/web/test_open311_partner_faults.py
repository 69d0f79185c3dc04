"""Each side hears of the other and no echo comes back; what a partner answers that is odd, broken or hostile stops no round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases import services as cases
from jiequ.cases.models import Case, Report
from jiequ.doors.open311 import foreign as reading
from jiequ.doors.open311.models import Mirror, Partner
from jiequ.doors.open311.services import pulling, telling
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.open311 import open_up
from tests.support.georeport import Asked, Foreign
from tests.support.partners import LATER, live, make, notes_of, pull


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


# -- both ways -----------------------------------------------------------------------------------------------------------


def test_steps_are_told_once_settled_and_what_comes_back_is_no_news(work: Casework, there: Foreign) -> None:
    partner = make(work, there, has_updates=True)
    posted = b"<service_request_updates><request_update><update_id>U77</update_id></request_update></service_request_updates>"
    there.answers["POST /servicerequestupdates.xml"] = posted
    there.answers["GET /servicerequestupdates.xml"] = b"<service_requests_updates/>"
    pull(partner)
    case = work.fresh(Case.objects.get(condition=work.condition), "lin")
    cases.accept(case, by=work.actor("lin"), at=NOW)

    def tell(at: Any) -> None:
        telling.tell(live(partner), at=at)

    tell(NOW + timedelta(seconds=20))  # it can still be undone
    assert there.asked("POST /servicerequestupdates.xml") == []
    tell(LATER)
    tell(LATER + timedelta(minutes=1))
    (asked,) = there.asked("POST /servicerequestupdates.xml")
    assert asked.given["service_request_id"] == "7001"
    assert (asked.given["status"], asked.given["description"]) == ("open", "已受理")
    there.answers["GET /servicerequestupdates.xml"] = (
        "<service_requests_updates><request_update><update_id>U77</update_id><service_request_id>7001</service_request_id>"
        "<status>open</status><description>已受理</description></request_update><request_update><update_id>U78</update_id>"
        "<service_request_id>7001</service_request_id><status>open</status><description>Crew on its way</description>"
        "</request_update></service_requests_updates>"
    ).encode()
    for minutes in (6, 12):
        pull(partner, NOW + timedelta(minutes=minutes))
    assert notes_of(case) == ["对方说：Crew on its way"]
    tell(NOW + timedelta(minutes=20))
    assert len(there.asked("POST /servicerequestupdates.xml")) == 1  # what they said is not told to them


def test_steps_of_what_became_a_report_of_wrongdoing_are_told_no_more(work: Casework, there: Foreign) -> None:
    partner = make(work, there, has_updates=True)
    there.answers["GET /servicerequestupdates.xml"] = b"<service_requests_updates/>"
    pull(partner)
    case = work.fresh(Case.objects.get(condition=work.condition), "lin")
    cases.accept(case, by=work.actor("lin"), at=NOW)
    Case.objects.filter(pk=case.pk).update(is_confidential=True)
    telling.tell(live(partner), at=LATER)
    assert there.asked("POST /servicerequestupdates.xml") == []


def test_a_step_that_they_refuse_counts_as_refused(work: Casework, there: Foreign) -> None:
    partner = make(work, there, has_updates=True)
    there.answers["GET /servicerequestupdates.xml"] = b"<service_requests_updates/>"
    there.answers["POST /servicerequestupdates.xml"] = (400, b"")
    pull(partner)
    cases.accept(work.fresh(Case.objects.get(condition=work.condition), "lin"), by=work.actor("lin"), at=NOW)
    run = telling.tell(live(partner), at=LATER)
    assert run is not None
    assert run.counts == {"refused": 1}


def test_without_remembering_what_we_told_it_would_come_back_as_news(
    work: Casework, there: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin."""
    monkeypatch.setattr(telling, "_remember", lambda *_args, **_given: None)
    with pytest.raises((AssertionError, ValueError)):
        test_steps_are_told_once_settled_and_what_comes_back_is_no_news(work, there)


# -- faults --------------------------------------------------------------------------------------------------------------

_ONE = "<request><service_request_id>5</service_request_id></request>"
_SPACED = _ONE.replace("<", "<s:").replace("<s:/", "</s:")
_WIDE = f'<?xml version="1.0" encoding="utf-16"?><service_requests>{_ONE}</service_requests>'
ODD: dict[str, tuple[bytes, int]] = {
    "an array of one in JSON": (b'[{"service_request_id": 5, "status": "open", "lat": "x", "description": null}]', 1),
    "a wrapped list": (b'{"service_requests": [{"service_request_id": "5"}]}', 1),
    "a list of nothing": (b"[]", 0),
    "an empty root": (b"<service_requests/>", 0),
    "a namespace": (b'<s:service_requests xmlns:s="urn:x">' + _SPACED.encode() + b"</s:service_requests>", 1),
    "another encoding": (_WIDE.encode("utf-16"), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_are_read(name: str) -> None:
    body, count = ODD[name]
    found = reading.rows(body)
    assert len(found) == count
    assert all(reading.text(row, "service_request_id") == "5" for row in found)


def test_what_no_database_holds_is_left_out_and_stops_no_round(work: Casework, there: Foreign) -> None:
    there.answers["GET /services.json"] = b'[{"service_code": "TR\\u0000ASH"}, {"service_code": "POTHOLE\\ud800"}]'
    there.answers["GET /requests.json"] = b"[]"
    partner = make(work, there, form="json")
    assert [one["code"] for one in partner.services] == ["TRASH", "POTHOLE"]
    odd = r"""[{"service_request_id": "7\u0000001", "status": "open", "service_code": "TRASH",
        "description": "Heap\ud83d\u0000", "status_notes": "\udc00 soon",
        "lat": 23.1805, "long": 113.5005, "extended_attributes": {"elsewhere": ["\ud800"]}}]"""
    there.answers["GET /requests.json"] = odd.encode()
    assert pull(partner).counts["new"] == 1
    assert Mirror.objects.get().request_id == "7001"
    assert Report.objects.get().words == "Heap"


def test_pages_that_were_not_read_are_said(work: Casework, there: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    partner = make(work, there)
    monkeypatch.setattr(pulling, "MOST_PAGES", 2)

    def paged(asked: Asked) -> bytes:
        first = int(asked.given.get("page", "1")) * 100
        ids = [f"<service_request_id>{n}</service_request_id>" for n in range(first, first + 100)]
        some = "".join(f"<request>{one}<status>closed</status></request>" for one in ids)
        return f"<service_requests>{some}</service_requests>".encode()

    there.answers["GET /requests.xml"] = paged
    run = pull(partner)
    assert run.counts == {"closed_there": 200}
    assert "200" in run.detail


@pytest.mark.parametrize(
    "body",
    [
        b"<html><p>down</html>",
        b"not found",
        b"",
        b'<!DOCTYPE a [<!ENTITY b "c">]><service_requests/>',
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>').encode("utf-16"),
        b"<a>" * 50 + b"</a>" * 50,
        b"[" * 100_000,
        b'"text"',
    ],
)
def test_hostile_and_broken_answers_end_the_round_and_are_told_in_plain_words(
    work: Casework, there: Foreign, body: bytes
) -> None:
    partner = make(work, there)
    there.answers["GET /requests.xml"] = body
    run = pull(partner)
    assert (run.error, run.counts) == ("unreadable", {})
    assert Partner.objects.get(pk=partner.pk).pulled_to is None  # the next round begins where this one did
    page = work.world.client("xi").get(f"/open311/partners/{partner.pk}/").content.decode()
    assert "答的不是 XML，也不是 JSON" in page
    assert "连续失败" in work.world.client("xi").get("/open311/partners/").content.decode()


def test_an_inside_address_is_called_by_nobody_unless_the_operator_names_it(
    work: Casework, there: Foreign, settings: Any
) -> None:
    partner = make(work, there)
    settings.WEBHOOK_NETWORKS = ["10.99.0.0/16"]
    there.calls.clear()
    assert pull(partner).error == "address_not_allowed"
    assert there.calls == []
