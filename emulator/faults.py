"""Faults planted on purpose: in answers to the product, and in what is pushed to it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from typing import Any

ANSWER_KINDS = ("errcode", "status", "reset", "hang", "drip", "half", "latency", "bad_json", "empty")
PUSH_KINDS = (
    "duplicate",  # `count` copies at the same moment
    "drop",  # never sent
    "delay",  # `seconds` later, what follows waits
    "reorder",  # sent after the next one of the same person
    "wrong_signature",
    "foreign_appid",  # encrypted for another account
    "garbled",  # one block of the ciphertext changed
    "stale",  # timestamp `seconds` old
    "replay",  # the very same request again after `seconds`
    "oversized",  # `count` KiB of padding in the body
    "xxe",  # a document type with an external entity
)


@dataclass
class Fault:
    """``where`` is a pattern of paths (``/api/cgi-bin/message/*``) or of pushes' kinds (``text``, ``event.CLICK``).

    ``times``: how often, -1 for ever. ``after``: the deed is done and only its answer goes wrong.
    """

    kind: str
    where: str = "*"
    times: int = 1
    after: bool = False
    errcode: int = -1
    errmsg: str = ""
    status: int = 500
    seconds: float = 0.0
    count: int = 2
    number: int = 0

    def fits(self, name: str) -> bool:
        """Whether it is meant for this path or push, and not used up."""
        return self.times != 0 and fnmatch(name, self.where)


@dataclass
class Faults:
    """Those planted, the oldest first."""

    planted: list[Fault] = field(default_factory=list)
    _number: int = 0

    def plant(self, **given: Any) -> Fault:
        """Add one; ValueError for a kind or a word that is not known."""
        known = {one.name for one in fields(Fault)}
        if given.get("kind") not in ANSWER_KINDS + PUSH_KINDS or not set(given) <= known:
            raise ValueError(f"kind is one of {', '.join(ANSWER_KINDS + PUSH_KINDS)}; words are {', '.join(sorted(known))}")
        self._number += 1
        fault = Fault(**{**given, "number": self._number})
        self.planted.append(fault)
        return fault

    def take(self, name: str, kinds: tuple[str, ...]) -> Fault | None:
        """The first that fits, used once."""
        for fault in self.planted:
            if fault.kind in kinds and fault.fits(name):
                fault.times -= 1 if fault.times > 0 else 0
                return fault
        return None

    def clear(self, number: int = 0) -> None:
        """Take one out, or all."""
        self.planted = [one for one in self.planted if number and one.number != number]
