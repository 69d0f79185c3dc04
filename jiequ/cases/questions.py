"""What somebody typed into the one search box: a number, a phone's last four, or words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import bigrams

_WHOLE = re.compile(r"^([a-z]{1,8})[- ]?(\d{4})[- ]?(\d{1,6})$")
_OF_YEAR = re.compile(r"^(\d{4})-(\d{1,6})$")
_SHORT = re.compile(r"^#?(\d{1,6})$")
_LAST4 = re.compile(r"^(?:尾号|手机尾号|尾|phone|\*)\s*[:：]?\s*(\d{4})$")  # data
_PHONE = re.compile(r"^\+?[\d\s-]{7,20}$")
YEARS_BACK = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; ``numbers`` or ``terms`` (either is enough), or ``last4``. ``is_phone``: a whole phone was typed."""

    numbers: tuple[str, ...] = ()
    terms: tuple[bigrams.Term, ...] = ()
    last4: str = ""
    is_phone: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing that could be looked for."""
        return not (self.numbers or self.terms or self.last4)


def understood(text: str, *, prefixes: Sequence[str] = (), year: int) -> Question:
    """``LG-2026-000123``, ``2026-123``, ``123``, ``尾号 5678`` or words. ``prefixes``: of the streets that may be meant."""
    typed = bigrams.folded(text).strip()
    if last4 := _LAST4.match(typed):
        return Question(last4=last4.group(1))
    if whole := _WHOLE.match(typed):
        prefix, of_year, number = whole.groups()
        return Question(numbers=(f"{prefix.upper()}-{of_year}-{int(number):06d}",))
    if dated := _OF_YEAR.match(typed):
        return Question(numbers=tuple(f"{one}-{dated.group(1)}-{int(dated.group(2)):06d}" for one in prefixes))
    if short := _SHORT.match(typed):
        years = range(year, year - YEARS_BACK, -1)
        numbers = tuple(f"{one}-{of_year}-{int(short.group(1)):06d}" for one in prefixes for of_year in years)
        return Question(numbers=numbers, terms=() if typed.startswith("#") else tuple(bigrams.asked(typed)))
    if _PHONE.match(typed):
        return Question(is_phone=True)
    return Question(terms=tuple(bigrams.asked(typed)))


def is_short(text: str) -> bool:
    """True if the question needs the streets' prefixes."""
    typed = bigrams.folded(text).strip()
    return bool(_SHORT.match(typed) or _OF_YEAR.match(typed))
