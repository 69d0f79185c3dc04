"""Plates on A4, two beside each other, to be cut out. Used by jobs only."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import segno
from django.utils.translation import gettext as _

from jiequ.core.fonts import characters, shown
from jiequ.core.typeset import font, set_type
from jiequ.grid.queries import Plate

TEMPLATE = """
#let data = json("data.json")
#set document(title: data.title)
#set page(paper: "a4", margin: (x: 10mm, y: 11mm))
#set text(font: data.font, lang: "zh", region: "cn", size: 9pt, fallback: false)
#let plate(one) = block(width: 100%, height: 88mm, stroke: 0.5pt + luma(150), inset: 4mm, breakable: false)[
  #set align(center)
  #text(size: 8pt, fill: luma(90), data.head)
  #v(-1.5mm)
  #text(size: 13pt, weight: "bold", one.name)
  #v(-1mm)
  #image(one.picture, width: 46mm)
  #v(-2mm)
  #text(size: 11pt, data.call)
  #v(-2mm)
  #text(size: 9pt, one.code)
  #v(-2.5mm)
  #text(size: 6.5pt, fill: luma(90), one.address)
]
#grid(columns: (1fr, 1fr), column-gutter: 4mm, row-gutter: 4mm, ..data.plates.map(plate))
"""


def write(street: str, made: Sequence[tuple[Plate, str, str]], path: Path, *, is_wechat: bool) -> None:
    """``made``: each plate, what its code says, the address printed beneath it."""
    chosen = font()
    known = characters(chosen.path)
    files, plates = {}, []
    for number, (plate, code, address) in enumerate(made):
        name = f"{number}.svg"
        files[name] = _picture(code)
        said = {"name": shown(plate.name, known), "code": plate.code, "address": shown(address, known)}
        plates.append(said | {"picture": name})
    data = {
        "font": chosen.family,
        "title": shown(_("号牌"), known),
        "head": shown(street, known),
        "call": shown(_("微信扫码，上报这里的问题") if is_wechat else _("手机扫码，上报这里的问题"), known),
        "plates": plates,
    }
    set_type(TEMPLATE, data, path, chosen, files)


def _picture(text: str) -> str:
    """A QR code as SVG that survives a quarter of its area being damaged."""
    out = io.BytesIO()
    segno.make_qr(text, error="q").save(out, kind="svg", border=4, xmldecl=False)
    return out.getvalue().decode()
