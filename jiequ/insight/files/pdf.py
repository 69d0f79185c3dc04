"""A document of tables as PDF, by ``core.typeset``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.fonts import characters, shown
from jiequ.core.typeset import Font, font, set_type

from . import Cell, Document, Table
from .cells import plain

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


def write(document: Document, path: Path, tell: Callable[[int], None]) -> None:
    """Write the file; ``tell`` hears how many rows are done."""
    chosen = font()
    data, done = _data(document, chosen)
    tell(done)
    set_type(TEMPLATE, data, path, chosen)


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
