"""A stranger's imagery costs a sentence: refused by its headers, or read in bounded memory, nothing half stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jiequ.sense.engine.ingest import inspect
from jiequ.sense.engine.shapes import Unusable
from tests.hostile.imagery_files import FILES, TAKEN, jpeg, raster
from tests.support.rasters import picture

ROOT = Path(__file__).resolve().parents[2]
MOST_RISE_MB = 260  # a whole photo of 40 megapixels in RGB, and what is made of it
pytestmark = [pytest.mark.sqlite, pytest.mark.filterwarnings("ignore:Use `@` matmul")]  # touches no database; affine 3.1


def worked(folder: Path, store: Path, how: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hostile.imagery_worker", str(folder), str(store), how]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("imagery")
    raster(picture(128), nodata=0)(found / "0-honest.tif")
    for one in FILES:
        one.make(found / one.name)
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "store"


@pytest.fixture(scope="module")
def found(folder: Path, store: Path) -> dict[str, Any]:
    return worked(folder, store, "ours")


def test_each_file_gets_the_sentence_that_is_meant_for_it(found: dict[str, Any]) -> None:
    said = {name: answer["said"] for name, answer in found["answers"].items()}
    assert said == {"0-honest.tif": TAKEN} | {one.name: one.said for one in FILES}
    missing = {one.name: set(one.notes) - set(found["answers"][one.name].get("notes", [])) for one in FILES}
    assert {name for name, notes in missing.items() if notes} == set()


def test_none_costs_more_memory_than_an_honest_photo_may(found: dict[str, Any]) -> None:
    assert found["rise_mb"] < MOST_RISE_MB, found["peaks"]


def test_a_reader_without_bounds_fails_the_same_test(folder: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for name in ("0-honest.tif", "one-strip.tif"):
        (few / name).symlink_to(folder / name)
    assert worked(few, tmp_path / "store", "naive")["rise_mb"] > MOST_RISE_MB


def test_what_was_refused_left_nothing_in_the_store_and_what_was_taken_is_whole(found: dict[str, Any], store: Path) -> None:
    taken = {Path(name).stem for name, answer in found["answers"].items() if answer["said"] == TAKEN and name.endswith(".tif")}
    kept = sorted(str(path.relative_to(store / "1")) for path in store.rglob("*") if path.is_file())
    assert kept == sorted(f"{name}/{file}" for name in taken for file in ("image.tif", "item.json"))
    for name in taken:
        inspect(store / "1" / name / "image.tif")


@pytest.mark.parametrize("kind", ["tif", "jpg"])
def test_a_file_with_bytes_changed_at_random_is_taken_or_refused_and_nothing_else(tmp_path: Path, kind: str) -> None:
    path, dice = tmp_path / f"file.{kind}", np.random.default_rng(11)
    (raster(picture(96)) if kind == "tif" else jpeg(size=(200, 150)))(path)
    whole, refused = path.read_bytes(), 0
    for _ in range(120):
        harmed = np.frombuffer(whole, np.uint8).copy()
        reach = len(harmed) if dice.random() < 0.5 else 700  # in headers half of the time
        places = dice.integers(0, min(reach, len(harmed)), int(dice.integers(1, 12)))
        harmed[places] = dice.integers(0, 256, len(places))
        path.write_bytes(harmed.tobytes())
        try:
            inspect(path)
        except Unusable:
            refused += 1
    assert refused > 10
