"""kill -9 while photos come in: no row without its file, no half file, no acknowledged photo lost (RELIABILITY rows 1, 3)."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jiequ.core.models import Picture
from jiequ.core.picture_files import Variant, place

ROOT = Path(__file__).resolve().parents[2]
KILLS, MOST_KILLS = 6, 30
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: object) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    return tmp_path


def _killed_run(var: Path, how: str, chance: random.Random) -> list[str]:
    """Let it store a few, kill it in the middle of the next; returns what it had acknowledged."""
    environment = {**os.environ, "JIEQU_VAR": str(var)}
    words = [sys.executable, "-m", "tests.crash.picture_admitter", how]
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(chance.randint(1, 8))]
        time.sleep(chance.uniform(0, 0.02))  # somewhere inside one of the next
        process.kill()
        told += [line.strip() for line in process.stdout if line.endswith("\n")]
    return told


def _rows_without_file() -> list[str]:
    stored = Picture.objects.values_list("sha256", flat=True)
    return [sha256 for sha256 in stored if not all(place(sha256, variant).is_file() for variant in Variant)]


def test_no_kill_leaves_a_row_without_its_file_or_half_a_file(media: Path) -> None:
    chance, told = random.Random(1), []
    for _ in range(KILLS):
        told += _killed_run(media, "real", chance)
    assert len(told) >= KILLS
    assert set(told) <= set(Picture.objects.values_list("sha256", flat=True)), "acknowledged and lost"
    assert _rows_without_file() == []
    whole = [file for file in (media / "media" / "pictures").rglob("*.jpg") if ".thumb." not in file.name]
    assert len(whole) >= len(told)
    assert [file for file in whole if hashlib.sha256(file.read_bytes()).hexdigest() != file.stem] == []


def test_the_twin_that_writes_the_row_first_leaves_rows_without_files(media: Path) -> None:
    chance = random.Random(2)
    for _ in range(MOST_KILLS):
        _killed_run(media, "row_first", chance)
        if _rows_without_file():
            return
    pytest.fail("the kills never hit the gap: this test would not see a wrong order")
