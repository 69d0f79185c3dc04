"""What the pages' tests share: a world with one event type, and readers with their media in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actors import World
from tests.casework import Casework, make_condition
from tests.support.georeport import Foreign
from tests.support.partners import serving


@pytest.fixture
def work(world: World, settings: Any, tmp_path: Path) -> Casework:
    """The small world and a type: 暴露生活垃圾, 4 work hours, a photo of after, a check on the spot."""
    settings.MEDIA_ROOT = tmp_path
    return Casework(world, make_condition())


@pytest.fixture
def there(settings: Any) -> Iterator[Foreign]:
    """Another GeoReport server on this machine, which the settings let us call."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving() as told:
        yield told
