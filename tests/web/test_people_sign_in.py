"""Signing in: what lets a person in, what slows a guesser down, and what ends a session (RELIABILITY rows 24 and 25)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from jiequ.core import throttle
from jiequ.core.models import AuditEntry
from jiequ.people import entry
from jiequ.people.models import Device, Person, Session
from jiequ.people.rules import Actor, Role, Seat
from jiequ.people.services import credentials, end_sessions, give_post, make_reset_code, unlock
from tests.actors import PASSWORD, MovableClock, World, client_of

SYSTEM_ADMIN = Actor(person_id=None, seats=frozenset({Seat(Role.SYSTEM_ADMIN)}))


def try_in(client: Client, login: str, password: str = PASSWORD, address: str = "203.0.113.7", **more: str) -> HttpResponse:
    return client.post("/sign-in", {"login": login, "password": password, **more}, REMOTE_ADDR=address)


def is_in(client: Client) -> bool:
    return client.get("/me").status_code == 200


@pytest.mark.parametrize("login", ["chen", " Chen ", "13800000002"])
def test_a_grid_worker_enters_by_user_name_or_phone(world: World, clock: MovableClock, login: str) -> None:
    client = Client()
    assert try_in(client, login, next="/me/leave")["Location"] == "/me/leave"
    assert is_in(client)
    assert AuditEntry.objects.filter(action="person.signed_in", person_id=world.chen.pk).count() == 1


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\nb"])
def test_signing_in_leads_nowhere_else(world: World, clock: MovableClock, next_path: str) -> None:
    assert try_in(Client(), "chen", next=next_path)["Location"] == "/"


def test_wrong_password_unknown_name_and_disabled_account_are_told_alike(world: World, clock: MovableClock) -> None:
    Person.objects.filter(pk=world.liu.pk).update(is_active=False, disabled_at=clock.at)
    answers = [
        try_in(Client(), "chen", "not-the-password"),
        try_in(Client(), "nobody"),
        try_in(Client(), "liu"),
        try_in(Client(), ""),
    ]
    sentences = {answer.context["refusal"].message for answer in answers}
    assert {answer.status_code for answer in answers} == {422}
    assert len(sentences) == 1
    assert not Session.objects.exists()


def test_an_unknown_name_costs_a_hash_like_a_known_one(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    check, make = credentials.hashers.check_password, credentials.hashers.make_password
    monkeypatch.setattr(credentials.hashers, "check_password", lambda *a, **k: done.append("hash") or check(*a, **k))
    try_in(Client(), "chen", "not-the-password")
    known = len(done)
    try_in(Client(), "nobody", "not-the-password")
    assert known == 1
    assert len(done) == 2
    assert make(None).startswith("!")  # and an unusable password is hashed by check_password all the same


def guesses_let_through(monkeypatch: pytest.MonkeyPatch, addresses: list[str], count: int) -> int:
    """How many of ``count`` wrong guesses at 陈's account reach the password."""
    seen: list[str] = []
    check = credentials.hashers.check_password
    monkeypatch.setattr(credentials.hashers, "check_password", lambda *a, **k: seen.append("try") or check(*a, **k))
    client = Client()
    for n in range(count):
        try_in(client, "chen", f"guess-{n}", address=addresses[n % len(addresses)])
    return len(seen)


@pytest.mark.parametrize("addresses", [["203.0.113.7"], [f"198.51.100.{n}" for n in range(100)]])
def test_guessing_is_slow_from_one_address_and_from_a_hundred(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    passed = 0
    for _ten_minutes in range(6):  # one hour, guesses all along
        passed += guesses_let_through(monkeypatch, addresses, 40)
        clock.move(minutes=10)
        monkeypatch.undo()
        monkeypatch.setattr("jiequ.core.clock.now", clock.now)
    assert 8 <= passed <= 20


def test_without_the_throttle_every_guess_would_pass(
    world: World, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: the test above can fail."""
    monkeypatch.setattr(throttle, "take", lambda *_a, **_k: None)
    assert guesses_let_through(monkeypatch, ["203.0.113.7"], 60) == 60


def test_a_forged_forwarded_address_changes_nothing(world: World, clock: MovableClock) -> None:
    client, statuses = Client(), []
    for n in range(30):
        data = {"login": "chen", "password": "wrong"}
        answer = client.post("/sign-in", data, REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}")
        statuses.append(answer.status_code)
    assert statuses.count(422) == 8
    assert statuses.count(429) == 22


def test_the_right_owner_still_gets_in_from_a_known_device(world: World, clock: MovableClock) -> None:
    own, guesser = Client(), Client()
    assert try_in(own, "chen").status_code == 302
    own.post("/sign-out")
    for n in range(40):
        try_in(guesser, "chen", f"guess-{n}")
        try_in(guesser, "13800000002", f"guess-{n}")
    assert try_in(guesser, "chen").status_code == 429
    assert "Retry-After" in try_in(guesser, "chen")
    assert try_in(own, "chen").status_code == 302
    assert is_in(own)


def test_the_security_administrator_lifts_the_limit(world: World, clock: MovableClock) -> None:
    client = Client()
    for n in range(12):
        try_in(client, "chen", f"guess-{n}")
    assert try_in(client, "chen").status_code == 429
    unlock(person_id=world.chen.pk, by=world.actor("an"), at=clock.at)
    assert try_in(client, "chen").status_code == 302


def test_the_key_is_another_after_signing_in_and_the_old_one_is_worth_nothing(world: World, clock: MovableClock) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "planted0planted0planted0planted0"
    try_in(client, "chen")
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert key != "planted0planted0planted0planted0"
    planted = Client()
    planted.cookies[settings.SESSION_COOKIE_NAME] = "planted0planted0planted0planted0"
    assert not is_in(planted)
    assert not Session.objects.filter(pk=key).exists()  # the table knows a hash only


def signed_out(client: Client, world: World, clock: MovableClock) -> None:
    client.post("/sign-out")


def changed_password(client: Client, world: World, clock: MovableClock) -> None:
    other = client_of(world.chen)
    form = {"old": PASSWORD, "new": "another-river-59", "again": "another-river-59"}
    assert other.post("/me/password", form).status_code == 302
    assert is_in(other)  # the one who changed it goes on


def was_disabled(client: Client, world: World, clock: MovableClock) -> None:
    xi = world.client("xi")
    assert xi.post(f"/people/{world.chen.pk}/active", {"active": "0"}).status_code == 422  # a grid is still 陈's
    assert xi.post(f"/people/{world.chen.pk}/hand-over", {"to": world.liu.pk}).status_code == 302
    assert xi.post(f"/people/{world.chen.pk}/active", {"active": "0"}).status_code == 302


def ended_from_elsewhere(client: Client, world: World, clock: MovableClock) -> None:
    key_hash = Session.objects.get(person=world.chen).pk
    other = client_of(world.chen)
    assert other.post("/me/sessions", {"session": key_hash}).status_code == 302
    assert is_in(other)


def ended_everywhere(client: Client, world: World, clock: MovableClock) -> None:
    client_of(world.chen).post("/me/sessions", {"what": "all"})


def ended_by_security(client: Client, world: World, clock: MovableClock) -> None:
    assert world.client("an").post(f"/security/{world.chen.pk}/end-sessions").status_code == 302


def used_a_reset_code(client: Client, world: World, clock: MovableClock) -> None:
    code = make_reset_code(person_id=world.chen.pk, by=world.actor("an"), at=clock.at)
    form = {"login": "chen", "code": code, "new": "another-river-59", "again": "another-river-59"}
    assert Client().post("/sign-in/reset", form).status_code == 302


def was_given_a_desk(client: Client, world: World, clock: MovableClock) -> None:
    give_post(person_id=world.chen.pk, role=Role.DISPATCHER, street_id=world.street.pk, by=SYSTEM_ADMIN, at=clock.at)


@pytest.mark.parametrize(
    "end",
    [
        signed_out,
        changed_password,
        was_disabled,
        ended_from_elsewhere,
        ended_everywhere,
        ended_by_security,
        used_a_reset_code,
        was_given_a_desk,
    ],
)
def test_an_old_cookie_answers_nothing_after(world: World, clock: MovableClock, end: object) -> None:
    client = Client()
    assert try_in(client, "chen", stays="1").status_code == 302
    stolen = Client()
    stolen.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_in(stolen)
    end(client, world, clock)  # type: ignore[operator]
    answers = [stolen.get(path).status_code for path in ("/me", "/me/leave", "/rota", "/me/sessions")]
    assert answers == [302] * 4


def test_a_password_changed_behind_our_back_ends_the_session_too(world: World, clock: MovableClock) -> None:
    client = world.client("chen")
    assert is_in(client)
    Person.objects.filter(pk=world.chen.pk).update(password="!")
    assert not is_in(client)


def test_a_desk_session_ends_after_two_idle_hours(world: World, clock: MovableClock) -> None:
    client = client_of(world.lin)
    for _half_hours in range(6):
        clock.move(minutes=30)
        assert is_in(client)
    clock.move(hours=2, seconds=1)
    assert not is_in(client)


def test_a_desk_session_ends_after_twelve_hours_however_busy(world: World, clock: MovableClock) -> None:
    client, hours = client_of(world.lin), 0.0
    while is_in(client):
        clock.move(minutes=30)
        hours += 0.5
        assert hours < 20
    assert hours == 12


def test_a_session_is_written_at_most_every_five_minutes(
    world: World, clock: MovableClock, django_assert_num_queries: object
) -> None:
    client = client_of(world.chen)
    client.get("/me/sessions")
    before = Session.objects.get().idle_end_at
    for _request in range(4):
        clock.move(minutes=1)
        client.get("/me/sessions")
    assert Session.objects.get().idle_end_at == before
    clock.move(minutes=2)
    client.get("/me/sessions")
    assert Session.objects.get().idle_end_at == before + timedelta(minutes=6)


def test_a_trusted_staff_phone_enters_again_by_itself_for_ninety_days(world: World, clock: MovableClock) -> None:
    client = Client()
    assert try_in(client, "chen", stays="1").status_code == 302
    clock.move(days=89)
    assert is_in(client)
    clock.move(days=2)
    assert not is_in(client)


def test_a_post_from_an_open_page_survives_the_expiry_of_a_trusted_phone(world: World, clock: MovableClock) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/sign-in")
    token = client.cookies["csrftoken"].value
    assert page.status_code == 200
    try_in(client, "chen", stays="1", csrfmiddlewaretoken=token)
    client.get("/me")
    token = client.cookies["csrftoken"].value
    clock.move(days=3)
    answer = client.post("/me", {"language": "en", "csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert answer["Location"] == "/me"
    assert Person.objects.get(pk=world.chen.pk).language == "en"


def test_a_phone_that_was_not_trusted_asks_again(world: World, clock: MovableClock) -> None:
    client = Client()
    try_in(client, "chen")
    clock.move(days=2)
    assert not is_in(client)


def test_signing_out_is_final_even_on_a_trusted_phone(world: World, clock: MovableClock) -> None:
    client = Client()
    try_in(client, "chen", stays="1")
    client.post("/sign-out")
    assert not is_in(client)


def test_the_last_owner_of_a_shared_phone_is_the_one_it_lets_in(world: World, clock: MovableClock) -> None:
    client = Client()
    try_in(client, "chen", stays="1")
    client.post("/sign-out")
    try_in(client, "liu", stays="1")
    clock.move(days=2)
    assert "刘洋" in client.get("/me").content.decode()
    assert Device.objects.filter(stays_signed_in=True).count() == 1


def test_a_desk_is_never_let_in_by_its_device(world: World, clock: MovableClock, settings: object) -> None:
    settings.DEMO = True  # type: ignore[attr-defined]
    client = Client()
    try_in(client, "lin", stays="1")
    assert is_in(client)
    clock.move(hours=13)
    assert not is_in(client)


def test_one_click_per_role_exists_in_the_demo_only(world: World, clock: MovableClock, settings: object) -> None:
    assert Client().post("/sign-in/demo", {"person": world.he.pk}).status_code == 404
    assert "/sign-in/demo" not in Client().get("/sign-in").content.decode()
    settings.DEMO = True  # type: ignore[attr-defined]
    assert Client().get("/sign-in").content.decode().count('name="person"') == 13
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in")
    assert client.post("/sign-in/demo", {"person": world.he.pk}).status_code == 403
    token = client.cookies["csrftoken"].value
    form = {"person": world.he.pk, "csrfmiddlewaretoken": token}
    assert client.post("/sign-in/demo", form).status_code == 302
    assert "何平" in client.get("/me").content.decode()
    assert Client().post("/sign-in/demo", {"person": 10**12}).status_code == 404


def test_reset_codes_are_good_once_for_half_an_hour_and_not_for_guessing(world: World, clock: MovableClock) -> None:
    by = world.actor("an")
    form = {"login": "chen", "new": "another-river-59", "again": "another-river-59"}
    old = make_reset_code(person_id=world.chen.pk, by=by, at=clock.at)
    code = make_reset_code(person_id=world.chen.pk, by=by, at=clock.at)
    assert Client().post("/sign-in/reset", {**form, "code": old}).status_code == 422  # a newer one ends the older
    weak = {**form, "code": code, "new": "password1234", "again": "password1234"}
    assert Client().post("/sign-in/reset", weak).status_code == 422
    assert Client().post("/sign-in/reset", {**form, "code": code.lower()}).status_code == 302
    assert Client().post("/sign-in/reset", {**form, "code": code}).status_code == 422
    late = make_reset_code(person_id=world.liu.pk, by=by, at=clock.at)
    clock.move(minutes=30)
    assert Client().post("/sign-in/reset", {**form, "login": "liu", "code": late}).status_code == 422
    statuses = [Client().post("/sign-in/reset", {**form, "code": "AAAA"}).status_code for _n in range(12)]
    assert statuses.count(429) >= 6


def test_the_security_page_shows_a_code_that_works(world: World, clock: MovableClock) -> None:
    page = world.client("an").post(f"/security/{world.chen.pk}/reset-code")
    assert page["Cache-Control"] == "private, no-store"
    code = page.context["code"]
    form = {"login": "chen", "code": code, "new": "another-river-59", "again": "another-river-59"}
    assert Client().post("/sign-in/reset", form).status_code == 302
    assert code not in str(list(AuditEntry.objects.values_list("facts", flat=True)))


def test_no_administrator_can_take_over_another(world: World, clock: MovableClock) -> None:
    an = world.client("an")
    for name in ("xi", "shen"):
        for act in ("reset-code", "second-factor"):
            assert an.post(f"/security/{world.people[name].pk}/{act}").status_code == 403
    assert make_reset_code(person_id=world.xi.pk, by=Actor.system(), at=clock.at)


@pytest.mark.parametrize("word", ["short", "password1234", "1234567890"])
def test_short_and_common_passwords_are_refused(world: World, clock: MovableClock, word: str) -> None:
    client = world.client("chen")
    assert client.post("/me/password", {"old": PASSWORD, "new": word, "again": word}).status_code == 422
    assert is_in(client)


def test_reading_a_page_takes_two_statements_to_know_the_reader(
    world: World, clock: MovableClock, django_assert_num_queries: object
) -> None:
    client = client_of(world.lin)
    client.get("/me/password")  # the house is remembered
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert client.get("/me/password").status_code == 200


def test_labels_of_devices_are_plain() -> None:
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Mobile MicroMessenger/8.0"
    assert entry.device_label(iphone) == "iPhone · WeChat"
    assert entry.device_label("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537") == "Windows · Chrome"
    assert entry.device_label("<script>") == "?"


def test_ending_sessions_of_others_is_the_security_administrators(world: World, clock: MovableClock) -> None:
    from jiequ.core.errors import Forbidden

    with pytest.raises(Forbidden):
        end_sessions(person_id=world.chen.pk, by=world.actor("xi"), at=clock.at)


def test_outside_the_tests_passwords_are_hashed_by_scrypt() -> None:
    from jiequ.web import settings as as_written

    assert as_written.PASSWORD_HASHERS == ["django.contrib.auth.hashers.ScryptPasswordHasher"]


def test_signing_in_takes_few_statements(
    world: World, clock: MovableClock, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    """Two throttles, the person, the roles twice, audit, device, session; savepoints counted too."""
    with django_assert_max_num_queries(14):
        assert try_in(Client(), "chen").status_code == 302
