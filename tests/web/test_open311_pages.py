"""Around the Open311 door: refusals, throttles, the pages of the administrator and the desk."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils.translation import override

from jiequ.cases import services
from jiequ.cases.models import Case, EventType, Proof, Report
from jiequ.cases.queries import types
from jiequ.core import pictures
from jiequ.doors.open311 import keys
from jiequ.doors.open311.document import document
from jiequ.doors.open311.models import HiddenType, Opening
from jiequ.doors.open311.services import opening, publishing
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition, make_picture
from tests.open311 import V2, get, jpeg, key_of, open_up, rows


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


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


def test_a_published_photo_is_shown_and_no_other(work: Casework) -> None:
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


def test_whoever_sent_a_published_photo_may_have_it_erased(work: Casework) -> None:
    picture = make_picture(work.world.street.pk, "mine")
    case = work.closed(pictures=[picture])
    mine = case.proofs.get(phase="report")
    publishing.publish(case, words="", photo_ids=[mine.pk], by=work.actor("lin"), at=NOW)
    assert rows(f"requests/{case.number}.json")[0]["media_url"]
    assert services.erase_person(Report.objects.get(case=case), at=NOW) == 1
    assert rows(f"requests/{case.number}.json")[0]["media_url"] is None
    assert get(f"photos/{mine.pk}").status_code == 404


def test_a_type_out_of_use_stays_hidden_when_the_others_are_chosen_anew(work: Casework) -> None:
    old = make_condition("0999", name="邻里纠纷")
    by = work.actor("xi")
    opening.hide_types(hidden=[old.edition.event_type_id, work.condition.edition.event_type_id], by=by, at=NOW)
    EventType.objects.filter(pk=old.edition.event_type_id).update(is_active=False)
    types.forget()
    shown = {"shown": [work.condition.edition.event_type_id]}
    assert work.world.client("xi").post("/open311/settings/types", shown).status_code == 302
    assert list(HiddenType.objects.values_list("event_type_id", flat=True)) == [old.edition.event_type_id]


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
