"""RELIABILITY row 30: an export cannot run. Every text column × 12 payloads × XLSX and CSV, read back by other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiequ.cases.models import Case, TypeEdition
from jiequ.cases.services import narrowing
from jiequ.core.jobs import work_once
from jiequ.core.models import Street
from jiequ.grid.models import Community
from jiequ.insight.files import Document, Table, cells, comma, xlsx
from jiequ.insight.models import Export
from jiequ.insight.services import counting, exporting
from jiequ.people.models import Department
from tests import office
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_condition

PAYLOADS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\0=1+1",
    '=HYPERLINK("http://127.0.0.1/?"&A1,"x")',
    "=cmd|' /C calc'!A0",
    "＝1+1",
    "  =1+1",
)
HONEST = ("-5", "+3.5%", "河边有垃圾", "A-1", "1=1", "３号楼")
COLUMNS = 5
pytestmark = pytest.mark.sqlite  # what is written into files: no database makes a difference


@pytest.fixture
def work(world: World, settings: Any, tmp_path: Path) -> Casework:
    settings.EXPORTS = tmp_path / "exports"
    return Casework(world, make_condition())


def document() -> Document:
    """Every text column of a table holds every payload, and what is honest."""
    rows: Iterator[list[Any]] = iter([[value] * COLUMNS for value in (*PAYLOADS, *HONEST)])
    headings = list(PAYLOADS[:COLUMNS])
    table = Table("=1+1", headings, ["text"] * COLUMNS, rows, above=["=2+2"])
    return Document("=3+3", "@place", "-span+1", NOW, [table], notes=["=4+4"])


def written(folder: Path) -> tuple[Path, Path]:
    book, text = folder / "hostile.xlsx", folder / "hostile-csv.csv"
    xlsx.write(document(), book, lambda _n: None)
    comma.write(document(), text, lambda _n: None)
    return book, text


def formulas_of(path: Path) -> list[Any]:
    """Cells that openpyxl takes for formulas."""
    book = openpyxl.load_workbook(path)
    return [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_no_payload_in_any_text_column_becomes_a_formula(tmp_path: Path) -> None:
    book, text = written(tmp_path)
    assert formulas_of(book) == []
    texts = [str(c.value) for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows() for c in row if c.value]
    for honest in HONEST:
        assert texts.count(honest) == COLUMNS, honest
    rows = list(csv.reader(io.StringIO(text.read_bytes().decode("utf-8-sig"), newline="")))
    said = [cell for row in rows for cell in row]
    assert not [cell for cell in said if cells.harmless(cell) != cell and not cell.startswith("'")]
    for honest in HONEST:
        assert said.count(honest) == COLUMNS, honest


def test_libreoffice_finds_no_formula_and_the_same_texts(tmp_path: Path) -> None:
    if office.soffice() is None:
        pytest.skip("LibreOffice is not here")  # the same files are read by openpyxl and csv above
    files = written(tmp_path)
    twin = tmp_path / "twin.csv"
    twin.write_text("=1+1,-5\n", encoding="utf-8")
    seen = office.read_back([*files, twin])
    assert seen.pop("twin.csv")[1], "the broken twin: LibreOffice would have worked it out"
    for name, (texts, formulas) in seen.items():
        assert formulas == [], name
        for honest in ("-5", "河边有垃圾", "A-1", "1=1", "３号楼"):
            assert texts.count(honest) == COLUMNS, (name, honest)
        assert "2" not in texts, "something was worked out"


def test_a_writer_that_guesses_formulas_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the XLSX writer: cells written without a type."""

    def guesses(sheet: Any, line: int, column: int, cell: Any, kind: str, looks: Any) -> None:
        sheet.write_formula(line, column, cell) if str(cell).startswith("=") else sheet.write(line, column, str(cell))

    monkeypatch.setattr(xlsx, "_put", guesses)
    path = tmp_path / "twin.xlsx"
    xlsx.write(document(), path, lambda _n: None)
    assert formulas_of(path)


def poison(payload: str) -> None:
    """Every text that stands in an export of cases is the payload."""
    text = payload.replace("\0", "")  # PostgreSQL stores no NUL, and SQLite none in these columns by our forms
    Case.objects.update(address=text, title=text)
    Department.objects.update(name_zh=text)
    Community.objects.update(name_zh=text)
    Street.objects.update(name_zh=text)
    TypeEdition.objects.update(name_zh=text)


def test_real_exports_of_a_poisoned_street_hold_no_formula(work: Casework, clock: MovableClock) -> None:
    from jiequ.cases.queries import types

    for _ in range(2):
        work.closed()
    work.handling()
    while counting.follow(at=NOW).is_behind:
        pass
    client = work.world.client("he")
    paths = []
    for payload in PAYLOADS:
        poison(payload)
        types.forget()
        for what in ({"what": "behind", "part": "filed"}, {"what": "board"}, {"what": "indicators"}):
            for form in ("xlsx", "csv"):
                if form in exporting.FORMS[what["what"]]:
                    paths.append(made(client, "new", what | {"form": form}))
        department = str(Case.objects.exclude(lead=None).values_list("lead_id", flat=True)[0])
        narrowing.forget()
        for form in ("xlsx", "csv"):  # the plain list: its filters stand above the rows, a department's name among them
            paths.append(made(client, "list", {"query": f"department={department}&part=any", "form": form}))
    for path in paths:
        if path.suffix == ".xlsx":
            assert formulas_of(path) == [], path
    assert len(paths) == len(PAYLOADS) * 6
    if office.soffice() is not None:
        seen = office.read_back(paths)
        assert not {name: formulas for name, (_texts, formulas) in seen.items() if formulas}


def made(client: Any, door: str, data: dict[str, str]) -> Path:
    """Ask for a file as a page does, let the job make it."""
    answer = client.post(f"/exports/{door}", data)
    assert answer.status_code == 302, answer.content.decode()[:300]
    assert work_once(at=NOW, limit=5, outside=True)
    export = Export.objects.latest("pk")
    assert export.state == "ready", export.error
    return exporting.file_of(export)
