"""PDF by typst, in simplified forms. Used by jobs only: typst never enters a web worker.

The font carries the forms of several places; ``lang: "zh", region: "cn"`` chooses the simplified ones. No system font is
looked at, so a file is the same on every machine; a character the font lacks is shown by a mark (``fonts``), never by an empty
box.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings


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


def set_type(template: str, data: Mapping[str, Any], path: Path, chosen: Font, files: Mapping[str, str] | None = None) -> None:
    """Write the PDF. The template reads ``data.json``; ``files``: pictures it names, as SVG texts."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"data.json": json.dumps(data, ensure_ascii=False), "main.typ": template, **(files or {})}.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        typst.compile(
            str(Path(folder, "main.typ")),
            output=str(path),
            root=folder,
            font_paths=[chosen.folder],
            ignore_system_fonts=True,
            format="pdf",
        )
