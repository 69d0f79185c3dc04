"""EXIF only confirms: what the page recorded stands, and the desk reads where a photo says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jiequ.cases.models import Case
from tests.actors import NOW, MovableClock, World
from tests.hostile.picture_files import exif, saved

CHINA = timezone(timedelta(hours=8))
WORDS = {"place": "离上报的地点 500 米以上", "time": "和上报时间相差一天以上"}


@pytest.mark.parametrize(
    ("east", "taken", "told"),
    [
        (0.0, NOW, []),
        (0.001, NOW - timedelta(hours=20), []),
        (0.02, NOW, ["place"]),
        (0.0, datetime(2026, 3, 1, 2, 0, tzinfo=UTC), ["time"]),
    ],
)
def test_the_desk_reads_where_a_photo_disagrees_and_nothing_else_changes(
    world: World, clock: MovableClock, settings: Any, tmp_path: Path, east: float, taken: datetime, told: list[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    lon, lat = world.point_in("a")
    data = exif(lon=lon + east, lat=lat, when=taken.astimezone(CHINA).strftime("%Y:%m:%d %H:%M:%S"))
    photo = SimpleUploadedFile("photo.jpg", saved("JPEG", exif=data), "image/jpeg")
    form = {"lon": lon, "lat": lat, "accuracy_m": "12", "system": "cgcs2000", "located_at": NOW.isoformat(), "photos": photo}
    assert Client().post("/report/", form).status_code == 303
    case = Case.objects.get()
    assert case.lon == pytest.approx(lon, abs=1e-6)
    assert not case.is_suspect
    page = world.client("lin").get(f"/cases/{case.number}/").content.decode()
    assert [name for name, words in WORDS.items() if words in page] == told
