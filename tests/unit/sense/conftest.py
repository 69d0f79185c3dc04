"""What the tests of imagery share: a store in a folder of the test's own, slices long enough to finish, an analyst."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jiequ.sense import children
from tests.actors import World
from tests.support.sense import analyst


@pytest.fixture
def imagery(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of imagery. Children that have nothing to do stay for the next test (each costs half a second to start); one
    that is still busy goes with its test, or it would answer another's question: numbers begin anew with every test."""
    settings.SENSE, settings.SENSE_PROCESSES = tmp_path / "sense", 1
    monkeypatch.setattr(children, "SLICE_SECONDS", 60.0)
    yield
    for role, child in list(children._children.items()):
        if child.key:
            child.kill()
            children._children.pop(role)


@pytest.fixture
def by(imagery: None, world: World) -> Any:
    """An analyst of the street, as an actor."""
    return analyst(world)[1]
