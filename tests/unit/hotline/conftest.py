"""A world with one event type, and a hotline beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition
from tests.support.hotline import Hotline, hotline, make_source


@pytest.fixture
def work(world: World, clock: MovableClock, settings: Any, tmp_path: Path) -> Casework:
    """The small world and a type: 暴露生活垃圾, 4 work hours, a photo of after, a check on the spot."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.HOTLINE_FOLDER = str(tmp_path / "hotline")
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    return Casework(world, make_condition())


@pytest.fixture
def there(work: Casework) -> Iterator[Hotline]:
    """A hotline whose source is trusted and that is told by HTTP."""
    with hotline() as found:
        _source, found.token = make_source(work.world, way_out="http", out_url=found.url, out_key="their-key")
        yield found
