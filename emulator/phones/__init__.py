"""The page with phones: several people side by side, each with chats, a menu, a camera roll and a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from emulator.http import Answer, Request, as_json

if TYPE_CHECKING:
    from emulator.app import Emulator

FOLDER = Path(__file__).parent
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
POLICY = "default-src 'self'; frame-src http://127.0.0.1:*; img-src 'self' data: http://127.0.0.1:*; style-src 'self'"


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/phones/…``: the page, its script and its style."""
    name = request.path.removeprefix("/phones").strip("/") or "index.html"
    file = FOLDER / name
    if "/" in name or file.suffix not in KINDS or not file.is_file():
        return as_json({"detail": "no such page"}, 404)
    headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
    return Answer(file.read_bytes(), kind=KINDS[file.suffix], headers=headers)
