"""A document's first table as CSV, UTF-8 with the mark that spreadsheets look for."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from . import Cell, Document
from .cells import harmless

EVERY = 500


def write(document: Document, path: Path, tell: Callable[[int], None]) -> None:
    """Write the file; ``tell`` hears how many rows are done, every so many."""
    table = document.tables[0]
    done = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(heading) for heading in table.headings])
        for row in table.rows:
            writer.writerow([_said(cell) for cell in row])
            done += 1
            if done % EVERY == 0:
                tell(done)
    tell(done)


def _said(cell: Cell) -> str:
    if cell is None:
        return ""
    return harmless(cell) if isinstance(cell, str) else f"{cell:.6g}" if isinstance(cell, float) else str(cell)
