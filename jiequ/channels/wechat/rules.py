"""What an official account's templates, windows and menus admit. Pure: nothing of Django's database, no network.

Sources: WECHAT.md of this project (official pages as archived). Limits of fields since 2023-05-04: 20 characters for ``thing``,
no line break, nothing decorative; ``phrase`` five Chinese characters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from . import platform_words

MESSAGE_WINDOW, MESSAGE_COUNT = timedelta(hours=48), 5
TOUCH_WINDOW, TOUCH_COUNT = timedelta(minutes=1), 3
TOUCHES = frozenset({"subscribe", "scan", "click", "scancode_push", "scancode_waitmsg"})
"""Events that open the short window; VIEW does not."""
NOBODY = frozenset({"masssendjobfinish"})
"""Events that are about no follower of their own."""
LONGEST_TEXT_BYTES = 2048
MEDIA_GONE = frozenset({40007})
WINDOW_OVER = frozenset({45015, 45047})
NOT_REACHED = frozenset({40003, 43004, 43019})


class SaidState(StrEnum):
    """What became of a customer-service message. UNKNOWN: handed over and no answer noted; never handed over again."""

    WAITING = "waiting"
    UNKNOWN = "unknown"
    SENT = "sent"
    REFUSED = "refused"


class FormKind(StrEnum):
    """What a form fills: a template message, or a subscription notice."""

    TEMPLATE = "template"
    SUBSCRIPTION = "subscription"


class Group(StrEnum):
    """Whom a notice is for."""

    STAFF = "staff"
    RESIDENT = "resident"


SOURCES = ("number", "type", "grid", "due", "title", "sent")
"""What a field can be filled from: the four facts of a notice, its occasion, and when it is sent."""
_FIELD = re.compile(r"\{\{\s*([a-z_]+\d*)\.DATA\s*\}\}")
_KIND = re.compile(r"([a-z_]+?)\d*")
_LABEL = re.compile(r"[:：\s]+$")
_ASCII = re.compile(r"[\x20-\x7e]{1,32}")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_NOT_IN_A_FIELD = re.compile(r"[\r\n\t\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a template: ``thing2`` with the label beside it."""

    name: str
    label: str

    @property
    def kind(self) -> str:
        """``thing``."""
        found = _KIND.fullmatch(self.name)
        return found[1] if found else self.name


def fields_of(content: str) -> list[Field]:
    """The fields of a template as the platform writes it: ``工单编号：{{character_string1.DATA}}``."""
    found = []
    for line in content.splitlines():
        for match in _FIELD.finditer(line):
            found.append(Field(match[1], _LABEL.sub("", line[: match.start()].strip())))
    return found


def suggested(fields: list[Field]) -> dict[str, str]:
    """A source for each field, by its label; what no label tells is left out."""
    found = {}
    for field in fields:
        for source, words in platform_words.LABELS:
            if any(word in field.label for word in words):
                found[field.name] = source
                break
    return found


def group_of(title: str) -> Group:
    """Whom a template is meant for, by its title: residents hear of what they reported, staff of work."""
    return Group.RESIDENT if any(word in title for word in platform_words.FOR_RESIDENTS) else Group.STAFF


def filled(fields: Mapping[str, str], values: Mapping[str, str]) -> dict[str, dict[str, str]] | None:
    """The ``data`` of a message; None if some field would stay empty or not fit its type: then another form is used."""
    data = {}
    for name, source in fields.items():
        value = fitted(Field(name, "").kind, values.get(source, ""), is_title=source == "title")
        if not value:
            return None
        data[name] = {"value": value}
    return data or None


def fitted(kind: str, text: str, *, is_title: bool = False) -> str:
    """The text as a field of this type takes it: shortened where that says no less, else empty (it would be 47003)."""
    text = _NOT_IN_A_FIELD.sub(" ", text).strip()
    if kind == "thing":
        return text if len(text) <= 20 else text[:19] + "…"
    if kind in {"character_string", "number", "letter"}:
        wanted = {"character_string": _ASCII, "number": re.compile(r"-?\d{1,32}"), "letter": re.compile(r"[A-Za-z]{1,32}")}
        return text if wanted[kind].fullmatch(text) else ""
    if kind in {"time", "date"}:
        return text if re.fullmatch(platform_words.MOMENT, text) else ""
    if kind in {"phrase", "name"}:
        longest = 5 if kind == "phrase" else 10
        if _HAN.fullmatch(text) and len(text) <= longest:
            return text
        return platform_words.NEUTRAL if is_title else ""
    return ""


def client_msg_id(key: str) -> str:
    """The platform's own key of a template message, from ours (openid and this are sent once in ten minutes)."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def is_success(status: str) -> bool | None:
    """TEMPLATESENDJOBFINISH: ``success``, ``failed:user block``, ``failed: system failed``, with and without the space."""
    word = status.strip().lower()
    if word == "success":
        return True
    return False if word.startswith("failed") else None


def failure_of(status: str) -> str:
    """A short class of such a failure: user_block, system_failed."""
    word = status.strip().lower().removeprefix("failed").lstrip(": ").replace(" ", "_")
    return re.sub(r"[^a-z_]", "", word)[:40] or "failed"


def shortened(text: str) -> str:
    """A text as long as one customer-service message can be."""
    data = text.encode()
    if len(data) <= LONGEST_TEXT_BYTES:
        return text
    return data[: LONGEST_TEXT_BYTES - 3].decode(errors="ignore") + "…"


def is_host_of(host: str, allowed: list[str]) -> bool:
    """``mmbiz.qpic.cn`` is one of ``qpic.cn``."""
    return any(host == one or host.endswith("." + one) for one in allowed)


def next_day(at: datetime) -> timedelta:
    """Until the platform counts anew: midnight in Beijing (at most the day that is left)."""
    beijing = at + timedelta(hours=8)
    tomorrow = (beijing + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow - beijing
