"""What a card may do: asked of whoever owns the thing it is about. This app knows buttons, never cases.

An owner (a door) registers itself for the prefix of its ``about`` ("case" of "case:12") when apps are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from jiequ.people.models import Person

from .cards import Button, Question


@dataclass(frozen=True, slots=True)
class Offer:
    """The buttons for one reader now; none: the card only opens its page."""

    buttons: tuple[Button, ...] = ()
    question: Question | None = None

    @property
    def is_tappable(self) -> bool:
        """True if a button comes back to us."""
        return any(button.key and not button.url for button in self.buttons)


class Deeds(Protocol):
    """What an owner answers for. ``identifier`` is what stands behind the colon of an ``about``."""

    def offer(self, identifier: str, person: Person, *, at: datetime) -> Offer:
        """What this person may tap; in the language that is active."""

    def press(self, identifier: str, key: str, chosen: Mapping[str, str], person: Person, *, at: datetime) -> str:
        """Do it, in the caller's transaction; returns what happened in a few words. Raises Refusal, with nothing stored."""

    def marks(self, identifiers: Sequence[str]) -> Mapping[str, int]:
        """A number that grows whenever one of these changes: a card drawn at a lower one may promise too much. One SELECT."""

    def stands(self, identifier: str, person: Person, *, at: datetime) -> str:
        """How the thing stands now, in a few words, for a card whose buttons have become void."""


_owners: dict[str, Deeds] = {}


def register_deeds(prefix: str, deeds: Deeds) -> None:
    """Say who answers for cards about ``prefix:…``."""
    _owners[prefix] = deeds


def owner_of(about: str) -> tuple[Deeds, str] | None:
    """Who answers for this thing, and what it is called there; None if nobody does."""
    prefix, _colon, identifier = about.partition(":")
    owner = _owners.get(prefix)
    return (owner, identifier) if owner is not None and identifier else None


def owners() -> Mapping[str, Deeds]:
    """Everybody who is registered, by prefix."""
    return _owners
