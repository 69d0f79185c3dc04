"""督办 of several cases at once: each is a move of its own, and one that cannot be urged holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from ..access import case_for
from .speaking import urge

MOST_URGED = 50


@dataclass(slots=True)
class Urged:
    """Numbers that were urged, and those that were not with the sentence why."""

    done: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def urge_many(numbers: Sequence[str], *, by: Actor, at: datetime, text: str = "") -> Urged:
    """Urge each of these cases. Refusal where none or too many are named."""
    asked = list(dict.fromkeys(number for number in numbers if number))
    if not asked:
        raise Refusal("nothing_chosen", _("请先选要督办的案件。"))
    if len(asked) > MOST_URGED:
        raise Refusal("too_many", _("一次最多督办 %(most)d 件。") % {"most": MOST_URGED}, facts={"limit": MOST_URGED})
    found = Urged()
    for number in asked:
        try:
            with writing():
                urge(case_for(by, number), by=by, at=at, text=text)
            found.done.append(number)
        except Refusal as refusal:
            found.refused.append((number, str(refusal)))
    return found
