"""The second factor of desk roles and administrators (RFC 6238), and the spare codes."""

from __future__ import annotations

import hmac
import re
import struct
from base64 import b32decode
from datetime import UTC, datetime

import pytest
from django.test import Client

from jiequ.core.errors import Refusal, Throttled
from jiequ.people.models import Person, RecoveryCode, Session
from jiequ.people.services import check_second_factor, confirm_second_factor, reset_second_factor
from jiequ.people.services.second_factor import _matching_step
from tests.actors import PASSWORD, MovableClock, World, client_of


def code_of(secret: str, at: datetime) -> str:
    """RFC 6238 written out, apart from the code under test."""
    mac = hmac.new(b32decode(secret.replace(" ", "")), struct.pack(">Q", int(at.timestamp()) // 30), "sha1").digest()
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


@pytest.mark.parametrize(
    ("moment", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")]
)
def test_the_codes_are_those_of_the_standards_table(moment: int, code: str) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238 appendix B, the ASCII of 12345678901234567890
    assert _matching_step(secret, code, datetime.fromtimestamp(moment, UTC)) == moment // 30


def first_sign_in(client: Client, login: str) -> str:
    """Password, then the set-up page; returns the secret it shows."""
    answer = client.post("/sign-in", {"login": login, "password": PASSWORD})
    assert answer["Location"] == "/sign-in/set-up"
    page = client.get("/sign-in/set-up")
    assert "<svg" in page.content.decode()
    return str(page.context["secret"])


@pytest.mark.parametrize("login", ["lin", "he", "qu", "xi", "an", "shen"])
def test_who_sits_at_a_desk_or_administers_sets_up_a_second_factor_first(world: World, clock: MovableClock, login: str) -> None:
    client = Client()
    secret = first_sign_in(client, login)
    assert client.get("/me").status_code == 302
    assert client.post("/sign-in/set-up", {"code": "000000"}).status_code == 422
    shown = client.post("/sign-in/set-up", {"code": code_of(secret, clock.at)})
    assert len(shown.context["codes"]) == 10
    assert client.get("/me").status_code == 200
    stored = Person.objects.get(username=login)
    assert stored.totp_sealed
    assert secret.replace(" ", "") not in stored.totp_sealed


@pytest.mark.parametrize("login", ["chen", "huang", "wu", "ding"])
def test_who_works_outdoors_needs_none(world: World, clock: MovableClock, login: str) -> None:
    client = Client()
    assert client.post("/sign-in", {"login": login, "password": PASSWORD})["Location"] == "/"
    assert client.get("/me").status_code == 200


def enrolled(world: World, clock: MovableClock) -> tuple[str, list[str]]:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    codes = confirm_second_factor(person_id=world.lin.pk, secret=secret, code=code_of(secret, clock.at), at=clock.at)
    world.lin.refresh_from_db()
    return secret, codes


def waiting_for_code(clock: MovableClock) -> Client:
    client = Client()
    assert client.post("/sign-in", {"login": "lin", "password": PASSWORD})["Location"] == "/sign-in/code"
    return client


def test_each_code_works_once_and_a_spare_code_once(world: World, clock: MovableClock) -> None:
    secret, codes = enrolled(world, clock)
    clock.move(seconds=30)
    code = code_of(secret, clock.at)
    client = waiting_for_code(clock)
    assert client.post("/sign-in/code", {"code": code}).status_code == 302
    assert client.get("/me").status_code == 200
    again = waiting_for_code(clock)
    assert again.post("/sign-in/code", {"code": code}).status_code == 422
    assert again.post("/sign-in/code", {"code": codes[0].lower()}).status_code == 302
    third = waiting_for_code(clock)
    assert third.post("/sign-in/code", {"code": codes[0]}).status_code == 422
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_the_password_alone_opens_nothing(world: World, clock: MovableClock) -> None:
    enrolled(world, clock)
    client = waiting_for_code(clock)
    assert [client.get(path).status_code for path in ("/me", "/people", "/rota", "/me/sessions")] == [302] * 4
    assert Session.objects.exclude(person=None).count() == 0
    clock.move(minutes=11)
    assert client.get("/sign-in/code")["Location"] == "/sign-in"


def test_a_session_without_the_second_factor_does_not_carry_a_desk(world: World, clock: MovableClock) -> None:
    weak = client_of(world.lin, is_strong=False)
    assert weak.get("/me").status_code == 302
    assert weak.get("/sign-in").status_code == 200
    assert client_of(world.lin).get("/me").status_code == 200


def test_guessing_six_digits_is_slow(world: World, clock: MovableClock) -> None:
    enrolled(world, clock)
    client = waiting_for_code(clock)
    statuses = [client.post("/sign-in/code", {"code": f"{n:06d}"}).status_code for n in range(30)]
    assert statuses.count(422) <= 10
    assert statuses[-1] == 429
    with pytest.raises(Throttled):
        check_second_factor(person=world.lin, code="123456", at=clock.at)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "٠١٢٣٤٥", "-12345", "0x1234"])
def test_what_is_no_code_is_refused(world: World, clock: MovableClock, code: str) -> None:
    enrolled(world, clock)
    with pytest.raises(Refusal):
        check_second_factor(person=world.lin, code=code, at=clock.at)


def test_a_lost_phone_is_forgotten_by_the_security_administrator(world: World, clock: MovableClock) -> None:
    enrolled(world, clock)
    client = client_of(world.lin)
    reset_second_factor(person_id=world.lin.pk, by=world.actor("an"), at=clock.at)
    assert client.get("/me").status_code == 302
    first_sign_in(Client(), "lin")


def test_another_phone_needs_a_code_of_the_old_one(world: World, clock: MovableClock) -> None:
    _old, codes = enrolled(world, clock)
    client = client_of(world.lin)
    page = client.get("/me/second-factor")
    clock.move(minutes=1)
    new = code_of(str(page.context["secret"]), clock.at)
    before = world.lin.totp_sealed
    assert client.post("/me/second-factor", {"current": "000000", "code": new}).status_code == 422
    assert Person.objects.get(pk=world.lin.pk).totp_sealed == before
    assert client.post("/me/second-factor", {"current": codes[1], "code": new}).status_code == 200
    assert Person.objects.get(pk=world.lin.pk).totp_sealed != before


def test_the_qr_code_holds_no_style_and_the_right_address(world: World, clock: MovableClock) -> None:
    client = Client()
    first_sign_in(client, "lin")
    text = client.get("/sign-in/set-up").content.decode()
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert svg is not None
    assert "style" not in svg.group()


def test_the_demo_asks_for_no_second_factor(world: World, clock: MovableClock, settings: object) -> None:
    settings.DEMO = True  # type: ignore[attr-defined]
    client = Client()
    assert client.post("/sign-in", {"login": "lin", "password": PASSWORD})["Location"] == "/"
    assert client.get("/me").status_code == 200
