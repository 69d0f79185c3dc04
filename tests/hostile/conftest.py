"""A world with one event type, and media in a folder of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.actors import World
from tests.casework import Casework, make_condition


@pytest.fixture
def work(world: World, settings: Any, tmp_path: Path) -> Casework:
    """The small world and a type: 暴露生活垃圾, 4 work hours, a photo of after, a check on the spot."""
    settings.MEDIA_ROOT = tmp_path
    return Casework(world, make_condition())
