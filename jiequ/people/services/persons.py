"""Accounts: made, changed, disabled, enabled again. Administrators' accounts are made on the server only."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale

from ..models import Person, Post, Shift
from ..rules import Account, Actor, Role
from .common import hold, record, require
from .credentials import clean_password, drop_sessions
from .handover import open_work

USERNAME = re.compile(r"^[a-z][a-z0-9._-]{1,39}$")
PHONE = re.compile(r"^1[3-9][0-9]{9}$")


def create_person(
    *,
    username: str,
    name: str,
    phone: str = "",
    account: Account = Account.STAFF,
    street_id: int | None = None,
    language: str = "zh-hans",
    password: str | None = None,
    by: Actor,
    at: datetime,
) -> Person:
    """A new account; without a password the person enters by a reset code. An administrator's brings its post with it.

    Refuses a name or phone that is taken, and an administrator's account from anywhere but the command line.
    """
    require(by, *([] if account is not Account.STAFF else [Role.SYSTEM_ADMIN]))
    person = Person(
        username=_username(username),
        name=_name(name),
        phone=_phone(phone, is_required=account is not Account.STAFF),
        account=account.value,
        street_id=street_id,
        language=_language(language),
        password=clean_password(password) if password is not None else make_password(None),
        created_at=at,
    )
    try:
        with writing():
            person.save(force_insert=True)
            if account is not Account.STAFF:
                Post.objects.create(person=person, account=account, role=account.value, starts_on=timezone.localtime(at).date())
            record(by, at, "person.created", person, account=account.value)
    except IntegrityError:
        raise _taken(person) from None
    return person


def change_person(
    *,
    person_id: int,
    version: int,
    by: Actor,
    at: datetime,
    name: str,
    phone: str,
    email: str = "",
    street_id: int | None,
) -> None:
    """New name, phone, mail address, home street; refuses a form that is older than somebody else's change."""
    require(by, Role.SYSTEM_ADMIN)
    person = _found(person_id)
    values: dict[str, Any] = {
        "name": _name(name),
        "phone": _phone(phone, is_required=person.account != Account.STAFF),
        "email": _email(email),
        "street_id": street_id,
    }
    changed = sorted(key for key, value in values.items() if getattr(person, key) != value)
    try:
        with writing():
            same = Person.objects.filter(pk=person_id, version=version)
            if not same.update(version=F("version") + 1, **values):
                raise Stale("person_changed", _("这个人的资料刚被别人改过，请刷新后再改。"))
            record(by, at, "person.changed", person, fields=changed)
    except IntegrityError:
        raise Refusal("phone_taken", _("这个手机号已经属于另一个人。")) from None


def change_profile(*, language: str, care_mode: bool, by: Actor, at: datetime) -> None:
    """One's own language and large type."""
    if by.person_id is not None:
        Person.objects.filter(pk=by.person_id).update(language=_language(language), care_mode=care_mode)


def link_district_account(*, subject: str, by: Actor, at: datetime) -> None:
    """Ties one's own account to the district's: nobody can do it for another, administrators cannot at all."""
    try:
        with writing():
            person = hold(by.person_id or 0)
            if person.account != Account.STAFF:
                raise Refusal("administrator_signs_in_here", _("管理员账号只能用用户名和密码登录。"))
            Person.objects.filter(pk=person.pk).update(oidc_subject=subject)
            record(by, at, "person.district_account_linked", person)
    except IntegrityError:
        raise Refusal("district_account_taken", _("这个统一账号已经属于另一个人。")) from None


def unlink_district_account(*, by: Actor, at: datetime) -> None:
    """From now on the user name and password only."""
    with writing():
        person = hold(by.person_id or 0)
        Person.objects.filter(pk=person.pk).update(oidc_subject=None)
        record(by, at, "person.district_account_unlinked", person)


def disable_person(*, person_id: int, by: Actor, at: datetime) -> None:
    """Closes an account: every session and post ends at once. Refused while open work has not been handed over."""
    require(by, Role.SYSTEM_ADMIN)
    if person_id == by.person_id:
        raise Refusal("disable_self", _("不能停用自己的账号。"))
    with writing():
        person = hold(person_id)
        _keep_one_administrator(person)
        left = sum(open_work(person_id, at).values())
        if left:
            sentence = _("%(name)s还有 %(left)d 件未了的事，请先移交给别人再停用。")
            raise Refusal("hand_over_first", sentence % {"name": person.name, "left": left}, facts={"left": left})
        Person.objects.filter(pk=person_id).update(is_active=False, disabled_at=at, version=F("version") + 1)
        today = timezone.localtime(at).date()
        Post.objects.filter(person_id=person_id, starts_on__gte=today).delete()
        Post.objects.filter(person_id=person_id, ends_on=None).update(ends_on=today)
        Shift.objects.filter(person_id=person_id, starts_at__gt=at).delete()
        drop_sessions(person_id)
        record(by, at, "person.disabled", person)


def enable_person(*, person_id: int, by: Actor, at: datetime) -> None:
    """Opens an account again; posts are given anew, and the old password no longer works."""
    require(by, Role.SYSTEM_ADMIN)
    with writing():
        closed = Person.objects.filter(pk=person_id, is_active=False, account=Account.STAFF)
        values: dict[str, Any] = {"is_active": True, "disabled_at": None, "password": make_password(None)}
        if not closed.update(version=F("version") + 1, **values):
            raise NotFound("no_such_person", _("没有这个已停用的账号。"))
        record(by, at, "person.enabled", _found(person_id))


def _keep_one_administrator(person: Person) -> None:
    if person.account == Account.STAFF:
        return
    if not Person.objects.active().filter(account=person.account).exclude(pk=person.pk).exists():
        raise Refusal("last_administrator", _("这是最后一个这类管理员账号，不能停用。请先在服务器上新建一个。"))


def _found(person_id: int) -> Person:
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound("no_such_person", _("没有这个人，或者账号已停用。"))
    return person


def _username(text: str) -> str:
    username = text.strip().lower()
    if not USERNAME.match(username):
        raise Refusal("bad_username", _("用户名要以字母开头，只用小写字母、数字、点、横线，2 到 40 个字。"))
    return username


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 60:
        raise Refusal("bad_name", _("请填写姓名，最多 60 个字。"))
    return name


def _email(text: str) -> str | None:
    """An address of the office, or none."""
    email = text.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError:
        raise Refusal("bad_email", _("请填写完整的电子邮件地址。"), facts={"field": "email"}) from None
    if len(email) > 200:
        raise Refusal("bad_email", _("请填写完整的电子邮件地址。"), facts={"field": "email"})
    return email or None


def _phone(text: str, *, is_required: bool) -> str:
    phone = re.sub(r"[\s-]", "", text)
    if (phone or is_required) and not PHONE.match(phone):
        raise Refusal("bad_phone", _("请填写 11 位手机号码。"))
    return phone


def _language(code: str) -> str:
    return code if code in dict(settings.LANGUAGES) else "zh-hans"


def _taken(person: Person) -> Refusal:
    if Person.objects.filter(username=person.username).exists():
        sentence = _("用户名 %(username)s 已经有人用了。") % {"username": person.username}
        return Refusal("username_taken", sentence, facts={"username": person.username})
    return Refusal("phone_taken", _("这个手机号已经属于另一个人。"))
