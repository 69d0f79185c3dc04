"""The roster workbook: its sheets and columns, read into rows that know where they came from. Pure but for openpyxl.

Every fault names sheet, row and column; all of them are collected, so that one pass shows the operator everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

MOST_ROWS = 20_000


@dataclass(frozen=True)
class Column:
    """One column: what the code calls it, its heading in both languages, whether it must be filled, its words."""

    name: str
    heading: str
    english: str
    is_required: bool = True
    words: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """One sheet and its columns."""

    title: str
    english: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Row:
    """One filled row and where it stands."""

    sheet: Sheet
    number: int
    values: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(frozen=True)
class Fault:
    """What is wrong in one cell."""

    sheet: str
    row: int
    column: str
    words: str

    def __str__(self) -> str:
        facts = {"sheet": self.sheet, "row": self.row, "column": self.column, "words": self.words}
        if not self.row:
            return _("工作表“%(sheet)s”：%(words)s") % facts
        return _("工作表“%(sheet)s”第 %(row)d 行“%(column)s”：%(words)s") % facts


class Unreadable(Exception):
    """Not a workbook at all."""


def fault_at(row: Row, column: str, words: str) -> Fault:
    """A fault in a column of a row; the first column if the name is none of the sheet's."""
    found = next((one for one in row.sheet.columns if one.name == column), row.sheet.columns[0])
    return Fault(row.sheet.title, row.number, found.heading, words)


def read(file: Path, sheets: tuple[Sheet, ...]) -> tuple[dict[str, list[Row]], list[Fault]]:
    """The rows by sheet title, and everything wrong with their shape. Raises Unreadable."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as error:
        raise Unreadable(
            _("%(file)s 不是能读的 XLSX 工作簿（%(error)s）") % {"file": file, "error": type(error).__name__}
        ) from None
    rows: dict[str, list[Row]] = {}
    faults: list[Fault] = []
    try:
        names = {name.strip().lower(): name for name in book.sheetnames}
        for sheet in sheets:
            name = names.get(sheet.title) or names.get(sheet.english.lower())
            if name is None:
                faults.append(Fault(sheet.title, 0, "", _("工作簿里没有这张表")))
                continue
            rows[sheet.title], found = _read_sheet(sheet, book[name])
            faults += found
    finally:
        book.close()
    return rows, faults


def _read_sheet(sheet: Sheet, page: Any) -> tuple[list[Row], list[Fault]]:
    lines = page.iter_rows(values_only=True)
    headings = [_text(cell).rstrip("*").strip().lower() for cell in next(lines, ())]
    places, faults = {}, []
    for column in sheet.columns:
        found = [heading for heading in (column.heading.lower(), column.english.lower()) if heading in headings]
        if found:
            places[column.name] = headings.index(found[0])
        elif column.is_required:
            faults.append(Fault(sheet.title, 1, column.heading, _("缺少这一列")))
    if faults:
        return [], faults
    rows = []
    for number, cells in enumerate(lines, 2):
        if number > MOST_ROWS:
            faults.append(
                Fault(sheet.title, number, sheet.columns[0].heading, _("行数太多，最多 %(most)d 行") % {"most": MOST_ROWS})
            )
            break
        values = {name: _text(cells[place]) if place < len(cells) else "" for name, place in places.items()}
        if any(values.values()):
            row = Row(sheet, number, values)
            faults += _faults_of(row)
            rows.append(Row(sheet, number, {**values, **_known_words(row)}))
    return rows, faults


def _faults_of(row: Row) -> list[Fault]:
    faults = []
    for column in row.sheet.columns:
        value = row[column.name]
        if not value and column.is_required:
            faults.append(fault_at(row, column.name, _("没有填")))
        elif value and column.words and value not in column.words and value not in column.words.values():
            known = "、".join(column.words)
            faults.append(
                fault_at(row, column.name, _("“%(value)s”不认识，可填：%(known)s") % {"value": value, "known": known})
            )
    return faults


def _known_words(row: Row) -> dict[str, str]:
    return {c.name: c.words.get(row[c.name], row[c.name]) for c in row.sheet.columns if c.words and row[c.name]}


def _text(value: Any) -> str:
    """A cell as a person reads it: a phone number typed as a number has no decimals."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return " ".join(str(value).split())


def write_example(file: Path, sheets: tuple[Sheet, ...], examples: dict[str, list[dict[str, str]]]) -> None:
    """A workbook to fill in: headings (a star where a value is needed), choices, and invented rows."""
    import openpyxl
    from openpyxl.styles import Font, PatternFill
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in sheets:
        page = book.create_sheet(sheet.title)
        page.freeze_panes = "A2"
        for place, column in enumerate(sheet.columns, 1):
            cell = page.cell(1, place, column.heading + (" *" if column.is_required else ""))
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DDE8F6")
            letter = cell.column_letter
            page.column_dimensions[letter].width = 18
            if column.words:
                choice = DataValidation(type="list", formula1='"' + ",".join(column.words) + '"', allow_blank=True)
                page.add_data_validation(choice)
                choice.add(f"{letter}2:{letter}{MOST_ROWS}")
            for number, example in enumerate(examples.get(sheet.title, []), 2):
                page.cell(number, place, example.get(column.name, "")).number_format = "@"
    book.save(file)
