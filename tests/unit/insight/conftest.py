"""A world with one event type."""

from __future__ import annotations

import pytest

from tests.actors import World
from tests.casework import Casework, make_condition


@pytest.fixture
def work(world: World) -> Casework:
    """The small world and a type: 暴露生活垃圾, 4 work hours, a photo of after, a check on the spot."""
    return Casework(world, make_condition())
