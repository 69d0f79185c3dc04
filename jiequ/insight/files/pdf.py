"""A document as PDF by typst, in simplified forms. Used by jobs only: typst never enters a web worker.

The font carries the forms of several places; ``lang: "zh", region: "cn"`` chooses the simplified ones. No system font is
looked at, so a file is the same on every machine; a character the font lacks is shown by a mark, never by an empty box.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from . import Cell, Document, Table
from .cells import plain
from .fonts import characters, shown

TEMPLATE = """
#let data = json("data.json")
#set document(title: data.title)
#set page(paper: "a4", flipped: true, margin: (x: 14mm, y: 14mm), numbering: "1 / 1")
#set text(font: data.font, lang: "zh", region: "cn", size: 9pt, fallback: false)
#text(size: 16pt, weight: "bold", data.title)
#v(1mm)
#text(fill: luma(70), data.place)
#for line in data.notes [ #linebreak() #text(size: 8pt, fill: luma(90), line) ]
#for one in data.tables {
  v(4mm)
  text(size: 12pt, weight: "bold", one.name)
  for line in one.above { linebreak(); text(size: 8pt, fill: luma(90), line) }
  v(1mm)
  table(
    columns: one.widths.map(n => n * 1fr),
    align: one.aligns.map(a => if a == "end" { end } else { start }),
    stroke: 0.4pt + luma(180),
    inset: 4pt,
    fill: (_, y) => if y == 0 { luma(235) },
    table.header(..one.headings.map(h => text(weight: "bold", h))),
    ..one.rows.flatten().map(c => text(c)),
  )
}
"""


@dataclass(frozen=True, slots=True)
class Font:
    """The font a PDF is set in."""

    family: str
    path: str
    folder: str


def font() -> Font:
    """The operator's (JIEQU_PDF_FONT, a file or a folder), else the one that is installed with Jiequ."""
    import typst

    folder = _folder()
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]).fonts()
    wanted = settings.PDF_FONT if os.path.isfile(settings.PDF_FONT) else ""
    fits = [(one, one.path) for one in found if one.path and (not wanted or os.path.samefile(one.path, wanted))]
    if not fits:
        raise ValueError("JIEQU_PDF_FONT names no font")
    regular, path = min(fits, key=lambda pair: (abs(pair[0].weight - 400), pair[0].style != "normal", pair[1]))
    return Font(regular.family, path, folder)


def _folder() -> str:
    if settings.PDF_FONT:
        return os.path.dirname(settings.PDF_FONT) if os.path.isfile(settings.PDF_FONT) else settings.PDF_FONT
    from importlib.util import find_spec

    spec = find_spec("cvttf_NotoSansCJK_Regular")
    if spec is None or spec.origin is None:
        raise ValueError("no Chinese font is installed; set JIEQU_PDF_FONT")
    return os.path.dirname(spec.origin)


def write(document: Document, path: Path, tell: Callable[[int], None]) -> None:
    """Write the file; ``tell`` hears how many rows are done."""
    import typst

    chosen = font()
    data, done = _data(document, chosen)
    tell(done)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        Path(folder, "main.typ").write_text(TEMPLATE, encoding="utf-8")
        typst.compile(
            str(Path(folder, "main.typ")),
            output=str(path),
            root=folder,
            font_paths=[chosen.folder],
            ignore_system_fonts=True,
            format="pdf",
        )


def _data(document: Document, chosen: Font) -> tuple[dict[str, Any], int]:
    known = characters(chosen.path)

    def say(text: object) -> str:
        return shown(plain(text), known)

    made = timezone.localtime(document.made_at).strftime("%Y-%m-%d %H:%M")
    tables = [_table(table, say) for table in document.tables]
    return {
        "font": chosen.family,
        "title": say(document.title),
        "place": say(f"{document.place} · {document.span} · {_('制表')} {made}"),
        "notes": [say(text) for text in document.notes],
        "tables": tables,
    }, sum(len(table["rows"]) for table in tables)


def _table(table: Table, say: Callable[[object], str]) -> dict[str, Any]:
    rows = [[_cell(cell, kind, say) for cell, kind in zip(row, table.kinds, strict=True)] for row in table.rows]
    longest = [max([len(h), *(min(len(row[i]), 40) for row in rows)]) for i, h in enumerate(table.headings)]
    return {
        "name": say(table.name),
        "above": [say(text) for text in table.above],
        "headings": [say(text) for text in table.headings],
        "aligns": ["start" if kind in {"text", "moment"} else "end" for kind in table.kinds],
        "widths": [max(4, n) for n in longest],
        "rows": rows,
    }


def _cell(cell: Cell, kind: str, say: Callable[[object], str]) -> str:
    if cell is None:
        return ""
    if kind == "share" and not isinstance(cell, str):
        return f"{cell * 100:.1f}%"
    return say(cell)
