"""What somebody wrote, before it leaves to the public: phones, ids, cards, plates, accounts, names and doors in it are masked.

Every place where words go to strangers calls this (tests/repo/test_public_words.py knows the places): the reply that a
reporter reads, on the page, in a notice, through a program; what Open311 tells and hands on; what the desk publishes.
"""

from __future__ import annotations

from collections.abc import Collection

from jiequ.triage.services import mask_personal


def public(text: str, *, keep: Collection[str] = ()) -> str:
    """The words fit for strangers. ``keep``: what stays as it is (a case's own number)."""
    return mask_personal(text, keep=keep).text if text else text


def hidden_in(text: str, *, keep: Collection[str] = ()) -> list[tuple[str, str]]:
    """What would be hidden: its kind and the words themselves, for whoever is writing them."""
    return [(one.kind, text[one.start : one.end]) for one in mask_personal(text, keep=keep).found]
