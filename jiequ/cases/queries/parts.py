"""Parts of a case's page that belong to a floor above: cases knows their address, not what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from ..models import Case


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the page fetches when it is open; a link with these words where scripts are off."""

    url: str
    words: str | Promise


_makers: list[Callable[[Case], Part | None]] = []


def register_part(maker: Callable[[Case], Part | None]) -> None:
    """``maker`` gives the part of a case, or None where it has none. It asks the database nothing."""
    if maker not in _makers:
        _makers.append(maker)


def parts_of(case: Case) -> list[Part]:
    """The parts of this case's page, in the order of registration."""
    return [part for maker in _makers if (part := maker(case)) is not None]
