"""What the app above hands down to learn from. Triage never reads the ledger: ``cases`` registers itself here.

Rows come in keyset parts, so that a ledger of any size is never in memory at once, and nothing of them is kept by triage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TypeFact:
    """A type in force: its code, its names from the major down, and what else describes it in words."""

    code: str
    path: tuple[str, ...]
    hints: str = ""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case whose type a person confirmed, with the words of its first report. ``at``: when it was reported.

    ``by``: who chose its type, as a plain id; ``chosen_at``: when, None where that is not known (imports).
    """

    ref: int
    words: str
    type_code: str
    street: str
    community: str
    source: str
    at: datetime
    by: str = ""
    chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DispatchRow:
    """One dispatch or return, in the order of time. ``department``: the lead's key."""

    ref: int
    case_ref: int
    type_code: str
    department: str
    is_return: bool
    street: str
    community: str
    source: str
    at: datetime
    words: str = ""


class Feed(Protocol):
    """What triage may ask the ledger for."""

    def types(self) -> Sequence[TypeFact]:
        """The types in force, in the district's own language."""

    def names(self) -> Mapping[str, str]:
        """The types in force by code, each by its name in the reader's language."""

    def before_newest(self, most: int) -> int:
        """The id after which the newest ``most`` confirmed cases begin; 0 if there are not so many."""

    def cases(self, after: int, size: int) -> Sequence[CaseRow]:
        """Confirmed cases with ids above ``after``, in the order of their ids; fewer than ``size``: these are the last."""

    def before_newest_dispatches(self, most: int) -> int:
        """The id after which the newest ``most`` dispatches and returns begin; 0 if there are not so many."""

    def dispatches(self, after: int, size: int) -> Sequence[DispatchRow]:
        """Dispatches and returns with ids above ``after``, in order; those without a department teach nothing."""

    def words(self, refs: Sequence[int]) -> Mapping[int, str]:
        """The words of these cases that are still kept; one SELECT."""

    def latest(self, size: int) -> Sequence[CaseRow]:
        """The newest reports, confirmed or not, for the drift of the words themselves."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The suggestions of a week were clearly worse, or people write of other things: ``kind``, ``monday``, and figures."""

    kind: str
    monday: str
    facts: Mapping[str, float | int | str]


_feeds: list[Feed] = []
_alarms: list[Callable[..., None]] = []


def register(feed: Feed) -> None:
    """The ledger says that it can be asked; the last one that does is."""
    _feeds[:] = [feed]


def registered() -> Feed | None:
    """Whom to ask; None in an installation without cases."""
    return _feeds[-1] if _feeds else None


def on_alarm(tell: Callable[..., None]) -> None:
    """Register ``tell(alarm, *, at)``, called in the transaction that stores the week."""
    if tell not in _alarms:
        _alarms.append(tell)


def raise_alarm(alarm: Alarm, *, at: datetime) -> None:
    """Tell whoever registered."""
    for tell in _alarms:
        tell(alarm, at=at)
