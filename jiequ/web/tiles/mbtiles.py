"""MBTiles files in the operator's folder, read only: one layer a file, named by it."""

from __future__ import annotations

import re
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
OWN = frozenset({"grids", "basemap"})
MOST_LAYERS = 50
MOST_BYTES = 2 * 1024 * 1024
DEEPEST = 22
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"\x1f\x8b", "application/x-protobuf"),
)
_FACTS = ("name", "format", "minzoom", "maxzoom", "bounds", "attribution")


@dataclass(frozen=True, slots=True)
class Tile:
    """What is sent: its bytes, their type, and whether they are gzipped."""

    data: bytes
    kind: str
    is_gzipped: bool = False


class Folder:
    """The layers of a folder. A file that was replaced is opened anew; each thread has connections of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = threading.local()

    def layers(self) -> list[dict[str, Any]]:
        """What each file says of itself; a file that cannot be read is left out."""
        found = []
        for file in sorted(self.path.glob("*.mbtiles"))[:MOST_LAYERS] if self.path.is_dir() else []:
            if not NAME.fullmatch(file.stem) or file.stem in OWN:
                continue
            try:
                facts = dict(self._open(file).execute("SELECT name, value FROM metadata").fetchall())
            except sqlite3.Error:
                continue
            found.append({"id": file.stem} | {name: str(facts[name])[:200] for name in _FACTS if name in facts})
        return found

    def tile(self, layer: str, z: int, x: int, y: int) -> Tile | None:
        """One tile (rows count from the north); None where the layer has none. KeyError for a layer that is not there."""
        file = self.path / f"{layer}.mbtiles"
        if not NAME.fullmatch(layer) or layer in OWN or not file.is_file():
            raise KeyError(layer)
        flipped = (1 << z) - 1 - y  # MBTiles counts rows from the south (TMS)
        try:
            row = (
                self._open(file)
                .execute(
                    "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=? AND LENGTH(tile_data)<=?",
                    (z, x, flipped, MOST_BYTES),
                )
                .fetchone()
            )
        except sqlite3.Error:
            raise KeyError(layer) from None
        return tile_of(bytes(row[0])) if row and row[0] else None

    def _open(self, file: Path) -> sqlite3.Connection:
        stat = file.stat()
        version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        kept: dict[Path, tuple[Any, sqlite3.Connection]] = self._held.__dict__.setdefault("files", {})
        if file in kept and kept[file][0] == version:
            return kept[file][1]
        if file in kept:
            kept.pop(file)[1].close()
        kept[file] = version, sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=2)
        return kept[file][1]


def tile_of(data: bytes) -> Tile:
    """Told by its first bytes, never by a name: what is no picture is sent as a vector tile and can do no harm as one."""
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), "application/x-protobuf")
    return Tile(data, kind, data.startswith(b"\x1f\x8b"))
