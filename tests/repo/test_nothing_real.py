"""No sentence of the real texts beside the project stands in the project: not in code, data, tests, documents or a model."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "real" / "text"
LENGTH = 15
"""Characters in a row, all Chinese: names of offices and laws are shorter, a copied sentence is not."""

LOOKED_AT = (".py", ".txt", ".csv", ".json", ".md", ".html", ".po", ".js")
RUN = re.compile(rf"[\u4e00-\u9fff]{{{LENGTH},}}")


def shingles(text: str) -> Iterator[str]:
    """Every run of ``LENGTH`` Chinese characters."""
    for run in RUN.findall(text):
        yield from (run[at : at + LENGTH] for at in range(len(run) - LENGTH + 1))


def copied(ours: set[str], texts: Iterable[str]) -> int:
    """How many of the texts hold something of ours."""
    return sum(not ours.isdisjoint(shingles(text)) for text in texts)


def our_own() -> set[str]:
    """What stands in the repository's texts."""
    found: set[str] = set()
    for folder in ("jiequ", "docs", "tests", "bench", "emulator"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in LOOKED_AT and "node_modules" not in path.parts:
                found.update(shingles(path.read_text(encoding="utf-8", errors="replace")))
    return found


def real_texts() -> Iterator[str]:
    """Every cell of the real texts."""
    csv.field_size_limit(10**8)
    for path in sorted(REAL.glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                yield from row


def test_a_copied_sentence_would_be_found() -> None:
    said = "这一句话是为了看看抄来的句子会不会被找出来"
    assert copied(set(shingles(f"x = '{said}'")), [f"您好，{said}。"]) == 1
    assert copied(set(shingles(said)), ["这一句话说的是另外一件完全不同的事情与它无关"]) == 0


@pytest.mark.skipif(not REAL.is_dir(), reason="the real texts are not beside the project")
def test_no_sentence_of_the_real_texts_is_ours() -> None:
    assert copied(our_own(), real_texts()) == 0
