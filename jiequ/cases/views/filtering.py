"""The form of the filters of the case list: its selects, and what a desk may look up instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.html import conditional_escape, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from jiequ.people.rules import DESK_ROLES, Actor

from ..services.narrowing import chips, filters_of, forget, holds_phone, known, labels, offered, query_of

__all__ = [
    "chips", "filters_of", "forget", "holds_phone", "known", "may_find_phones", "offered", "query_of", "selects",
]  # fmt: skip


def selects(query: QueryDict, choices: Mapping[str, dict[str, str]], names: Iterable[str]) -> list[dict[str, Any]]:
    """The selects of the form, each with what is chosen."""
    labels_of = labels()
    return [
        {
            "name": name,
            "label": labels_of[name],
            "options": _options(choices[name], query.get(name, "")),
            "everything": _("只算主办") if name == "part" else "",
        }
        for name in names
        if choices[name]
    ]


def _options(choices: dict[str, str], chosen: str) -> SafeString:
    """The options of a select: hundreds on each page, so what never changes in them is written once."""
    plain = _plain_options(tuple(choices.items()))
    if chosen not in choices:
        return plain
    value = conditional_escape(chosen)
    return SafeString(plain.replace(f'<option value="{value}">', f'<option value="{value}" selected>', 1))


@lru_cache(maxsize=64)
def _plain_options(choices: tuple[tuple[str, str], ...]) -> SafeString:
    return format_html_join("", '<option value="{}">{}</option>', choices)


def may_find_phones(request: HttpRequest, actor: Actor) -> str:
    """The four digits a desk may look up instead, if just four were typed."""
    typed = request.GET.get("q", "").strip()
    return typed if len(typed) == 4 and typed.isdecimal() and actor.has(*DESK_ROLES) else ""
