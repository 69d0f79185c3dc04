"""A picture is only a picture (RELIABILITY rows 26-28): some 200 hostile files, and what is left of them behind the door."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jiequ.core import decode, pictures
from jiequ.core.errors import Refusal
from tests.hostile import picture_files
from tests.hostile.picture_files import CANARY, Hostile

ROOT = Path(__file__).resolve().parents[2]
MOST_MB = 250
pytestmark = pytest.mark.sqlite  # touches no database: once is enough


def traces(data: bytes) -> list[str]:
    """What a stored picture must not hold: anything but pixels."""
    found = [
        word.decode() for word in (CANARY, b"<script", b"Exif", b"http:", b"PK\x03\x04", b"%PDF", b"<?php") if word in data
    ]
    at = 2
    while data[at + 1] != 0xDA:  # up to the pixels
        if data[at + 1] == 0xFE or (0xE0 < data[at + 1] <= 0xEF):
            found.append(f"segment {data[at + 1]:02X}")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    if not data.endswith(b"\xff\xd9") or data.find(b"\xff\xd9", at) != len(data) - 2:
        found.append("bytes after the picture")
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """What one process made of all files."""

    answers: dict[str, list[Any]]
    peak_mb: dict[str, float]
    media: Path


def run(folder: Path, var: Path, how: str) -> Run:
    environment = {
        "JIEQU_MODE": "test",
        "JIEQU_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "jiequ.web.settings",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.picture_worker", str(folder), how],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return Run(answer["answers"], answer["peak_mb"], var / "media")


@pytest.fixture(scope="module")
def hostile() -> list[Hostile]:
    return picture_files.all_files()


@pytest.fixture(scope="module")
def door(hostile: list[Hostile], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, var = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("var")
    for file in hostile:
        (folder / file.name).write_bytes(file.data)
    return run(folder, var, "door")


def test_there_are_at_least_200_hostile_files_and_each_got_an_answer(hostile: list[Hostile], door: Run) -> None:
    assert len(hostile) >= 200
    assert set(door.answers) == {file.name for file in hostile}


def test_each_file_is_refused_or_cleaned_as_it_should_be(hostile: list[Hostile], door: Run) -> None:
    wrong = [
        (file.name, file.expected, door.answers[file.name])
        for file in hostile
        if file.expected != "either" and door.answers[file.name][0] != file.expected
    ]
    assert wrong == []


def test_every_refusal_is_a_sentence_that_shows_nothing_of_the_machinery(door: Run) -> None:
    sentences = {answer[2] for answer in door.answers.values() if answer[0] == "refused"}
    assert len(sentences) >= 8
    for sentence in sentences:
        assert len(sentence) > 8
        assert not re.search(r"Error|Traceback|PIL|\bat 0x|CANARY", sentence), sentence


def test_what_is_stored_is_a_small_jpeg_of_pixels_and_nothing_else(door: Run) -> None:
    stored = [file for file in door.media.rglob("*") if file.is_file() and file.name != ".lock"]
    cleaned = {answer[1] for answer in door.answers.values() if answer[0] == "cleaned"}
    assert {file.name.split(".")[0] for file in stored} == cleaned
    assert len(stored) == 2 * len(cleaned)
    dirty = {}
    for file in stored:
        data = file.read_bytes()
        if found := traces(data):
            dirty[file.name] = found
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert max(image.size) <= (pictures.decode.THUMB_SIDE if ".thumb." in file.name else pictures.decode.LONG_SIDE)
            assert not image.getexif()
            image.load()
    assert dirty == {}


def test_neither_the_worker_nor_its_decoder_ever_holds_250_mb(door: Run) -> None:
    assert door.peak_mb["own"] < MOST_MB
    assert door.peak_mb["children"] < MOST_MB


def test_a_plain_upload_would_have_held_more_than_250_mb_for_a_file_of_a_few_kilobytes(
    hostile: list[Hostile], tmp_path: Path
) -> None:
    bomb = next(file for file in hostile if file.name == "81-megapixels.png")
    assert len(bomb.data) < 15_000
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bomb.png").write_bytes(bomb.data)
    twin = run(tmp_path / "in", tmp_path / "var", "naive")
    assert twin.answers["bomb.png"][0] == "cleaned"
    assert twin.peak_mb["own"] > MOST_MB, "the measurement must see what the door prevents"


def test_a_plain_save_keeps_the_comment_and_the_detector_sees_it() -> None:
    with Image.open(io.BytesIO(picture_files.saved("JPEG", comment=CANARY))) as image:
        out = io.BytesIO()
        image.save(out, "JPEG")
    assert traces(out.getvalue()) == [CANARY.decode(), "segment FE"]


@pytest.mark.parametrize("kind", ["script", "zip", "both", "zeros"])
def test_the_detector_sees_every_tail(hostile: list[Hostile], kind: str) -> None:
    assert "bytes after the picture" in traces(next(file.data for file in hostile if file.name == f"JPEG+{kind}"))


def test_a_picture_of_endless_scans_is_stopped_by_its_processor_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = picture_files.saved("JPEG", Image.effect_noise((3000, 3000), 90).convert("RGB"), progressive=True, quality=70)
    last = whole.rindex(b"\xff\xda")
    endless = whole[:-2] + whole[last:-2] * 400 + b"\xff\xd9"
    assert len(endless[: pictures.MAX_BYTES]) > len(whole)
    monkeypatch.setattr(decode, "CPU_SECONDS", 1)
    with pytest.raises(Refusal) as refused:
        pictures.clean(io.BytesIO(endless[: pictures.MAX_BYTES]))
    assert refused.value.code in {"picture_heavy", "picture_damaged"}
