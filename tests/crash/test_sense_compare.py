"""A comparison killed by kill -9 as it reports each stage, and begun again, answers byte for byte what one left alone does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jiequ.sense.children import Child

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
KILLED_AT = ("overview", "surface", "register", "picture")
Before = Callable[[Path], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two synthetic dates in a store's folder."""
    from jiequ.sense.engine import flights

    folder = tmp_path_factory.mktemp("store")
    flights.render(flights.FlightSite("K", 113.5, 23.18, 96.0), folder, seed=3, stories=("new_building", "roof_shed"))
    keys = {when: {kind: f"{when}_{kind}.tif" for kind in ("ortho", "dsm")} for when in ("before", "after")}
    return {"place": {"kind": "folder", "root": str(folder)}, **keys}


def request(place: dict[str, Any], work: Path) -> dict[str, Any]:
    return {
        "do": "compare",
        "area": None,
        "cut": None,
        "weights": "",
        "runner": "pool",
        "processes": 2,
        "work": str(work),
        **place,
    }


def said(child: Child) -> Iterator[dict[str, Any]]:
    while (told := child.said.get(timeout=120)) is not None:
        yield told


def run(place: dict[str, Any], work: Path, *, kill_at: str = "") -> bytes:
    """What it answered; b"" if it was killed, which waits for its report of that stage and for no clock."""
    child = Child("compare")
    try:
        child.send("k", request(place, work))
        for told in said(child):
            if "progress" not in told:
                assert "outcome" in told, told
                return Path(told["outcome"]).read_bytes()
            if told["progress"]["stage"] == kill_at:
                return b""
        raise AssertionError("it ended by itself")
    finally:
        child.kill()


def under_kills(place: dict[str, Any], work: Path, before_each: Before = lambda work: None) -> bytes:
    """Killed in one stage after the other; what was done before a kill is not done again after it."""
    done: dict[str, tuple[int, int]] = {}
    for stage in KILLED_AT:
        before_each(work)
        assert run(place, work, kill_at=stage) == b""
        now = kept(work)
        assert {name: now.get(name) for name in done} == done, f"done again after a kill in {stage}"
        done = now
    assert done, "the kills came before anything was done"
    return run(place, work)


def kept(work: Path) -> dict[str, tuple[int, int]]:
    return {str(file.relative_to(work)): (file.stat().st_ino, file.stat().st_mtime_ns) for file in work.rglob("*.npz")}


def test_killed_in_each_stage_it_ends_in_the_same_bytes_and_does_nothing_twice(place: dict[str, Any], tmp_path: Path) -> None:
    alone = run(place, tmp_path / "alone")
    assert b'"new_building"' in alone
    assert under_kills(place, tmp_path / "killed") == alone


def test_one_that_begins_from_nothing_each_time_is_found_out(place: dict[str, Any], tmp_path: Path) -> None:
    """The broken twin."""
    with pytest.raises(AssertionError, match="done again"):
        under_kills(place, tmp_path / "twin", before_each=lambda work: shutil.rmtree(work, ignore_errors=True))
