"""The door for systems from outside: once for each reference, bad input refused whole, each street behind its own token."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jiequ.cases import services
from jiequ.cases.api import door, outside
from jiequ.cases.api.shapes import ReportIn
from jiequ.cases.models import Case, CaseEvent, OutsideSystem, Proof, Report, Reporter
from jiequ.core.models import AuditEntry, Job, Picture
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework
from tests.support.pictures import photo_file

WRITES = ("INSERT", "UPDATE", "DELETE", "SELECT")
TABLES = (Case, CaseEvent, Report, Reporter, Proof, Picture, Job, AuditEntry)


def make_system(world: World, name: str = "园区摄像头", **changes: Any) -> tuple[OutsideSystem, str]:
    """A system of the street, and its token."""
    values: dict[str, Any] = {"kind": "camera", "street_id": world.street.pk, "is_trusted": False}
    return services.make_system(name=name, **(values | changes), by=world.actor("xi"), at=NOW)


def body(world: World, ref: str = "cam-1", **changes: Any) -> dict[str, Any]:
    lon, lat = world.point_in("a")
    return {"source_ref": ref, "words": "井盖破了", "lon": lon, "lat": lat, "system": "cgcs2000"} | changes


def hand_in(token: str, given: Any, *, key: str = "", **headers: str) -> Any:
    """One POST as another system would send it."""
    headers |= {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    data = given if isinstance(given, bytes | str) else json.dumps(given)
    return Client().post("/api/v1/reports", data, content_type="application/json", headers=headers)


def ask(token: str, ref: str) -> Any:
    return Client().get(f"/api/v1/reports/{ref}", headers={"Authorization": f"Bearer {token}"})


def rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in TABLES}


@pytest.fixture
def token(work: Casework, clock: MovableClock) -> str:
    return make_system(work.world)[1]


# -- one report ------------------------------------------------------------------------------------------------------


def test_a_camera_reports_and_asks_how_it_stands(work: Casework, token: str) -> None:
    given = body(work.world, type="0110", contact_name="保安", contact_phone="13912345678", seen_at=NOW.isoformat())
    answer = hand_in(token, given)
    assert answer.status_code == 201, answer.content
    report = Report.objects.select_related("case").get()
    assert answer.json() == {
        "ok": True,
        "source_ref": "cam-1",
        "number": report.case.number,
        "received_at": "2026-03-04T02:00:00Z",
        "url": "/api/v1/reports/cam-1",
    }
    assert (report.case.source, report.case.unit_grid_id, report.case.state) == ("camera", work.world.grid_a.pk, "reported")
    assert (report.system, report.source_ref, report.seen_at, report.token_hash) == ("园区摄像头", "cam-1", NOW, "")
    assert report.case.condition_id == work.condition.pk
    assert "13912345678" not in str(Reporter.objects.values())

    case = work.fresh(report.case, "lin")
    services.accept(case, by=work.actor("lin"), at=NOW)
    services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    stands = ask(token, "cam-1").json()
    assert (stands["state"], stands["state_words"], stands["lead"]) == ("dispatched", "已分流", "环卫站（所）")
    assert stands["promised_at"] == "2026-03-04T08:00:00Z"
    assert [step["step"] for step in stands["timeline"]] == ["report", "accept", "dispatch"]
    assert stands["timeline"][2]["departments"] == ["环卫站（所）"]
    assert "林晓" not in json.dumps(stands, ensure_ascii=False)


def test_when_it_happened_is_kept_and_a_repeat_from_before_the_field_was_known_is_the_same_report(
    work: Casework, token: str
) -> None:
    when = {"happened_from": "2026-03-03T20:00:00+08:00", "happened_until": "2026-03-03T22:00:00+08:00"}
    assert hand_in(token, body(work.world) | when).status_code == 201
    case = Report.objects.get().case
    assert (case.happened_from, case.happened_until) == (NOW - timedelta(hours=14), NOW - timedelta(hours=12))
    assert hand_in(token, body(work.world)).status_code == 409, "said otherwise"
    assert hand_in(token, body(work.world, "cam-9") | {"happened_from": when["happened_from"]}).status_code == 201
    case = Report.objects.get(source_ref="cam-9").case
    assert case.happened_from == case.happened_until
    assert hand_in(token, body(work.world, "old")).status_code == 201
    said = json.loads(outside._said(ReportIn(**body(work.world, "old"))))
    assert not [name for name in said if name.startswith("happened")], "as it was hashed before"


def test_a_form_brings_photos_and_they_pass_the_one_door(work: Casework, token: str) -> None:
    form = {
        "source_ref": "cam-2",
        "lon": "113.5005",
        "lat": "23.1805",
        "accuracy_m": "",
        "photos": [photo_file(), photo_file("b")],
    }
    answer = Client().post("/api/v1/reports", form, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201, answer.content
    assert Proof.objects.filter(phase="report", picture__isnull=False).count() == 2
    form["photos"] = [photo_file(), photo_file("b")]
    before = rows()
    again = Client().post("/api/v1/reports", form, headers={"Authorization": f"Bearer {token}"})
    assert (again.status_code, again.content) == (201, answer.content)
    assert rows() == before


def test_a_trusted_system_is_filed_at_once_where_type_and_place_are_known(work: Casework, clock: MovableClock) -> None:
    token = make_system(work.world, is_trusted=True)[1]
    hand_in(token, body(work.world, type="0110", condition="only"))
    hand_in(token, body(work.world, "no-type"))
    hand_in(token, {"source_ref": "no-place", "words": "积水", "type": "0110"})
    states = dict(Report.objects.values_list("source_ref", "case__state"))
    assert states == {"cam-1": "accepted", "no-type": "reported", "no-place": "reported"}
    event = CaseEvent.objects.get(move="accept")
    assert (event.by_id, event.by_role) == (None, "system")
    assert ask(token, "cam-1").json()["promised_at"]


def test_another_system_is_filed_by_a_person(work: Casework, token: str) -> None:
    """The twin of the trusted one."""
    hand_in(token, body(work.world, type="0110"))
    assert Case.objects.get().state == "reported"


def test_a_hotline_carries_its_own_time_limit(work: Casework, clock: MovableClock) -> None:
    token = make_system(work.world, "12345", kind="hotline", street_id=None)[1]
    answer = hand_in(token, body(work.world, "GD-1", outer_due_at=(NOW + timedelta(days=5)).isoformat()))
    assert answer.status_code == 201, answer.content
    assert Case.objects.get().promised_at == NOW + timedelta(days=5)


# -- once ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "report-key-0000001"], ids=["by reference", "by key"])
def test_a_repeat_gives_the_same_answer_and_changes_nothing(work: Casework, token: str, key: str) -> None:
    first = hand_in(token, body(work.world), key=key)
    after = rows()
    work_on = work.fresh(Case.objects.get(), "lin")
    services.accept(work_on, condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    after_accept = rows()
    for _ in range(9):
        answer = hand_in(token, body(work.world), key=key)
        assert (answer.status_code, answer.content) == (201, first.content)
    assert rows() == after_accept
    assert after["Case"] == 1


def test_one_reference_stands_for_one_report(work: Casework, token: str) -> None:
    hand_in(token, body(work.world))
    before = rows()
    answer = hand_in(token, body(work.world, words="另一件事"))
    assert (answer.status_code, answer.json()["code"]) == (409, "source_ref_taken")
    assert rows() == before


def test_one_key_stands_for_one_request(work: Casework, token: str) -> None:
    hand_in(token, body(work.world), key="report-key-0000001")
    before = rows()
    answer = hand_in(token, body(work.world, "cam-2"), key="report-key-0000001")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert rows() == before


def test_two_systems_may_use_the_same_reference_and_the_same_key(work: Casework, clock: MovableClock) -> None:
    tokens = [make_system(work.world, name)[1] for name in ("东", "西")]
    numbers = {hand_in(one, body(work.world), key="report-key-0000001").json()["number"] for one in tokens}
    assert len(numbers) == 2


# -- bad input -------------------------------------------------------------------------------------------------------

DAY, EVE = "2026-03-04T08:00:00+08:00", "2026-03-03T20:00:00+08:00"
BAD: list[tuple[str, Any, int, str]] = [
    ("no JSON", "{", 400, "bad_json"),
    ("not UTF-8", b'{"source_ref": "\xff"}', 400, "bad_text"),
    ("a NUL", {"words": "a\0b"}, 400, "bad_text"),
    ("a list", "[]", 422, "invalid"),
    ("nothing", "null", 422, "invalid"),
    ("deep", "[" * 100_000, 400, "bad_json"),
    ("no reference", {"source_ref": None}, 422, "invalid"),
    ("a strange reference", {"source_ref": "a/b"}, 422, "invalid"),
    ("a long reference", {"source_ref": "a" * 101}, 422, "invalid"),
    ("a field nobody knows", {"state": "closed"}, 422, "invalid"),
    ("somebody's trust", {"is_trusted": True}, 422, "invalid"),
    ("nothing said", {"words": " "}, 422, "nothing_said"),
    ("too many words", {"words": "字" * 2001}, 422, "invalid"),
    ("a point that is a word", {"lon": "东边"}, 422, "invalid"),
    ("a point beyond the earth", {"lon": 1131}, 422, "invalid"),
    ("infinity", '{"source_ref": "x", "words": "y", "lon": 1e999, "lat": 1}', 422, "invalid"),
    ("half a point", {"lat": None}, 422, "half_a_point"),
    ("a strange system", {"system": "mars2000"}, 422, "invalid"),
    ("no such community", {"lon": None, "lat": None, "community": "9" * 12}, 422, "unknown_community"),
    ("no such unit grid", {"lon": None, "lat": None, "unit_grid": "9" * 15}, 422, "unknown_unit_grid"),
    ("no such type", {"type": "9999"}, 422, "unknown_type"),
    ("no such condition", {"type": "0110", "condition": "other"}, 422, "unknown_condition"),
    ("a condition of nothing", {"condition": "only"}, 422, "type_missing"),
    ("a type of the other kind", {"type": "0110", "kind": "component"}, 422, "unknown_type"),
    ("a time without a zone", {"seen_at": "2026-03-04T10:00:00"}, 422, "invalid"),
    ("a time to come", {"seen_at": "2027-01-01T00:00:00+08:00"}, 422, "seen_later"),
    ("an end before its beginning", {"happened_from": DAY, "happened_until": EVE}, 422, "bad_time"),
    ("an end of nothing", {"happened_until": DAY}, 422, "half_a_span"),
    ("what is to happen", {"happened_from": "2999-01-01T00:00:00+08:00"}, 422, "bad_time"),
    ("an hour without a zone", {"happened_from": "2026-03-04T08:00:00"}, 422, "invalid"),
    ("a limit, but no hotline", {"outer_due_at": "2026-04-01T00:00:00+08:00"}, 422, "not_a_hotline"),
    ("a phone that is none", {"contact_phone": "12"}, 422, "bad_phone"),
    ("a truth that is none", {"urgent": "很"}, 422, "invalid"),
    ("a number for words", {"words": 7}, 422, "invalid"),
    ("a place in another street", {"lon": 113.5025}, 403, "not_your_street"),
    ("another street's community", {"lon": None, "lat": None, "community": "990101002001"}, 403, "not_your_street"),
]


@pytest.mark.parametrize(("given", "status", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_bad_input_is_a_sentence_and_nothing_is_stored(
    work: Casework, token: str, given: Any, status: int, code: str, language: str
) -> None:
    before = rows()
    sent = body(work.world) | given if isinstance(given, dict) else given
    answer = hand_in(token, sent, key="report-key-0000001", **{"Accept-Language": language})
    shape = answer.json()
    assert (answer.status_code, shape["code"]) == (status, code), shape
    assert set(shape) == {"ok", "code", "message", "facts"}
    assert shape["ok"] is False
    assert len(shape["message"]) > 5
    assert (language == "en") == shape["message"].isascii() or "“" in shape["message"]
    assert rows() == before
    assert hand_in(token, body(work.world), key="report-key-0000001").status_code == 201  # the key was not used up


@pytest.mark.parametrize(
    ("content_type", "data", "status"),
    [("text/plain", "x", 415), ("application/xml", "<a/>", 415), ("application/json", "x" * 1_100_000, 413)],
)
def test_a_body_of_another_kind_or_size_is_refused(
    work: Casework, token: str, content_type: str, data: str, status: int
) -> None:
    answer = Client().post("/api/v1/reports", data, content_type=content_type, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["ok"]) == (status, False)
    assert not Case.objects.exists()


def test_a_bad_photo_leaves_nothing_behind(work: Casework, token: str) -> None:
    before = rows()
    form = {"source_ref": "cam-3", "photos": [photo_file(), photo_file(data=b"GIF89a")]}
    answer = Client().post("/api/v1/reports", form, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (422, "picture_format")
    assert rows() == before


def test_a_method_that_is_not_there_gets_the_one_shape(work: Casework, token: str) -> None:
    answer = Client().delete("/api/v1/reports", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"], answer["Allow"]) == (405, "method_not_allowed", "POST")


# -- whose token -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 5000])
def test_without_a_good_token_nothing_answers(work: Casework, token: str, header: str) -> None:
    hand_in(token, body(work.world))
    for answer in (
        Client().get("/api/v1/reports/cam-1", headers={"Authorization": header}),
        Client().post("/api/v1/reports", body(work.world, "b"), "application/json", headers={"Authorization": header}),
    ):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert answer.json()["ok"] is False
    assert Case.objects.count() == 1


def test_a_signed_in_person_is_no_system(work: Casework, token: str) -> None:
    hand_in(token, body(work.world))
    assert work.world.client("xi").get("/api/v1/reports/cam-1").status_code == 401


def test_another_systems_token_sees_nothing_in_the_same_words_as_for_nothing(work: Casework, token: str) -> None:
    hand_in(token, body(work.world))
    for other in (
        make_system(work.world, "邻街", street_id=work.world.other_street.pk)[1],
        make_system(work.world, "同街")[1],
        make_system(work.world, "全区", street_id=None)[1],
    ):
        hidden, missing = ask(other, "cam-1"), ask(other, "cam-9")
        assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert ask(token, "cam-1").status_code == 200


def test_a_district_wide_system_reports_into_the_street_of_the_place(work: Casework, clock: MovableClock) -> None:
    token = make_system(work.world, street_id=None)[1]
    hand_in(token, body(work.world, "a"))
    hand_in(token, body(work.world, "c", lon=113.5025))
    hand_in(token, {"source_ref": "k", "words": "x", "community": "990101002001"})
    hand_in(token, {"source_ref": "g", "words": "x", "unit_grid": "990101001001002"})
    nowhere = hand_in(token, {"source_ref": "n", "words": "x"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "place_missing")
    streets = dict(Report.objects.values_list("source_ref", "street__prefix"))
    assert streets == {"a": "LG", "c": "QG", "k": "QG", "g": "LG"}


def test_a_renewed_token_ends_the_old_one_and_keeps_the_references(work: Casework, token: str) -> None:
    first = hand_in(token, body(work.world))
    system = OutsideSystem.objects.get()
    page = work.world.client("xi").post(f"/systems/{system.pk}/renew")
    fresh = page.context["token"]
    assert page.content.decode().count(fresh) == 1
    assert ask(token, "cam-1").status_code == 401
    assert hand_in(fresh, body(work.world)).content == first.content


def test_a_token_may_call_so_often_a_minute(work: Casework, token: str, clock: MovableClock, monkeypatch: Any) -> None:
    monkeypatch.setattr(door, "CALLS_A_MINUTE", 3)
    assert [ask(token, "none").status_code for _ in range(4)] == [404, 404, 404, 429]
    answer = ask(token, "none")
    assert answer["Retry-After"] == str(answer.json()["facts"]["retry_after_seconds"])
    other = make_system(work.world, "另一台")[1]
    assert ask(other, "none").status_code == 404
    clock.move(minutes=1)
    assert ask(token, "none").status_code == 404


# -- the administrator's page ----------------------------------------------------------------------------------------


def test_the_administrator_makes_lists_and_revokes_a_system_and_the_token_is_shown_once(
    work: Casework, clock: MovableClock
) -> None:
    xi = work.world.client("xi")
    form = {"name": "  停车场  摄像头 ", "kind": "camera", "street": str(work.world.street.pk), "is_trusted": "on"}
    made = xi.post("/systems/", form)
    token = made.context["token"]
    assert (made.status_code, made["Cache-Control"]) == (200, "no-store")
    assert token in made.content.decode()
    system = OutsideSystem.objects.get()
    assert (system.name, system.is_trusted, system.made_by) == ("停车场 摄像头", True, work.world.xi.pk)
    assert token not in str(OutsideSystem.objects.values())
    listed = xi.get("/systems/").content.decode()
    assert "停车场 摄像头" in listed
    assert token not in listed
    assert xi.post("/systems/", form).status_code == 422
    assert ask(token, "x").status_code == 404
    assert xi.post(f"/systems/{system.pk}/revoke").status_code == 302
    assert ask(token, "x").status_code == 401
    assert xi.post(f"/systems/{system.pk}/revoke").status_code == 404
    actions = list(AuditEntry.objects.filter(object_kind="outside_system").order_by("pk").values_list("action", flat=True))
    assert actions == ["outside_system.made", "outside_system.revoked"]


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"name": "字" * 41}, {"kind": "spy"}, {"street": "999999"}, {"street": "x"}, {"name": "12345"}]
)
def test_a_system_that_does_not_fit_is_refused_on_the_same_page(
    work: Casework, clock: MovableClock, wrong: dict[str, str]
) -> None:
    form = {"name": "新", "kind": "hotline", "street": str(work.world.street.pk)} | wrong
    answer = work.world.client("xi").post("/systems/", form)
    assert answer.status_code == 422
    assert answer.context["refusal"].message in answer.content.decode()
    assert not OutsideSystem.objects.exists()


# -- what it costs ---------------------------------------------------------------------------------------------------


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [q["sql"] for q in captured.captured_queries if q["sql"].lstrip().startswith(WRITES)]


def test_a_report_takes_fourteen_statements_at_most_and_a_question_four(work: Casework, token: str) -> None:
    hand_in(token, body(work.world, "warm", type="0110"))
    given = body(work.world, type="0110", contact_name="周", contact_phone="13912345678")
    with CaptureQueriesContext(connection) as captured:
        assert hand_in(token, given, key="report-key-0000002").status_code == 201
    assert len(statements(captured)) <= 14, "\n".join(statements(captured))
    with CaptureQueriesContext(connection) as captured:
        assert ask(token, "cam-1").status_code == 200
    assert len(statements(captured)) <= 4, "\n".join(statements(captured))
