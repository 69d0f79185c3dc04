"""The loop by a program: what its token's owner may, once for a key, with the same refusals as on the pages."""

from __future__ import annotations

import pytest

from jiequ.cases.forms import FORMS
from jiequ.cases.models import Case, CaseEvent, Proof
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition
from tests.programs import program_of
from tests.statements import statements_of
from tests.support.pictures import photo_file


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


def test_a_case_goes_the_whole_way_by_programs(work: Casework) -> None:
    programs = {name: program_of(work.world, name) for name in ("lin", "huang", "wu", "chen")}
    lon, lat = work.world.point_in("a")
    opened = programs["lin"].post("/cases", {"words": "河边有一堆垃圾", "lon": lon, "lat": lat, "system": "cgcs2000"})
    assert opened.status_code == 201, opened.content.decode()
    number = opened.json()["number"]
    photo = programs["huang"].upload(photo_file())
    assert photo.status_code == 201, photo.content.decode()
    handle = photo.json()["picture"]
    way = [
        ("lin", "accept", {"condition_id": work.condition.pk}, "accepted"),
        ("lin", "dispatch", {"lead_id": work.sanitation, "assist_ids": [work.water]}, "dispatched"),
        ("huang", "acknowledge", {}, "handling"),
        ("huang", "handle", {"text": "已清运", "pictures": [handle]}, "handled"),
        ("wu", "confirm", {}, "checking"),
        ("chen", "check_pass", {}, "checking"),
        ("lin", "close", {"reply": "垃圾已清走"}, "closed"),
    ]
    version = opened.json()["version"]
    for who, move, body, state in way:
        done = programs[who].post(f"/cases/{number}/moves/{move}", {"version": version, **body})
        assert done.status_code == 200, (move, done.content.decode())
        assert done.json()["state"] == state
        version = done.json()["version"]
    told = programs["lin"].get(f"/cases/{number}").json()
    assert [event["move"] for event in told["timeline"]] == ["report", *(move for _who, move, _body, _state in way)]
    assert told["lead"]["name"] == "环卫站（所）"
    proof = next(one for one in told["proofs"] if one["picture"])
    picture = programs["huang"].get(proof["picture"].removeprefix("/api/v1"))
    assert picture["Content-Type"] == "image/jpeg"
    assert Proof.objects.filter(case__number=number, picture__isnull=False).count() == 1
    assert CaseEvent.objects.filter(case__number=number, move="close").get().by_name == "林晓"


def test_the_list_is_read_page_by_page_and_narrowed(work: Casework) -> None:
    numbers = [work.reported().case.number for _ in range(5)]
    accepted = work.accepted().number
    lin = program_of(work.world, "lin")
    first = lin.get("/cases?limit=4").json()
    second = lin.get(f"/cases?limit=4&cursor={first['next']}").json()
    assert [row["number"] for row in first["cases"] + second["cases"]] == [accepted, *numbers[::-1]]
    assert second["next"] is None
    assert [row["number"] for row in lin.get("/cases?state=accepted&type=0110&community=990101001001").json()["cases"]] == [
        accepted
    ]
    assert lin.get("/cases?colour=red").status_code == 422
    assert lin.get("/cases?state=lost").status_code == 422


def test_a_stale_version_is_refused_and_changes_nothing(work: Casework) -> None:
    case = work.just_reported()
    lin, body = program_of(work.world, "lin"), {"version": case.version, "condition_id": work.condition.pk}
    assert lin.post(f"/cases/{case.number}/moves/accept", body).status_code == 200
    again = lin.post(f"/cases/{case.number}/moves/correct", {"version": case.version, "title": "新题"})
    assert (again.status_code, again.json()["code"]) == (409, "stale")
    assert again.json()["facts"] == {"version": case.version + 1}
    assert Case.objects.get(pk=case.pk).title != "新题"


def test_the_acceptor_s_program_says_when_it_happened_and_reads_it_back(work: Casework) -> None:
    case = work.just_reported()
    lin = program_of(work.world, "lin")
    body = {"version": case.version, "condition_id": work.condition.pk, "happened_from": "2026-03-03T20:00:00+08:00"}
    wrong = lin.post(f"/cases/{case.number}/moves/accept", body | {"happened_until": "2026-03-03T19:00:00+08:00"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "bad_time")
    done = lin.post(f"/cases/{case.number}/moves/accept", body | {"happened_until": "2026-03-03T22:30:00+08:00"})
    assert done.status_code == 200
    told = lin.get(f"/cases/{case.number}").json()
    assert (told["happened_from"], told["happened_until"]) == ("2026-03-03T12:00:00Z", "2026-03-03T14:30:00Z")


def test_a_move_needs_the_version_that_was_read(work: Casework) -> None:
    case = work.just_reported()
    answer = program_of(work.world, "lin").post(f"/cases/{case.number}/moves/accept", {"condition_id": work.condition.pk})
    assert (answer.status_code, list(answer.json()["facts"]["fields"])) == (422, ["version"])


def test_what_a_correction_leaves_out_stays(work: Casework) -> None:
    case = work.reported(is_urgent=True).case
    done = program_of(work.world, "lin").post(
        f"/cases/{case.number}/moves/correct", {"version": case.version, "condition_id": work.condition.pk}
    )
    assert done.status_code == 200, done.content.decode()
    now = Case.objects.get(pk=case.pk)
    assert (now.is_urgent, now.title, now.condition_id) == (True, case.title, work.condition.pk)
    done = program_of(work.world, "lin").post(
        f"/cases/{case.number}/moves/correct", {"version": now.version, "is_urgent": False, "title": "河边垃圾"}
    )
    assert done.status_code == 200, done.content.decode()
    assert Case.objects.values_list("is_urgent", "title").get(pk=case.pk) == (False, "河边垃圾")


def test_a_hidden_case_and_a_missing_one_are_told_alike_and_a_visible_one_may_be_forbidden(work: Casework) -> None:
    case = work.accepted()
    wai, huang = program_of(work.world, "wai"), program_of(work.world, "huang")
    hidden, missing = wai.get(f"/cases/{case.number}"), wai.get("/cases/LG-2026-999999")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    case = work.dispatched()
    refused = huang.post(f"/cases/{case.number}/moves/close", {"version": 1, "reply": "好"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_move")


def test_taking_back_within_ten_seconds(work: Casework, clock: MovableClock) -> None:
    case = work.just_reported()
    lin = program_of(work.world, "lin")
    done = lin.post(f"/cases/{case.number}/moves/accept", {"version": 1, "condition_id": work.condition.pk}).json()
    assert done["undo_until"] == "2026-03-04T02:00:10Z"
    assert program_of(work.world, "huang").post(f"/undo/{done['event']}").status_code == 404
    back = lin.post(f"/undo/{done['event']}")
    assert (back.status_code, back.json()["state"]) == (200, "reported")


def test_to_dos_types_departments_and_grids(work: Casework) -> None:
    case = work.dispatched()
    huang = program_of(work.world, "huang")
    assert [one["case"]["number"] for one in huang.get("/tasks").json()["tasks"]] == [case.number]
    assert [one["code"] for one in huang.get("/types").json()["types"]] == ["0110"]
    keys = {one["key"] for one in huang.get("/departments").json()["departments"]}
    assert {"hw", "sw", "jt"} <= keys
    assert {one["street"] for one in huang.get("/departments").json()["departments"]} == {"990101001", None}
    grids = huang.get("/grids?street=990101001").json()
    assert {one["properties"]["code"] for one in grids["features"]} == {"990101001001001", "990101001001002"}
    assert huang.get("/grids?street=990101002").content == huang.get("/grids?street=990101999").content


def test_another_voice_and_a_rating_by_phone(work: Casework) -> None:
    lin = program_of(work.world, "lin")
    case = work.just_reported()
    voice = lin.post(f"/cases/{case.number}/me-too", {"words": "我也看到", "contact_phone": "13900001234"})
    assert voice.status_code == 201, voice.content.decode()
    assert Case.objects.get(pk=case.pk).voices == 2
    closed = work.closed()
    report = closed.reports.get().pk
    body = {"is_solved": True, "satisfaction": 5, "text": "好"}
    rated = lin.post(f"/cases/{closed.number}/reports/{report}/rating", body)
    assert rated.status_code == 200, rated.content.decode()
    assert lin.post(f"/cases/{case.number}/reports/{report}/rating", body).status_code == 404


def test_anothers_photo_is_no_photo(work: Casework) -> None:
    handle = program_of(work.world, "lin").upload(photo_file()).json()["picture"]
    case = work.handling()
    huang = program_of(work.world, "huang")
    for given in (handle, "x" * 40, handle[:-2] + "aa"):
        answer = huang.post(f"/cases/{case.number}/moves/handle", {"version": case.version, "pictures": [given]})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_picture")


def test_a_phone_in_the_place_is_told_to_the_desk_only_and_in_no_list(work: Casework) -> None:
    case = work.handling()
    Case.objects.filter(pk=case.pk).update(address="桥头，电话13912345678", title="找 13912345678")
    for who, sees in (("lin", True), ("huang", False)):
        told = program_of(work.world, who)
        whole = told.get(f"/cases/{case.number}").json()
        assert ("13912345678" in whole["address"], "13912345678" in whole["title"]) == (sees, sees)
        rows = told.get("/cases").json()["cases"]
        assert case.number in {row["number"] for row in rows}
        assert "13912345678" not in str(rows)
    assert "13912345678" not in str(program_of(work.world, "huang").get("/tasks").json())


def test_statements_stay_within_the_budget(work: Casework) -> None:
    lin, huang = program_of(work.world, "lin"), program_of(work.world, "huang")
    case = work.handling()
    lin.get("/types"), lin.get(f"/cases/{case.number}")
    assert len(statements_of(lambda: lin.get(f"/cases/{case.number}"))) <= 8
    assert len(statements_of(lambda: lin.get("/cases?limit=50"))) <= 6
    other = work.just_reported()
    accept = {"version": 1, "condition_id": work.condition.pk}
    made = statements_of(lambda: lin.post(f"/cases/{other.number}/moves/accept", accept, key="accept-key-0000001"))
    assert len(made) <= 14, made
    dispatch = {"version": 2, "lead_id": work.sanitation}
    made = statements_of(lambda: lin.post(f"/cases/{other.number}/moves/dispatch", dispatch, key="accept-key-0000002"))
    assert len(made) <= 14, made
    made = statements_of(
        lambda: huang.post(f"/cases/{other.number}/moves/acknowledge", {"version": 3}, key="accept-key-0000003")
    )
    assert len(made) <= 14, made


def test_every_move_of_the_pages_is_a_move_of_the_api(work: Casework) -> None:
    lin = program_of(work.world, "lin")
    for name in FORMS:
        answer = lin.post(f"/cases/LG-2026-999999/moves/{name}", {"nobody_knows": 1})
        assert answer.status_code == 422, name
        assert "nobody_knows" in answer.json()["facts"]["fields"], name
    assert lin.post("/cases/LG-2026-999999/moves/reveal", {}).status_code == 404
