"""The three rates as shares of orders that have named parts, and the words of hotlines. Pure; imports nothing of Django.

A formula is two names out of ``PARTS``: the orders above the line (and below it), and those below. No text is ever worked out,
so nothing that an administrator chooses can do more than pick a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

PARTS = (
    *("received", "kept", "sent", "accepted_ontime", "acknowledged_ontime", "contacted"),
    *("answered", "answered_ontime", "visited", "heard", "solved", "satisfied"),
)
"""What an order can count for. ``kept``: not given back. ``heard``: a call-back that reached somebody (有效回访)."""

RATES = ("response", "solve", "satisfy")
ABOVE: dict[str, tuple[str, ...]] = {
    "response": ("accepted_ontime", "acknowledged_ontime", "contacted", "answered_ontime"),
    "solve": ("solved",),
    "satisfy": ("satisfied",),
}
BELOW: dict[str, tuple[str, ...]] = {
    "response": ("sent", "kept", "received"),
    "solve": ("heard", "visited", "answered", "kept"),
    "satisfy": ("heard", "visited", "answered", "kept"),
}
DEFAULT: dict[str, tuple[str, str]] = {
    "response": ("accepted_ontime", "sent"),
    "solve": ("solved", "heard"),
    "satisfy": ("satisfied", "heard"),
}
SATISFIED_FROM = 4  # (P) of 1 to 5; a source may say otherwise

_YES = frozenset("yes true 1 y 是 同意 已解决 解决 已联系 联系 满意".split())  # data
_NO = frozenset("no false 0 n 否 不同意 未解决 没有解决 未联系 不满意".split())  # data
_SCORES = {"非常满意": 5, "满意": 4, "基本满意": 3, "一般": 3, "不满意": 2, "非常不满意": 1, "很不满意": 1}  # data


@dataclass(frozen=True, slots=True)
class OrderSight:
    """What is known of one order, for counting. ``contacted`` to ``satisfaction`` are the last call-back's, None: not said."""

    department_id: int | None
    is_returned: bool
    is_sent: bool
    is_accepted_ontime: bool
    is_acknowledged_ontime: bool
    answered_at: datetime | None
    due_at: datetime | None
    is_visited: bool = False
    contacted: bool | None = None
    solved: bool | None = None
    satisfaction: int | None = None


def heard_of(solved: bool | None, satisfaction: int | None, *, satisfied_from: int) -> tuple[bool, bool, bool]:
    """What a call-back counts for: whether it reached somebody, said solved, said satisfied. The one place that decides it, for
    the hotline's own rates and for the indicators of the same names."""
    is_satisfied = satisfaction is not None and satisfaction >= satisfied_from
    return solved is not None or satisfaction is not None, solved is True, is_satisfied


def parts_of(order: OrderSight, *, satisfied_from: int = SATISFIED_FROM) -> frozenset[str]:
    """The parts an order counts for."""
    is_heard, is_solved, is_satisfied = heard_of(order.solved, order.satisfaction, satisfied_from=satisfied_from)
    is_answered = order.answered_at is not None
    has = {
        "received": True,
        "kept": not order.is_returned,
        "sent": order.is_sent,
        "accepted_ontime": order.is_sent and order.is_accepted_ontime,
        "acknowledged_ontime": order.is_sent and order.is_acknowledged_ontime,
        "contacted": order.contacted is True,
        "answered": is_answered,
        "answered_ontime": is_answered and _by(order.answered_at, order.due_at),
        "visited": order.is_visited,
        "heard": is_heard,
        "solved": is_solved,
        "satisfied": is_satisfied,
    }
    return frozenset(name for name, is_so in has.items() if is_so)


def _by(moment: datetime | None, limit: datetime | None) -> bool:
    return moment is not None and (limit is None or moment <= limit)


@dataclass(frozen=True, slots=True)
class Share:
    """A rate as its two numbers."""

    above: int
    below: int

    @property
    def share(self) -> float | None:
        return self.above / self.below if self.below else None


def share_of(orders: Iterable[frozenset[str]], formula: tuple[str, str]) -> Share:
    """How many of the orders below the line are above it too: never more than all of them."""
    above, below = formula
    under = [parts for parts in orders if below in parts]
    return Share(sum(above in parts for parts in under), len(under))


def formulas_of(stored: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    """The formula of each rate: the stored one where it is one of the safe ones, else ours."""
    found: dict[str, tuple[str, str]] = {}
    for rate in RATES:
        given = stored.get(rate)
        pair = tuple(given) if isinstance(given, list | tuple) else ()
        is_known = len(pair) == 2 and pair[0] in ABOVE[rate] and pair[1] in BELOW[rate]
        found[rate] = (str(pair[0]), str(pair[1])) if is_known else DEFAULT[rate]
    return found


def yes_or_no(given: object) -> bool | None:
    """What a hotline calls yes or no; None for nothing; ValueError for a word that is neither."""
    text = str(given).strip().lower() if given is not None else ""
    if not text:
        return None
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ValueError(text)


def score_of(given: object) -> int | None:
    """1 to 5 out of a number or the usual words; None for nothing; ValueError for anything else."""
    text = str(given).strip() if given is not None else ""
    if not text:
        return None
    if text in _SCORES:
        return _SCORES[text]
    if text in {"1", "2", "3", "4", "5"}:
        return int(text)
    raise ValueError(text)
