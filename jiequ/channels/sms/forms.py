"""Which of the provider's templates says which notice, from the file JIEQU_SMS_TEMPLATES (TOML).

    sign = "龙涧街道"

    [resident]                       # every notice to a resident without a form of its own
    code = "SMS_154950001"
    with = { number = "number" }     # the template's ${number} is our number

    [staff]
    code = "SMS_154950002"
    with = { what = "title", number = "number" }

    [template.reporter_closed]       # one notice
    code = "SMS_154950003"
    code_en = "SMS_154950004"        # for readers of English, where there is one
    with = { number = "number", until = "due" }

A notice that lacks a value of its own form goes by the general one; without that the way does not carry it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from .. import texts
from ..ports import Outgoing

VALUES = frozenset({"number", "type", "grid", "due", "title"})
LONGEST_VALUE = 35
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SLOT = re.compile(r"[A-Za-z0-9_]{1,30}")


@dataclass(frozen=True, slots=True)
class Form:
    """A template of the provider's; ``slots``: which of our values each of its variables is."""

    code: str
    code_en: str
    slots: Mapping[str, str]

    def filled(self, message: Outgoing) -> tuple[str, dict[str, str]] | None:
        """The template's code and its values; None if the message lacks one."""
        values = _values(message)
        if not set(self.slots.values()) <= values.keys():
            return None
        code = self.code_en if message.language == "en" and self.code_en else self.code
        return code, {slot: values[value][:LONGEST_VALUE] for slot, value in self.slots.items()}


@dataclass(frozen=True, slots=True)
class Forms:
    """The file: the signature in front of each text, forms by template, and the two general ones."""

    sign: str
    by_template: Mapping[str, Form]
    general: Mapping[bool, Form]

    def filled(self, message: Outgoing) -> tuple[str, dict[str, str]] | None:
        """What the provider is asked for; None: there is no form for this message."""
        own = self.by_template.get(message.template)
        found = own.filled(message) if own else None
        general = self.general.get(texts.TEMPLATES[message.template].for_staff)
        return found or (general.filled(message) if general else None)


def forms(path: str) -> Forms:
    """The file as it is now; ImproperlyConfigured in plain words."""
    try:
        return _read(path, os.stat(path).st_mtime_ns)
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=4)
def _read(path: str, _changed: int) -> Forms:
    try:
        told = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise _bad(f"{path} is not TOML: {error}") from None
    own = told.get("template", {})
    if unknown := sorted(set(told) - {"sign", "staff", "resident", "template"}):
        raise _bad(f"nothing is known of {', '.join(unknown)}")
    if strange := sorted(set(own) - set(texts.TEMPLATES)) if isinstance(own, dict) else [repr(own)]:
        raise _bad(f"there is no notice {', '.join(strange)}")
    sign = told.get("sign")
    if not isinstance(sign, str) or not 1 <= len(sign) <= 20:
        raise _bad("sign, the signature in front of each text, is missing")
    general = {name == "staff": _form(told[name], name) for name in ("staff", "resident") if name in told}
    return Forms(sign, {name: _form(one, f"template.{name}") for name, one in own.items()}, general)


def _form(told: Any, where: str) -> Form:
    if not isinstance(told, dict) or set(told) - {"code", "code_en", "with"}:
        raise _bad(f"[{where}] takes code, code_en and with")
    slots = told.get("with", {})
    codes = [told.get("code", ""), told.get("code_en", "")]
    if not all(isinstance(code, str) for code in codes) or not _CODE.fullmatch(codes[0]):
        raise _bad(f"[{where}] needs code, the number of the provider's template")
    if codes[1] and not _CODE.fullmatch(codes[1]):
        raise _bad(f"[{where}] code_en is no number of a template")
    if not isinstance(slots, dict) or not all(_SLOT.fullmatch(slot) for slot in slots) or not set(slots.values()) <= VALUES:
        raise _bad(f"[{where}] with = {{ variable = one of {', '.join(sorted(VALUES))} }}")
    return Form(codes[0], codes[1], slots)


def _bad(words: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"JIEQU_SMS_TEMPLATES: {words}.")


def _values(message: Outgoing) -> dict[str, str]:
    """What a template may be given: the four facts of a notice and its occasion, as short as the provider wants them."""
    facts = message.facts
    values = {name: str(facts[name]) for name in ("number", "grid") if facts.get(name)}
    kind: Any = facts.get("type")
    if kind:
        values["type"] = kind if isinstance(kind, str) else kind.get(message.language) or next(iter(kind.values()))
    if facts.get("due"):
        due = timezone.localtime(datetime.fromisoformat(str(facts["due"])))
        values["due"] = due.strftime("%m-%d %H:%M")
    return values | {"title": message.title}
