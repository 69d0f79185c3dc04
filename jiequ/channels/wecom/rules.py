"""What we make of a corporation's contacts and of a card's life. Pure; imports nothing of Django."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from jiequ.core.numbers import whole

CARD_LIFE = timedelta(hours=72)
"""How long a card's ``response_code`` is good (WECHAT.md §2); after that its buttons are asked of nobody."""
CARD_KEPT = timedelta(days=30)
A_MINUTE_EACH = 15
"""Half of the thirty a minute over which WeCom drops a member's messages without a word [off path/90312]: a bucket of so many
that fills up in a minute lets through twice its size in the worst minute."""
A_MINUTE_ALL = 5_000
"""Half of the ten thousand calls a minute, likewise."""
LONGEST_USERID = 64
LONGEST_TASK_ID = 128
PAGE = 1000
"""Members asked for at once; the service allows 10,000, ours keeps each try short."""


class CardState(StrEnum):
    """A card with buttons: may be tapped, is being drawn anew, shows what came of it."""

    OPEN = "open"
    PRESSED = "pressed"
    DRAWN = "drawn"


class MatchedBy(StrEnum):
    """How a member came to stand for one of our staff."""

    NOBODY = ""
    ADMINISTRATOR = "administrator"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Unit:
    """A department as WeCom tells it: number, name, the number of the one above (0: none)."""

    number: int
    name: str
    parent: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member as contacts sync tells it: the id and the departments; no name, no phone."""

    userid: str
    departments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A ``change_contact`` event: ``verb`` create, update or delete; of a member (``userid``) or a department (``number``)."""

    verb: str
    userid: str = ""
    new_userid: str = ""
    departments: tuple[int, ...] | None = None
    number: int = 0
    name: str = ""
    parent: int | None = None


def units_of(answer: Mapping[str, Any]) -> list[Unit]:
    """The departments of an answer of ``department/list``; what is malformed is left out."""
    found = []
    for one in answer.get("department") or ():
        if isinstance(one, Mapping) and _whole(one.get("id")):
            found.append(Unit(int(one["id"]), str(one.get("name", ""))[:120], int(_whole(one.get("parentid")) or 0)))
    return found


def members_of(answer: Mapping[str, Any]) -> list[Member]:
    """The members of an answer of ``user/list_id``, each once with all its departments."""
    found: dict[str, list[int]] = {}
    for one in answer.get("dept_user") or ():
        if not isinstance(one, Mapping):
            continue
        userid, number = str(one.get("userid", "")), _whole(one.get("department"))
        if 0 < len(userid) <= LONGEST_USERID:
            found.setdefault(userid, []).extend([number] if number else [])
    return [Member(userid, tuple(dict.fromkeys(numbers))) for userid, numbers in found.items()]


def change_of(fields: Mapping[str, Any]) -> Change | None:
    """What a ``change_contact`` event says; None for one that is not about a member or a department."""
    verb, _underscore, what = str(fields.get("ChangeType", "")).partition("_")
    if verb not in {"create", "update", "delete"}:
        return None
    if what == "user":
        userid = str(fields.get("UserID", ""))
        if not 0 < len(userid) <= LONGEST_USERID:
            return None
        given = fields.get("Department")
        numbers = None if given is None else tuple(n for n in map(_whole, str(given).split(",")) if n)
        return Change(verb, userid=userid, new_userid=str(fields.get("NewUserID", ""))[:LONGEST_USERID], departments=numbers)
    number = _whole(fields.get("Id"))
    if what != "party" or not number:
        return None
    parent = _whole(fields.get("ParentId")) if "ParentId" in fields else None
    return Change(verb, number=number, name=str(fields.get("Name", ""))[:120], parent=parent)


def _whole(value: Any) -> int:
    """A number WeCom gives, as an int or as text; 0 for anything else."""
    text = str(value).strip()
    return whole(text) or 0


def task_id(key: str, userid: str) -> str:
    """The card's own id: the same for every try of the same message to the same member, so that it is shown once."""
    return "j" + hashlib.sha256(f"{key}\n{userid}".encode()).hexdigest()[:48]


def chosen_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """What was chosen on a card before its button was tapped: the first option of each question."""
    found: dict[str, str] = {}
    for one in _many(_inside(fields.get("SelectedItems"), "SelectedItem")):
        ids = _many(_inside(_inside(one, "OptionIds"), "OptionId"))
        question = _inside(one, "QuestionKey")
        if isinstance(question, str) and question and ids and isinstance(ids[0], str):
            found[question] = ids[0]
    return found


def _inside(value: Any, name: str) -> Any:
    """A field of a parsed element; None where the element is a text, or not there."""
    return value.get(name) if isinstance(value, Mapping) else None


def _many(value: Any) -> list[Any]:
    """A repeated element comes as a list, a single one does not."""
    return value if isinstance(value, list) else [] if value is None else [value]
