"""Which characters a font has, from its own table (cmap): typst draws an empty box for others and says nothing.

OpenType, formats 4 and 12; of a collection (.ttc) the first font. Reads the file's tables only, never its outlines.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

INSTEAD = "〓"
"""Stands for a character that the font lacks (the printers' geta mark), where the font has it itself."""


@lru_cache(maxsize=4)
def characters(path: str) -> frozenset[int]:
    """The code points of a font file. ValueError if it has no table we read."""
    data = Path(path).read_bytes()
    start = struct.unpack(">I", data[12:16])[0] if data[:4] == b"ttcf" else 0
    count = struct.unpack(">H", data[start + 4 : start + 6])[0]
    for number in range(count):
        tag, _sum, offset, _length = struct.unpack(">4sIII", data[start + 12 + 16 * number : start + 28 + 16 * number])
        if tag == b"cmap":
            return frozenset(_cmap(data, offset))
    raise ValueError("no cmap")


def _cmap(data: bytes, at: int) -> set[int]:
    tables = struct.unpack(">H", data[at + 2 : at + 4])[0]
    found: set[int] = set()
    for number in range(tables):
        _platform, _encoding, offset = struct.unpack(">HHI", data[at + 4 + 8 * number : at + 12 + 8 * number])
        kind = struct.unpack(">H", data[at + offset : at + offset + 2])[0]
        if kind == 12:
            found |= _segments(data, at + offset)
        elif kind == 4:
            found |= _ranges(data, at + offset)
    if not found:
        raise ValueError("no cmap that can be read")
    return found


def _segments(data: bytes, at: int) -> set[int]:
    groups = struct.unpack(">I", data[at + 12 : at + 16])[0]
    found: set[int] = set()
    for number in range(groups):
        first, last, _glyph = struct.unpack(">III", data[at + 16 + 12 * number : at + 28 + 12 * number])
        found.update(range(first, last + 1))
    return found


def _ranges(data: bytes, at: int) -> set[int]:
    pairs = struct.unpack(">H", data[at + 6 : at + 8])[0] // 2
    ends = struct.unpack(f">{pairs}H", data[at + 14 : at + 14 + 2 * pairs])
    starts = struct.unpack(f">{pairs}H", data[at + 16 + 2 * pairs : at + 16 + 4 * pairs])
    return {point for first, last in zip(starts, ends, strict=True) if first != 0xFFFF for point in range(first, last + 1)}


def shown(text: str, known: frozenset[int]) -> str:
    """The text with every character that the font lacks replaced; line breaks and tabs become spaces."""
    flat = "".join(" " if mark in "\n\r\t" else mark for mark in text)
    return "".join(mark if ord(mark) in known else INSTEAD for mark in flat)
