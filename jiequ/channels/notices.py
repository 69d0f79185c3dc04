"""What a caller hands over to be told to somebody, and the outbox row it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core import secrets
from jiequ.core.errors import Refusal
from jiequ.people.rules import Role

from . import texts
from .models import Message
from .rules import FactRefused, clean_facts

PHONE_PURPOSE = "notice-phone"
ACCOUNT_PURPOSE = "notice-account"
SENTENCE_MAX = 500

Post = tuple[str, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a caller wants somebody to be told: ``to_person``, or ``to_post``, or a resident.

    ``to_post`` is (role, street_id, department_id). A resident has ``to_account_sealed`` (``seal_account``) or
    ``to_phone_sealed`` (``seal_phone``) or both: the account is asked first. ``facts`` carry number, type, grid and due only;
    ``type`` may be a name or its names by language. ``sentence`` is for a call-back: read out by a person, never sent.
    ``street_id`` names the duty desk that hears of a failure; required for a resident.
    """

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    key: str = ""
    to_person: int | None = None
    to_post: Post | None = None
    to_phone_sealed: str | None = None
    to_account_sealed: str | None = None
    is_urgent: bool = False
    not_before: datetime | None = None
    language: str = "zh-hans"
    sentence: str = ""
    street_id: int | None = None

    def __post_init__(self) -> None:
        is_to_resident = bool(self.to_phone_sealed or self.to_account_sealed)
        recipients = [self.to_person is not None, self.to_post is not None, is_to_resident]
        if sum(recipients) != 1:
            raise ValueError("a notice is to one person, one post or one resident")
        if is_to_resident and self.street_id is None:
            raise ValueError("a notice to a resident names the street whose desk answers for it")
        if not self.key:
            raise ValueError("a notice has a key: the same key is sent once")
        if self.template not in texts.TEMPLATES:
            raise ValueError(f"unknown template {self.template!r}")
        if self.to_post:
            Role(self.to_post[0])


def seal_phone(phone: str) -> str:
    """The sealed form in which a phone travels in a notice."""
    return secrets.seal(phone, PHONE_PURPOSE)


def unseal_phone(sealed: str) -> str:
    """The phone of a notice; raises core.secrets.SealBroken."""
    return secrets.unseal(sealed, PHONE_PURPOSE)


def seal_account(account: str) -> str:
    """The sealed form of an account, "wechat:17": the scheme of the ways that reach it, a colon, their address."""
    scheme, _colon, address = account.partition(":")
    if not scheme.isidentifier() or not address:
        raise ValueError("an account reads scheme:address")
    return secrets.seal(account, ACCOUNT_PURPOSE)


def unseal_account(sealed: str) -> tuple[str, str]:
    """Scheme and address of a notice's account; raises core.secrets.SealBroken."""
    scheme, _colon, address = secrets.unseal(sealed, ACCOUNT_PURPOSE).partition(":")
    return scheme, address


def row(notice: Notice, *, at: datetime, undo: timedelta = timedelta()) -> Message:
    """The unsaved outbox row of a notice, due after the time for Undo."""
    role, street_id, department_id = notice.to_post or ("", None, None)
    return Message(
        key=notice.key,
        about=notice.about,
        template=notice.template,
        facts=_facts(notice),
        sentence=notice.sentence[:SENTENCE_MAX],
        language=notice.language,
        is_urgent=notice.is_urgent,
        street_id=notice.street_id if notice.street_id is not None else street_id,
        to_person_id=notice.to_person,
        to_role=role,
        to_department_id=department_id,
        to_phone_sealed=notice.to_phone_sealed or "",
        to_account_sealed=notice.to_account_sealed or "",
        created_at=at,
        due_at=max(at + undo, notice.not_before or at),
    )


def _facts(notice: Notice) -> dict[str, Any]:
    try:
        return clean_facts(notice.facts)
    except FactRefused as error:
        words = _("通知只能携带编号、类型、网格和时限；“%(fact)s”不能写进通知。") % {"fact": error.fact}
        raise Refusal("notice_fact", words, facts={"fact": error.fact, "template": notice.template}) from error
