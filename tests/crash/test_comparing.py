"""kill -9 in any stage of a comparison, or of one of Dask's workers: called again, it finds the same polygons to the byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pytest

from jiequ.sense.engine.compare import compare
from jiequ.sense.engine.rasters import WORKER_CACHE_MB
from tests.crash.comparing import SMALL, flights
from tests.support.rasters import picture, terrain, with_house, write

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("hash", "overview", "relief", "surface", "register", "picture", "join")
pytestmark = [pytest.mark.sqlite, pytest.mark.filterwarnings("ignore:Use `@` matmul")]  # touches no database; affine 3.1


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dates of 280 pixels with a house more and a shed more; surfaces and pictures."""
    found, size = tmp_path_factory.mktemp("flights"), 280
    houses = [(60, 40, 24, 16, 6.0), (190, 180, 14, 20, 2.8)]
    image, ground = picture(size), terrain(size)
    later = image.copy()
    for row, column, height, width, _ in houses:
        later[:, row : row + height, column : column + width] = np.array([40, 90, 190], np.uint8)[:, None, None]
    for number, (one, heights) in enumerate([(image, ground), (later, with_house(ground, *houses))]):
        write(found / f"ortho{number}.tif", one)
        write(found / f"dsm{number}.tif", heights, nodata=-9999)
    return found


@pytest.fixture(scope="module")
def whole(where: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What an undisturbed run finds."""
    work = tmp_path_factory.mktemp("whole")
    assert compare(*flights(where), work=work, parameters=SMALL, processes=1).findings
    return (work / "outcome.json").read_bytes()


def killed_at(where: Path, work: Path, stage: str, how: str = "real") -> bool:
    """Begin, or go on; kill -9 at the word of this stage. False if it never came so far."""
    words = [sys.executable, "-m", "tests.crash.comparing", str(where), str(work), how]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told, done, of = line.split()
            if told == stage and (int(done) > 0 or int(of) == 0):
                process.kill()
                return True
    return False


def test_killed_in_every_stage_in_turn_it_finds_the_same_to_the_byte(where: Path, whole: bytes, tmp_path: Path) -> None:
    assert [stage for stage in STAGES if not killed_at(where, tmp_path, stage)] == []
    assert not (tmp_path / "outcome.json").exists()
    compare(*flights(where), work=tmp_path, parameters=SMALL, processes=1)
    assert (tmp_path / "outcome.json").read_bytes() == whole


def test_killed_while_a_result_is_written_it_takes_no_half_for_a_whole(where: Path, whole: bytes, tmp_path: Path) -> None:
    assert killed_at(where, tmp_path, "writing", "writing")
    assert list(tmp_path.rglob("*.part"))
    compare(*flights(where), work=tmp_path, parameters=SMALL, processes=1)
    assert (tmp_path / "outcome.json").read_bytes() == whole
    assert not list(tmp_path.rglob("*.part"))


def test_the_twin_that_writes_under_the_name_at_once_is_found_out(where: Path, tmp_path: Path) -> None:
    assert killed_at(where, tmp_path, "half", "halves")
    with pytest.raises((BadZipFile, ValueError, EOFError, KeyError)):
        compare(*flights(where), work=tmp_path, parameters=SMALL, processes=1)


@pytest.fixture(scope="module")
def cluster() -> Any:
    """A scheduler and two workers, each a process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50) as found:
        yield found


@pytest.mark.filterwarnings("ignore")  # distributed's own, in its threads
@pytest.mark.parametrize("victims", [0, 1])
def test_two_workers_of_dask_find_the_same_also_when_one_is_killed(
    where: Path, whole: bytes, tmp_path: Path, cluster: Any, victims: int
) -> None:
    from distributed import Client

    killed: list[int] = []

    def kill_one(stage: str, done: int, _of: int) -> None:
        if victims and stage == "surface" and done == 2 and not killed:
            killed.append(next(iter(cluster.workers.values())).process.pid)
            os.kill(killed[0], signal.SIGKILL)

    told: Any = {"runner": cluster.scheduler_address, "progress": kill_one}
    compare(*flights(where), work=tmp_path, parameters=SMALL, **told)
    assert len(killed) == victims
    assert (tmp_path / "outcome.json").read_bytes() == whole
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        caches = client.run(os.getenv, "GDAL_CACHEMAX").values()
    assert str(WORKER_CACHE_MB) in caches, "or GDAL keeps a twentieth of the machine's memory in each"
