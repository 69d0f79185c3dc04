"""A move rehearsed: every check and every word of the real one, and nothing written. For showing what a reporter will read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..models import Case

if TYPE_CHECKING:
    from .moving import Change

_is_rehearsal: ContextVar[bool] = ContextVar("is_rehearsal", default=False)


class _Rehearsed(Exception):
    """Carries what would have been written out of the service."""

    def __init__(self, case: Case, change: Change) -> None:
        super().__init__()
        self.case, self.change = case, change


def rehearse(act: Callable[[], Any]) -> tuple[Case, Change]:
    """Call a service up to the point where it would write: the case as it would stand, and the change. Raises its refusals."""
    mark = _is_rehearsal.set(True)
    try:
        act()
    except _Rehearsed as done:
        return done.case, done.change
    finally:
        _is_rehearsal.reset(mark)
    raise RuntimeError("the service made no move")


def stop_here(case: Case, change: Change, values: Mapping[str, Any]) -> None:
    """In ``moving.make``, before the first write: ends a rehearsal, does nothing otherwise."""
    if not _is_rehearsal.get():
        return
    for name, value in values.items():
        if not hasattr(value, "resolve_expression"):
            setattr(case, name, value)
    raise _Rehearsed(case, change)
