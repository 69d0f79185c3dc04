"""docs/reliability.md promises by tests: each test it names is there, and every fault of a channel has one that makes it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(?:([\w/]+\.py)::)?((?:test_|Test)\w+)`")
FILES = re.compile(r"`((?:tests/[\w/]*)?test_\w+\.py)`")
CHANNELS = {"WeChat", "WeCom", "text messages", "letters", "Open311, asked", "Open311, asking", "the hotline", "a webhook"}


@cache
def known_tests() -> dict[str, list[str]]:
    """The files in which a test (or class of tests) of that name stands."""
    found = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.lower().startswith("test"):
                found[node.name].append(file.relative_to(ROOT).as_posix())
    return found


def missing(text: str) -> list[str]:
    """Named tests and files that are not there, and names that mean several tests."""
    wrong = []
    for file, name in NAMED.findall(text):
        places = [place for place in known_tests()[name] if not file or f"/{place}".endswith(f"/{file}")]
        if len(places) != 1:
            wrong.append(f"{file}::{name}: in {places or 'no file'}")
    there = [file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")]
    return wrong + [file for file in FILES.findall(text) if not any(f"/{one}".endswith(f"/{file}") for one in there)]


def tables(text: str) -> dict[str, list[list[str]]]:
    """The rows of each table of faults, by the channel in its head."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if head := re.match(r"\| fault of (.+?) \|", line):
            rows = found.setdefault(head[1], [])
        elif not line.startswith("|"):
            rows = []
        elif not line.startswith("|---"):
            rows.append(cells)
    return found


def unproved(text: str) -> list[str]:
    """Faults beside which no test stands."""
    return [
        f"{channel}: {row[0]}"
        for channel, rows in tables(text).items()
        for row in rows
        if len(row) != 3 or not NAMED.search(row[2])
    ]


def test_each_test_that_the_document_names_is_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 100
    assert missing(text) == []


def test_every_fault_of_every_channel_has_its_test() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert set(tables(text)) >= CHANNELS
    assert min(map(len, tables(text).values())) >= 4
    assert unproved(text) == []


def test_a_test_that_is_gone_and_a_fault_without_one_would_be_seen() -> None:
    """The broken twins."""
    gone = "`test_that_nobody_wrote`, `test_sms.py::test_that_nobody_wrote`, `tests/crash/test_nothing.py`, `test_nothing.py`"
    assert len(missing(gone)) == 4
    assert missing("`test_a_fault_that_lasts_is_told_never_silent`"), "two tests have this name: which is meant?"
    head = "| fault of WeChat | outcome | shown by |\n|---|---|---|\n"
    assert unproved(head + "| it sulks | we wait | nothing |\n") == ["WeChat: it sulks"]
    assert unproved(head + "| it sulks | we wait |\n") == ["WeChat: it sulks"]
