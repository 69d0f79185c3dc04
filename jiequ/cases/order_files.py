"""Files of orders read row by row: CSV (UTF-8, UTF-16 with its mark, GB18030), XLSX, a JSON array, JSON lines.

A row that cannot be read is handed on as such with its line; the rows after it are read all the same.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

CHUNK = 1 << 20
LONGEST_CELL = 1 << 22
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unreadable(Exception):
    """The file as a whole cannot be read; why, in words."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file; ``fault`` says why it cannot be used."""

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass
class OrderFile:
    """One file: its columns, how many rows it may have, its hash, and ``rows()``."""

    path: Path
    kind: str
    encoding: str
    size: int
    about_rows: int
    sha256: str
    headings: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[RawRow]:
        """Every row, in order."""
        reader = {"csv": _csv_rows, "xlsx": _xlsx_rows, "json": _json_rows, "jsonl": _json_line_rows}[self.kind]
        return reader(self)


def open_orders(path: Path) -> OrderFile:
    """The file made out: its kind by ending and content, its columns. Unreadable if that fails."""
    if not path.is_file():
        raise Unreadable(_("没有文件 %(file)s") % {"file": path})
    digest, lines, encoding = _looked_through(path)
    kind = _kind_of(path, encoding)
    found = OrderFile(path, kind, encoding, path.stat().st_size, max(0, lines - (kind == "csv")), digest)
    try:
        found.headings = _headings(found)
    except (csv.Error, UnicodeError, ValueError, KeyError, OSError) as fault:
        raise Unreadable(_("读不了 %(file)s：%(fault)s") % {"file": path.name, "fault": fault}) from fault
    if not found.headings:
        raise Unreadable(_("%(file)s 里没有列名") % {"file": path.name})
    twice = {heading for heading in found.headings if found.headings.count(heading) > 1}
    if twice:
        raise Unreadable(_("有两列同名：%(names)s") % {"names": "、".join(sorted(twice))})
    return found


def _looked_through(path: Path) -> tuple[str, int, str]:
    """Hash, lines and encoding, in one pass: UTF-8 if all of it is, else GB18030, which holds every Chinese code page."""
    digest, lines = hashlib.sha256(), 0
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        start = file.read(3)
        marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
        file.seek(0)
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            lines += chunk.count(b"\n")
            decoder = _still(decoder, chunk)
    return digest.hexdigest(), lines, marked or ("utf-8" if decoder else "gb18030")


def _still(decoder: codecs.IncrementalDecoder | None, chunk: bytes) -> codecs.IncrementalDecoder | None:
    """The decoder, if it could read the chunk too."""
    try:
        if decoder:
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return None
    return decoder


def _kind_of(path: Path, encoding: str) -> str:
    ending = path.suffix.lower()
    if ending in {".xlsx", ".xlsm"}:
        return "xlsx"
    if ending in {".jsonl", ".ndjson"}:
        return "jsonl"
    with path.open(encoding=encoding, errors="replace") as file:
        first = file.read(4096).lstrip("\ufeff \t\r\n")
    if ending == ".json" or first[:1] in {"[", "{"}:
        return "json" if first.startswith("[") else "jsonl"
    return "csv"


def _headings(found: OrderFile) -> list[str]:
    if found.kind == "csv":
        with _text(found) as file:
            return _named(next(_cells(file), []))
    if found.kind == "xlsx":
        return _named([_words(cell) for cell in next(_sheet(found), ())])
    keys: dict[str, None] = {}
    for _number, row in zip(range(200), found.rows(), strict=False):
        keys |= dict.fromkeys(row.cells)
    return list(keys)


def _named(cells: list[str]) -> list[str]:
    """Headings without blanks around them; a nameless column is called by its place."""
    return [cell.strip() or f"#{place}" for place, cell in enumerate(cells, 1)]


# ---- CSV


def _text(found: OrderFile) -> IO[str]:
    return found.path.open(encoding=found.encoding, errors="replace", newline="")


def _cells(file: IO[str]) -> Iterator[list[str]]:
    """csv.reader; a comma or, where the first line has more of them, a semicolon or a tab."""
    csv.field_size_limit(LONGEST_CELL)
    first = file.readline()
    file.seek(0)
    delimiter = max(",;\t", key=first.count)
    return csv.reader(line.replace("\0", "") for line in file) if delimiter == "," else csv.reader(
        (line.replace("\0", "") for line in file), delimiter=delimiter
    )  # fmt: skip


def _csv_rows(found: OrderFile) -> Iterator[RawRow]:
    width = len(found.headings)
    with _text(found) as file:
        reader: Any = _cells(file)
        next(reader, None)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as fault:
                yield RawRow(reader.line_num, fault=_("读不了这一行：%(fault)s") % {"fault": fault})
                continue
            if not any(cells):
                continue
            why = "" if len(cells) == width else _("有 %(n)d 格，应有 %(width)d 格") % {"n": len(cells), "width": width}
            named = dict(zip(found.headings, cells, strict=False))
            if not why and "\ufffd" in "".join(cells):
                why = _("有不能解码的字")
            yield RawRow(reader.line_num, named, why)


# ---- XLSX


def _sheet(found: OrderFile) -> Iterator[tuple[Any, ...]]:
    import openpyxl

    try:
        with closing(openpyxl.load_workbook(found.path, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            yield from sheet.iter_rows(values_only=True)
    except Exception as fault:  # openpyxl raises what zipfile, its XML parser and it itself think of, in any row
        raise Unreadable(_("读不了 %(file)s：%(fault)s") % {"file": found.path.name, "fault": fault}) from fault


def _xlsx_rows(found: OrderFile) -> Iterator[RawRow]:
    rows = _sheet(found)
    next(rows, None)
    for number, cells in enumerate(rows, 2):
        words = [_words(cell) for cell in cells]
        if any(words):
            yield RawRow(number, dict(zip(found.headings, words, strict=False)))


def _words(value: Any) -> str:
    """A cell as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\0", "").strip()


# ---- JSON


def _json_line_rows(found: OrderFile) -> Iterator[RawRow]:
    with _text(found) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_row(number, line.lstrip("\ufeff"))


def _json_row(number: int, text: str) -> RawRow:
    try:
        return _object_row(number, json.loads(text))
    except (ValueError, RecursionError) as fault:
        return RawRow(number, {"": text.strip()[:1000]}, _("不是正确的 JSON：%(fault)s") % {"fault": fault})


def _object_row(number: int, value: Any) -> RawRow:
    if not isinstance(value, dict):
        return RawRow(number, {"": _whole(json.dumps(value, ensure_ascii=False)[:1000])}, _("不是一个对象"))
    cells = {_whole(str(key)): _whole(_json_words(cell)) for key, cell in value.items()}
    is_cut = any("\ufffd" in text for pair in cells.items() for text in pair)
    return RawRow(number, cells, _("有不能解码的字") if is_cut else "")


def _json_words(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _words(value)


def _whole(text: str) -> str:
    """Without half characters ("\\ud83d" alone), which no file and no database takes."""
    return _HALF.sub("\ufffd", text)


_HALF = re.compile("[\ud800-\udfff]")


def _json_rows(found: OrderFile) -> Iterator[RawRow]:
    """The objects of an array, a piece of the file at a time; ``line`` counts objects. What is broken ends the reading."""
    decoder, number, held, at = json.JSONDecoder(), 0, "", 0
    with _text(found) as file:
        while True:
            piece = file.read(CHUNK)
            held, at = held[at:] + piece, 0
            if number == 0 and at == 0:
                held = held.lstrip("\ufeff \t\r\n")
                at = 1 if held.startswith("[") else 0
            while True:
                at = _past_blanks(held, at)
                if held[at : at + 1] == "]":
                    return
                try:
                    value, at = decoder.raw_decode(held, at)
                except (ValueError, RecursionError) as fault:
                    if piece and isinstance(fault, ValueError):
                        break  # perhaps the rest of it is in the next piece
                    yield RawRow(
                        number + 1, {"": held[at : at + 1000]}, _("从这里起不是正确的 JSON：%(fault)s") % {"fault": fault}
                    )
                    return
                number += 1
                yield _object_row(number, value)
            if not piece:
                return


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at
