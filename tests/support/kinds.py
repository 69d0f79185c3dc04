"""A registry of jobs that forgets what a test registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jiequ.core import kinds


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """Only the kinds that the test itself registers exist."""
    known, hooks = dict(kinds.KINDS), list(kinds.DEAD_HOOKS)
    kinds.KINDS.clear()
    kinds.DEAD_HOOKS.clear()
    yield
    kinds.KINDS.clear()
    kinds.KINDS.update(known)
    kinds.DEAD_HOOKS[:] = hooks
