"""The keys to get in: passwords, sessions, one-time reset codes. Guessing is slow here, and locks nobody out.

Tries are counted before a password is looked at: for a known device by that device, for everybody else by the account and by
the network they come from. So whoever guesses uses up the strangers' tries, and the owner's own device keeps its own.
"""

from __future__ import annotations

import secrets as random
from datetime import datetime

from django.contrib.auth import hashers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils.translation import gettext as _

from jiequ.core import throttle
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.ids import token_hash

from ..models import Device, Person, ResetCode, Session
from ..rules import RESET_CODE_LIFE, Account, Actor, Role
from .common import hold, record, require

HOUR = 3600
STRANGERS_TRIES = 8  # a full bucket and an hour's refill let 16 through in any hour (RELIABILITY row 24: at most 20)
DEVICE_TRIES = 10
NETWORK_TRIES = 200  # a whole office may sit behind one address
RESET_TRIES = 5
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12


def check_password(*, login: str, password: str, device_token: str, network: str, at: datetime) -> Person:
    """The person behind a user name or phone and a password; raises Refusal or Throttled. Tells nobody which part was
    wrong, in words or (an unknown name is hashed too) in time."""
    login = login.strip().lower()[:100]
    device = _device(login, device_token, at)
    person = Person.objects.filter(_named(login)).first()
    _take_try(_account_of(login, person), device, network, at)
    stored = person.password if person else hashers.make_password(None)
    is_right = hashers.check_password(password, stored)
    if person and is_right and person.is_active:
        return person
    record(Actor.system(), at, "person.sign_in_failed", person)
    raise Refusal("sign_in_failed", _("用户名或密码不对，或者账号已停用。忘了密码请找安全管理员要一次性重置码。"))


def record_sign_in(*, person: Person, how: str, at: datetime) -> None:
    """The audit row of a sign-in: who and by which way."""
    record(Actor(person_id=person.pk), at, "person.signed_in", person, how=how)


def _named(login: str) -> Q:
    return Q(username=login) | (Q(phone=login) & ~Q(phone=""))


def _account_of(login: str, person: Person | None) -> str:
    """What tries are counted by: one account has one bucket, whether guessed at by user name or by phone."""
    return person.username if person else login


def _device(login: str, token: str, at: datetime) -> int | None:
    """The known device of that account whose token the browser holds."""
    if not token:
        return None
    found = Device.objects.filter(
        Q(person__username=login) | Q(person__phone=login), token_hash=token_hash(token), ends_at__gt=at
    )
    return found.values_list("pk", flat=True).first()


def _take_try(login: str, device: int | None, network: str, at: datetime) -> None:
    if device is not None:
        throttle.take(throttle.bucket("signin-device", device), capacity=DEVICE_TRIES, per_seconds=HOUR, at=at)
        return
    throttle.take(throttle.bucket("signin-network", network), capacity=NETWORK_TRIES, per_seconds=HOUR, at=at)
    throttle.take(throttle.bucket("signin-account", login), capacity=STRANGERS_TRIES, per_seconds=HOUR, at=at)


def unlock(*, person_id: int, by: Actor, at: datetime) -> None:
    """Gives an account all its tries back, whatever guessing used them up."""
    require(by, Role.SECURITY_ADMIN)
    person = _found(person_id)
    for purpose in ("signin-account", "reset-account"):
        for login in filter(None, (person.username, person.phone)):
            throttle.forget(throttle.bucket(purpose, login))
    throttle.forget(throttle.bucket("second-factor", person_id))
    with writing():
        record(by, at, "person.unlocked", person)


def clean_password(password: str, person: Person | None = None) -> str:
    """The hash of a new password; refuses one that is short or on the list of common ones."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Refusal("weak_password", " ".join(error.messages)) from None
    if len(password) > 256:
        raise Refusal("weak_password", _("密码最多 256 个字。"))
    return hashers.make_password(password)


def change_password(*, old: str, new: str, by: Actor, at: datetime) -> None:
    """One's own new password, given the old one; every session ends, this one too (the view signs in anew)."""
    if by.person_id is None:
        raise Forbidden("not_signed_in", _("请先登录。"))
    throttle.take(throttle.bucket("change-password", by.person_id), capacity=DEVICE_TRIES, per_seconds=HOUR, at=at)
    person = _found(by.person_id)
    if not hashers.check_password(old, person.password):
        raise Refusal("wrong_password", _("现在的密码不对。"))
    if old == new:
        raise Refusal("same_password", _("新密码不能和现在的一样。"))
    _set_password(person, clean_password(new, person), by, at, "person.password_changed")


def _set_password(person: Person, hashed: str, by: Actor, at: datetime, action: str) -> None:
    with writing():
        Person.objects.filter(pk=person.pk).update(password=hashed)
        drop_sessions(person.pk)
        record(by, at, action, person)


def drop_sessions(person_id: int) -> None:
    """Ends every session at once and forgets every device. Call inside a transaction."""
    Person.objects.filter(pk=person_id).update(session_epoch=F("session_epoch") + 1)
    Session.objects.filter(person_id=person_id).delete()
    Device.objects.filter(person_id=person_id).delete()


def end_sessions(*, person_id: int, by: Actor, at: datetime) -> None:
    """Signs a person out everywhere: the person, or the security administrator."""
    if by.person_id != person_id:
        require(by, Role.SECURITY_ADMIN)
    with writing():
        person = hold(person_id, active=False)
        drop_sessions(person_id)
        record(by, at, "person.sessions_ended", person)


def end_session(*, key_hash: str, by: Actor, at: datetime) -> None:
    """Ends one of one's own sessions, by what the list shows of it."""
    with writing():
        ended, _rows = Session.objects.filter(pk=key_hash, person_id=by.person_id or 0).delete()
        if not ended:
            raise NotFound("no_such_session", _("这个登录已经结束。"))


def end_device(*, device_id: int, by: Actor, at: datetime) -> None:
    """Forgets one of one's own devices: it no longer enters by itself."""
    with writing():
        ended, _rows = Device.objects.filter(pk=device_id, person_id=by.person_id or 0).delete()
        if not ended:
            raise NotFound("no_such_device", _("这个设备已经移除。"))


def make_reset_code(*, person_id: int, by: Actor, at: datetime) -> str:
    """A code by which the person sets a new password within 30 minutes; shown once, stored as a hash. Older ones end.

    The security administrator makes it for staff; for administrators it is made on the server only, so that none of the
    three can enter as another.
    """
    person = _found(person_id)
    require_over(by, person)
    code = "".join(random.choice(CODE_LETTERS) for _n in range(CODE_LENGTH))
    with writing():
        hold(person_id)
        ResetCode.objects.filter(person_id=person_id).delete()
        ResetCode.objects.create(
            person=person,
            code_hash=_code_hash(person_id, code),
            made_at=at,
            ends_at=at + RESET_CODE_LIFE,
            made_by_id=by.person_id,
        )
        record(by, at, "person.reset_code_made", person)
    return "-".join(code[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def require_over(by: Actor, person: Person) -> None:
    """Refuses whoever may not reset this person's keys."""
    require(by, Role.SECURITY_ADMIN)
    if person.account != Account.STAFF and not by.has(Role.SYSTEM):
        raise Forbidden("administrator_on_server_only", _("管理员账号只能在服务器上用命令重置。"))


def use_reset_code(*, login: str, code: str, new: str, network: str, at: datetime) -> Person:
    """Sets a new password by a one-time code; every session ends. A wrong code and a wrong name are told alike."""
    login = login.strip().lower()[:100]
    throttle.take(throttle.bucket("signin-network", network), capacity=NETWORK_TRIES, per_seconds=HOUR, at=at)
    person = Person.objects.active().filter(_named(login)).first()
    bucket = throttle.bucket("reset-account", _account_of(login, person))
    throttle.take(bucket, capacity=RESET_TRIES, per_seconds=HOUR, at=at)
    hashed = clean_password(new)
    plain = "".join(letter for letter in code.upper() if letter in CODE_LETTERS)
    with writing():
        codes = ResetCode.objects.filter(
            person_id=person.pk if person else 0,
            code_hash=_code_hash(person.pk if person else 0, plain),
            used_at=None,
            ends_at__gt=at,
        )
        if person is None or not codes.update(used_at=at):
            raise Refusal("bad_reset_code", _("用户名或重置码不对，或者重置码已过期（30 分钟）。请向安全管理员再要一个。"))
        Person.objects.filter(pk=person.pk).update(oidc_subject=None)  # whoever had the account may have tied theirs to it
        _set_password(person, hashed, Actor(person_id=person.pk), at, "person.password_reset")
    return _found(person.pk)


def _code_hash(person_id: int, code: str) -> str:
    return token_hash(f"reset:{person_id}:{code}")


def _found(person_id: int) -> Person:
    person = Person.objects.active().filter(pk=person_id).first()
    if person is None:
        raise NotFound("no_such_person", _("没有这个人，或者账号已停用。"))
    return person
