"""A program's token: allowed by 系, drawn by its owner, worth what its owner's roles are worth at that moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jiequ.cases.api import door
from jiequ.cases.models import Case
from jiequ.core.models import AuditEntry
from jiequ.people import services
from jiequ.people.models import ApiToken, Person, Post
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_condition
from tests.programs import EVERY_SCOPE, Program, program_of

FORM = {"name": "巡查程序", "owner": "lin", "scopes": ["cases:read", "cases:move"], "days": "30", "street": ""}


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


def owner(world: World, name: str) -> str:
    return world.people[name].username


def test_the_administrator_allows_and_the_owner_draws_once(work: Casework) -> None:
    world = work.world
    xi, lin = world.client("xi"), world.client("lin")
    made = xi.post("/tokens", FORM | {"owner": owner(world, "lin")}, follow=True)
    assert "等本人取出" in made.content.decode()
    token = ApiToken.objects.get()
    assert (token.token_hash, token.last4, token.scopes) == ("", "", ["cases:read", "cases:move"])
    drawn = lin.post(f"/me/tokens/{token.pk}/draw").content.decode()
    secret = drawn.split("jq_", 1)[1].split("<", 1)[0].strip()
    program = Program(f"jq_{secret}")
    assert program.get("/cases").status_code == 200
    token.refresh_from_db()
    assert f"jq_{secret}"[-4:] == token.last4
    assert secret not in str(ApiToken.objects.values())
    for page in (xi.get("/tokens"), lin.get("/me/tokens")):
        assert token.last4 in page.content.decode()
        assert secret not in page.content.decode()
    assert list(AuditEntry.objects.filter(action__startswith="api_key").values_list("action", "person_id")) == [
        ("api_key.allowed", world.xi.pk),
        ("api_key.drawn", world.lin.pk),
    ]


def test_nobody_else_draws_it_not_even_the_administrator(work: Casework) -> None:
    world = work.world
    token = services.allow_token(
        name="x", person_id=world.lin.pk, scopes=["cases:read"], street_id=None, days=3, by=world.actor("xi"), at=NOW
    )
    for name in ("xi", "he", "huang", "an", "wai"):
        assert world.client(name).post(f"/me/tokens/{token.pk}/draw").status_code == 404, name
        assert world.client(name).post(f"/me/tokens/{token.pk}/revoke").status_code == (302 if name == "xi" else 404), name
        ApiToken.objects.filter(pk=token.pk).update(revoked_at=None)
    assert ApiToken.objects.get().token_hash == ""


@pytest.mark.parametrize("name", ["xi", "an", "shen"])
def test_no_administrator_has_one(work: Casework, name: str) -> None:
    answer = work.world.client("xi").post("/tokens", FORM | {"owner": owner(work.world, name)})
    assert answer.status_code == 404
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "x" * 41), ("scopes", []), ("scopes", ["all"]), ("scopes", ["cases:read", "admin"]),
     ("days", "0"), ("days", "367"), ("days", ""), ("street", "999999"), ("owner", "nobody")],
)  # fmt: skip
def test_a_form_that_does_not_fit_is_refused(work: Casework, field: str, value: object) -> None:
    answer = work.world.client("xi").post("/tokens", FORM | {"owner": owner(work.world, "lin")} | {field: value})
    assert answer.status_code in {404, 422}
    assert not ApiToken.objects.exists()


def test_drawing_renewing_and_revoking_end_the_key_before(work: Casework) -> None:
    world = work.world
    first = program_of(world, "lin")
    _token, secret = services.draw_token(token_id=first.token_id, by=world.actor("lin"), at=NOW)
    second = Program(secret, first.token_id)
    assert (first.get("/cases").status_code, second.get("/cases").status_code) == (401, 200)
    world.client("xi").post(f"/tokens/{first.token_id}/renew")
    assert second.get("/cases").status_code == 401
    _token, secret = services.draw_token(token_id=first.token_id, by=world.actor("lin"), at=NOW)
    third = Program(secret, first.token_id)
    assert third.get("/cases").status_code == 200
    world.client("lin").post(f"/me/tokens/{first.token_id}/revoke")
    assert third.get("/cases").status_code == 401
    assert world.client("lin").post(f"/me/tokens/{first.token_id}/draw").status_code == 404


def test_it_ends_on_its_day(work: Casework, clock: MovableClock) -> None:
    program = program_of(work.world, "lin", days=2)
    clock.at = NOW + timedelta(days=2, seconds=-1)
    assert program.get("/cases").status_code == 200
    clock.at = NOW + timedelta(days=2)
    assert program.get("/cases").status_code == 401


def test_it_does_what_its_owners_roles_allow_now(work: Casework) -> None:
    case = work.just_reported()
    program = program_of(work.world, "lin")
    accept = {"version": case.version, "condition_id": work.condition.pk}
    Post.objects.filter(person=work.world.lin, role="acceptor").update(ends_on=NOW.date())
    refused = program.post(f"/cases/{case.number}/moves/accept", accept)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_move")
    Post.objects.filter(person=work.world.lin).update(ends_on=NOW.date())
    assert program.get(f"/cases/{case.number}").status_code == 404
    assert program.get("/cases").json()["cases"] == []


def test_a_disabled_owner_is_let_in_no_more(work: Casework) -> None:
    program = program_of(work.world, "huang")
    assert program.get("/tasks").status_code == 200
    Person.objects.filter(pk=work.world.huang.pk).update(is_active=False, disabled_at=NOW)
    assert program.get("/tasks").status_code == 401


def test_a_token_bound_to_a_street_ends_at_its_border(work: Casework) -> None:
    """督 sees every street; the program with 督's token sees one."""
    world = work.world
    here = work.just_reported()
    account = work.account(place=work.place("c"))
    from jiequ.cases import services as cases

    there = cases.report_case(street_id=world.other_street.pk, account=account, by=work.actor("zhou"), at=NOW).case
    free, bound = program_of(world, "du"), program_of(world, "du", street_id=world.street.pk)
    assert {row["number"] for row in free.get("/cases").json()["cases"]} == {here.number, there.number}
    assert {row["number"] for row in bound.get("/cases").json()["cases"]} == {here.number}
    assert free.get(f"/cases/{there.number}").status_code == 200
    for narrowing in (f"street={world.other_street.code9}", "state=reported", "light=green", "community=990101002001"):
        both = [one.get(f"/cases?{narrowing}").json()["cases"] for one in (free, bound)]
        found, kept = [{row["number"] for row in rows} for rows in both]
        assert there.number in found, narrowing
        assert kept == found - {there.number}, narrowing
    assert bound.get(f"/cases/{there.number}").content == bound.get("/cases/QG-2026-999999").content
    assert [one["code"] for one in bound.get("/streets").json()["streets"]] == [world.street.code9]
    note = {"text": "看过"}
    assert free.post(f"/cases/{there.number}/moves/note", note).status_code == 200
    assert bound.post(f"/cases/{there.number}/moves/note", note).status_code == 404
    assert bound.post(f"/cases/{here.number}/moves/note", note).status_code == 200


def test_a_bureaus_bound_token_ends_at_the_border_too(work: Casework) -> None:
    """A bureau's seat is in no street: what it was called for in another is hidden from the bound token."""
    from jiequ.cases import services as cases

    world, case = work.world, work.handling()
    cases.call_bureau(work.fresh(case, "he"), department_id=world.traffic.pk, question="?", by=work.actor("he"), at=NOW)
    inside = program_of(world, "qu", street_id=world.street.pk)
    outside = program_of(world, "qu", street_id=world.other_street.pk)
    assert (inside.get(f"/cases/{case.number}").status_code, len(inside.get("/tasks").json()["tasks"])) == (200, 1)
    assert (outside.get(f"/cases/{case.number}").status_code, outside.get("/tasks").json()["tasks"]) == (404, [])
    assert [row["number"] for row in inside.get("/cases").json()["cases"]] == [case.number]
    assert outside.get("/cases").json()["cases"] == []
    assert outside.post(f"/cases/{case.number}/moves/acknowledge_call", {}).status_code == 404
    assert inside.post(f"/cases/{case.number}/moves/acknowledge_call", {}).status_code == 200


def test_a_bound_token_reports_into_its_street_only(work: Casework) -> None:
    world = work.world
    program = program_of(world, "lin", street_id=world.street.pk)
    lon, lat = world.point_in("c")
    refused = program.post("/cases", {"words": "积水", "lon": lon, "lat": lat, "system": "cgcs2000"})
    assert refused.status_code == 403
    assert not Case.objects.exists()
    assert program.post("/cases", {"words": "积水"}).status_code == 201
    assert Case.objects.get().street_id == world.street.pk


def test_a_deputys_program_does_not_borrow_a_seat_that_needs_the_second_factor(work: Casework) -> None:
    world = work.world
    services.set_leave(
        person_id=world.lin.pk, deputy_id=world.huang.pk, starts_at=NOW, ends_at=NOW + timedelta(days=1),
        by=world.actor("xi"), at=NOW,
    )  # fmt: skip
    case = work.just_reported()
    assert program_of(world, "huang").get(f"/cases/{case.number}").status_code == 404


def test_a_token_may_call_so_often_a_minute(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TOKEN_CALLS_A_MINUTE", 3)
    program, other = program_of(work.world, "lin"), program_of(work.world, "he")
    assert [program.get("/tasks").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert program.get("/tasks")["Retry-After"] == "20"
    assert other.get("/tasks").status_code == 200


def test_the_scopes_are_these(work: Casework) -> None:
    assert EVERY_SCOPE == ("cases:read", "cases:move", "reports:write", "reference:read", "open311")
