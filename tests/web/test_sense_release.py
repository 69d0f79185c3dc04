"""A picture leaves the desk softened, by two people: who had it made does not pass it, nobody passes it unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from jiequ.core.worker import work_once
from jiequ.sense import files
from jiequ.sense.child import releasing as child
from jiequ.sense.models import Release
from tests.actors import LAT, LON, NOW, MovableClock, World
from tests.support.sense import analyst, geotiff
from tests.support.suspects import comparison, suspect

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul")


def test_two_people_let_a_picture_go(world: World, clock: MovableClock, settings: Any, tmp_path: Path) -> None:
    settings.SENSE = tmp_path
    seen = comparison(world.street.pk)
    assert seen.after is not None
    raster = geotiff(tmp_path / "a.tif", size=900, gsd=0.1, lon=LON - 0.0004, lat=LAT + 0.0004)
    files.store().place(raster, files.image_key(world.street.pk, seen.after_id or 0))
    one, pan, min_ = suspect(seen), analyst(world)[2], analyst(world, "min")[2]
    assert pan.post(f"/sense/desk/{one.pk}/release", {"boxes": "10 10 300 20"}).status_code == 422
    assert pan.post(f"/sense/desk/{one.pk}/release", {"boxes": "10 10 30 30"}).status_code == 302
    row = Release.objects.get()
    page = f"/sense/releases/{row.pk}/"
    assert pan.get(f"{page}picture.jpg").status_code == 404, "not made yet"
    work_once(at=NOW, limit=50)
    row.refresh_from_db()
    assert row.state == "to_see", row.reason
    assert pan.post(page, {"act": "pass", "looked": "1"}).status_code == 403, "who had it made does not pass it"
    assert min_.post(page, {"act": "pass"}).status_code == 422, "not unseen"
    far = analyst(world, "far", other_street=True)[2]
    assert far.get(page).status_code == far.get(f"{page}picture.jpg").status_code == 404
    assert min_.post(page, {"act": "pass", "looked": "1"}).status_code == 302
    answer = pan.get(f"{page}picture.jpg?save=1")
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"Exif" not in answer.content[:200]
    assert min_.post(page, {"act": "refuse"}).status_code == 422


def test_what_is_finer_than_twenty_centimetres_is_gone() -> None:
    """Letters as a plate has them, a black bar of 6 cm every 12 cm, leave nothing; a wall of two metres stays."""
    wide, metres = 800, 40.0  # 5 cm a pixel
    columns = np.arange(wide)
    stripes = np.where(columns % 2, 255, 0).astype(np.uint8)
    wall = np.where((columns // 40) % 2, 255, 0).astype(np.uint8)
    image = np.repeat(
        np.stack([np.tile(stripes, (wide // 2, 1)), np.tile(wall, (wide // 2, 1))]).reshape(wide, wide)[..., None], 3, 2
    )
    soft = child.softened(np.ascontiguousarray(image), metres)
    plate, kept = soft[50:350, 50:-50, 0].astype(float), soft[450:750, 50:-50, 0].astype(float)
    assert plate.std() < 10, "the broken twin: unsoftened it is 127"
    assert image[50:350, :, 0].std() > 100
    assert kept.std() > 100
    child.hide(soft, [0.0, 0.5, 0.5, 1.0])
    assert len(np.unique(cv2.cvtColor(soft[420:780, 10:390], cv2.COLOR_RGB2GRAY))) <= 36
