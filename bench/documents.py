"""OpenAPI documents written anew, as the repository keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"


def write_document(document: Callable[[str], dict[str, Any]], name: str) -> None:
    """``docs/NAME`` in English, with an invented server."""
    from django.utils.translation import override

    with override("en"):
        text = json.dumps(document("https://jiequ.example"), ensure_ascii=False, indent=1) + "\n"
    (DOCS / name).write_text(text, encoding="utf-8")
