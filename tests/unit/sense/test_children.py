"""A child that dies over a request is replaced at once, once; what it held open is closed; nothing else looks like that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jiequ.sense import children

pytestmark = pytest.mark.sqlite  # touches no database
DIES = """
import json, os, pathlib, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    died = pathlib.Path(asked["died"])
    if len(died.read_text()) < asked["times"]:
        died.write_text(died.read_text() + "x")
        os._exit(9)
    if asked.get("silent"):
        time.sleep(60)
    print(json.dumps({"answer": asked["say"]}), flush=True)
"""


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[children.Child]]:
    """Children that do as they are told; those that were begun."""
    begun: list[children.Child] = []
    real = children.Child

    def remembered(role: str) -> children.Child:
        begun.append(real(role))
        return begun[-1]

    monkeypatch.setattr(children, "COMMAND", (sys.executable, "-c", DIES))
    monkeypatch.setattr(children, "Child", remembered)
    yield begun
    for one in begun:
        one.kill()
    children._children.clear()


def request(tmp_path: Path, times: int, **more: Any) -> dict[str, Any]:
    died = tmp_path / "died"
    died.write_text("")
    return {"died": str(died), "times": times, "say": "done", **more}


def test_a_child_that_died_once_is_replaced_and_the_answer_comes_to_the_same_question(
    tmp_path: Path, scripted: list[children.Child]
) -> None:
    assert children.ask("test", "one", request(tmp_path, 1), seconds=30) == {"answer": "done"}
    dead, living = scripted
    assert all(pipe is not None and pipe.closed for pipe in (dead.process.stdin, dead.process.stdout))
    assert living.process.poll() is None


def test_dying_twice_is_the_fault_of_the_file_and_is_forgotten_with_it(tmp_path: Path, scripted: list[children.Child]) -> None:
    assert children.ask("test", "two", request(tmp_path, 9), seconds=30) == {"fault": "crashed", "facts": {}}
    assert len(scripted) == 2
    assert all(pipe is not None and pipe.closed for one in scripted for pipe in (one.process.stdin, one.process.stdout))
    assert children.ask("test", "two", request(tmp_path, 0), seconds=30) == {"answer": "done"}


def test_no_answer_yet_is_none_after_the_slice_that_is_set_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripted: list[children.Child]
) -> None:
    monkeypatch.setattr(children, "SLICE_SECONDS", 0.05)
    assert children.ask("test", "three", request(tmp_path, 0, silent=True)) is None
    assert children.is_busy("test", "three")
    assert len(scripted) == 1
