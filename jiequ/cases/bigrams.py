"""Chinese text split for search: pairs of characters, whole words, numbers. Pure.

A run of Han characters becomes its overlapping pairs and, at the end, its last character alone: 石桥边 → 石桥 桥边 边.
So any two characters are one token, a longer word is a phrase of tokens, a single character the beginning of one. Forms are
folded (NFKC, lower case); traditional characters stay as they are. Tokens hold letters and digits only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST_NUMBER = 6
"""Digits in a row that are kept: more may be a phone or an identity number (see ``services.intake.masked``)."""

_MOST_TERMS = 8
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # data
_RUNS = re.compile(f"([{_HAN}]+)|([0-9]+)|((?:(?![{_HAN}0-9])[^\\W_])+)")


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a question: its tokens in a row; ``is_open``: the last one may go on."""

    tokens: tuple[str, ...]
    is_open: bool = False


def folded(text: str) -> str:
    """One form for what looks alike: full-width letters and digits become plain, capitals small."""
    return unicodedata.normalize("NFKC", text).casefold()


def tokens(text: str) -> list[str]:
    """What a text is found by, in its order; numbers that may name a person are left out."""
    found: list[str] = []
    for run in _RUNS.finditer(_plain(text)):
        han, digits, word = run.groups()
        if han:
            found += [*_pairs(han), han[-1]]
        elif not digits or len(digits) <= LONGEST_NUMBER:
            found.append(digits or word)
    return found


def indexed(parts: Iterable[str], *, scopes: Iterable[str] = ()) -> str:
    """The text that is stored: scopes first, then the tokens of each part; single spaces, nothing at the ends."""
    return " ".join([*scopes, *(token for part in parts for token in tokens(part))])


def asked(question: str) -> list[Term]:
    """The words of a question, at most eight; all of them must be found. A long number never is: it stands in no text."""
    found = dict.fromkeys(_term(*run.groups()) for run in _RUNS.finditer(_plain(question)))
    return list(found)[:_MOST_TERMS]


def scope(letter: str, number: int) -> str:
    """A token that no text can hold: where a case lies (``s_1``: street 1), so that the index itself narrows."""
    return f"{letter}_{number}"


def _plain(text: str) -> str:
    return "".join(sign if sign.isalnum() else " " for sign in folded(text))


def _term(han: str | None, digits: str | None, word: str | None) -> Term:
    if han:
        return Term(tuple(_pairs(han))) if len(han) > 1 else Term((han,), is_open=True)
    if digits:
        return Term((digits,))
    return Term((word or "",), is_open=True)


def _pairs(han: str) -> list[str]:
    return [han[n : n + 2] for n in range(len(han) - 1)]
