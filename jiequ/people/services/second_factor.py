"""The second factor: a six-digit code that changes every 30 seconds (RFC 6238), and ten spare codes."""

from __future__ import annotations

import secrets as random
from base64 import b32decode, b32encode
from datetime import datetime
from hmac import compare_digest
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.utils.translation import gettext as _

from jiequ.core import secrets, throttle
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.ids import token_hash

from ..models import Person, RecoveryCode
from ..rules import Actor
from .common import hold, record
from .credentials import CODE_LETTERS, HOUR, drop_sessions, require_over

PURPOSE = "people.totp"
SECRET_BYTES = 20
STEP_SECONDS = 30
DRIFT_STEPS = 1  # a phone's clock may be half a minute off
TRIES = 10
RECOVERY_CODES = 10

secrets.sealed_column("people.Person", "totp_sealed", PURPOSE)


def begin_second_factor() -> str:
    """A fresh secret in base32, to be kept by the page until a first code confirms it."""
    return b32encode(random.token_bytes(SECRET_BYTES)).decode()


def enrolment_address(secret: str, username: str, issuer: str) -> str:
    """What the QR code holds, as authenticator apps read it."""
    label = quote(f"{issuer}:{username}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer, 'period': STEP_SECONDS})}"


def confirm_second_factor(*, person_id: int, secret: str, code: str, at: datetime) -> list[str]:
    """Stores the secret once a code of it was shown; returns the spare codes, readable this once."""
    _take_try(person_id, at)
    step = _matching_step(secret, code, at)
    if step is None:
        raise Refusal("wrong_code", _("验证码不对。请核对手机上的时间，输入最新的 6 位数字。"))
    with writing():
        person = hold(person_id)
        Person.objects.filter(pk=person_id).update(totp_sealed=secrets.seal(secret, PURPOSE), totp_step=step)
        codes = _new_recovery_codes(person_id)
        record(Actor(person_id=person_id), at, "person.second_factor_set", person)
    return codes


def check_second_factor(*, person: Person, code: str, at: datetime) -> None:
    """Accepts the present code once (the same code never twice), or one spare code; raises Refusal or Throttled."""
    _take_try(person.pk, at)
    secret = secrets.unseal(person.totp_sealed, PURPOSE) if person.totp_sealed else ""
    step = _matching_step(secret, code, at) if secret else None
    if step is not None and Person.objects.filter(pk=person.pk, totp_step__lt=step).update(totp_step=step):
        return
    spare = RecoveryCode.objects.filter(person=person, code_hash=_hash(person.pk, code), used_at=None)
    if step is None and spare.update(used_at=at):
        record(Actor(person_id=person.pk), at, "person.recovery_code_used", person)
        return
    record(Actor.system(), at, "person.second_factor_failed", person)
    raise Refusal("wrong_code", _("验证码不对，或者已经用过。请等下一个 6 位数字，或用一个备用码。"))


def make_recovery_codes(*, by: Actor, at: datetime) -> list[str]:
    """Ten new spare codes for oneself; the old ones no longer work."""
    with writing():
        person = hold(by.person_id or 0)
        codes = _new_recovery_codes(person.pk)
        record(by, at, "person.recovery_codes_made", person)
    return codes


def reset_second_factor(*, person_id: int, by: Actor, at: datetime) -> None:
    """Forgets a lost phone: the person sets up a new one at the next sign-in. Every session ends."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("no_such_person", _("没有这个人，或者账号已停用。"))
    require_over(by, person)
    with writing():
        Person.objects.filter(pk=person_id).update(totp_sealed="", totp_step=0)
        RecoveryCode.objects.filter(person_id=person_id).delete()
        drop_sessions(person_id)
        record(by, at, "person.second_factor_reset", person)


def _take_try(person_id: int, at: datetime) -> None:
    throttle.take(throttle.bucket("second-factor", person_id), capacity=TRIES, per_seconds=HOUR, at=at)


def _matching_step(secret: str, code: str, at: datetime) -> int | None:
    """The 30-second step whose code this is, within the drift; None if it is none of them."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdecimal():
        return None
    generator = TOTP(b32decode(secret), 6, SHA1(), STEP_SECONDS)
    now = int(at.timestamp()) // STEP_SECONDS
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if compare_digest(generator.generate(step * STEP_SECONDS), digits.encode()):
            return step
    return None


def _new_recovery_codes(person_id: int) -> list[str]:
    codes = ["".join(random.choice(CODE_LETTERS) for _n in range(10)) for _m in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person_id=person_id).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(person_id=person_id, code_hash=_hash(person_id, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _hash(person_id: int, code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter in CODE_LETTERS)
    return token_hash(f"recovery:{person_id}:{plain}")
