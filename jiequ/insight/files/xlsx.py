"""A document as XLSX, row by row in constant memory. Used by jobs only: xlsxwriter never enters a web worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import Cell, Document, Table
from .cells import plain

EVERY = 500
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def write(document: Document, path: Path, tell: Callable[[int], None]) -> None:
    """Write the file; ``tell`` hears how many rows are done, every so many."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        looks = {
            "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#E6ECEE"}),
            "title": book.add_format({"bold": True, "font_size": 14}),
            "whole": book.add_format({"num_format": "0"}),
            "share": book.add_format({"num_format": "0.0%"}),
        }
        done, names = 0, set[str]()
        for table in document.tables:
            sheet = book.add_worksheet(_sheet_name(table.name, names))
            sheet.set_column(0, max(0, len(table.headings) - 1), 18)
            done = _fill(sheet, document, table, looks, done, tell)
    tell(done)


def _sheet_name(name: str, taken: set[str]) -> str:
    base = _NOT_IN_NAMES.sub(" ", plain(name)).strip()[:28] or "1"
    found = base if base not in taken else f"{base} {len(taken) + 1}"
    taken.add(found)
    return found


def _fill(sheet: Any, document: Document, table: Table, looks: Any, done: int, tell: Callable[[int], None]) -> int:
    line = 0
    sheet.write_string(line, 0, plain(document.title), looks["title"])
    for text in (f"{document.place} · {document.span}", *table.above, *document.notes):
        line += 1
        sheet.write_string(line, 0, plain(text))
    line += 2
    for column, heading in enumerate(table.headings):
        sheet.write_string(line, column, plain(heading), looks["head"])
    sheet.freeze_panes(line + 1, 0)
    for row in table.rows:
        line += 1
        for column, (cell, kind) in enumerate(zip(row, table.kinds, strict=True)):
            _put(sheet, line, column, cell, kind, looks)
        done += 1
        if done % EVERY == 0:
            tell(done)
    return done


def _put(sheet: Any, line: int, column: int, cell: Cell, kind: str, looks: Any) -> None:
    if cell is None:
        return
    if isinstance(cell, str):
        sheet.write_string(line, column, plain(cell))
    else:
        sheet.write_number(line, column, cell, looks.get(kind))
