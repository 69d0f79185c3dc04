"""The XMP packet of a photo, read so that a stranger's packet can do nothing: no document type, so no entity; bounded.

The house's reader of callbacks (channels/xml.py) knows no attributes, where DJI writes all it has to say; this one is built
alike (expat, piece by piece, stopped where a bound is passed) and keeps attributes and texts by their local names.
"""

from __future__ import annotations

from typing import Any, NoReturn
from xml.parsers import expat

from jiequ.sense.engine.shapes import Unusable

MOST_BYTES = 256 * 1024
MOST_DEPTH = 12
MOST_ELEMENTS = 2000
PIECE = 4096


def read_xmp(packet: bytes) -> dict[str, str]:
    """Attributes and texts by local name ("GimbalPitchDegree"), the first of each. Unusable: xmp_entities, xmp_broken."""
    body = packet.strip(b" \t\r\n\0")
    if len(body) > MOST_BYTES:
        raise Unusable("xmp_broken", bytes=len(body), most=MOST_BYTES)
    reader = _Reader()
    try:
        for start in range(0, len(body), PIECE):
            reader.parser.Parse(body[start : start + PIECE], False)
        reader.parser.Parse(b"", True)
    except expat.ExpatError as broken:
        raise Unusable("xmp_broken", what=expat.ErrorString(broken.code)) from None
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open: list[tuple[str, list[str]]] = []
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_given: Any) -> NoReturn:
        raise Unusable("xmp_entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise Unusable("xmp_broken", what="too deep or too many elements")
        for one, value in attributes.items():
            self.found.setdefault(_local(one), value)
        self._open.append((_local(name), []))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1][1].append(text)

    def _end(self, _name: str) -> None:
        name, texts = self._open.pop()
        text = "".join(texts).strip()
        if text:
            self.found.setdefault(name, text)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def number(found: dict[str, str], *names: str) -> float | None:
    """The first of these names that is a finite number."""
    for name in names:
        try:
            value = float(found[name])
        except (KeyError, ValueError):
            continue
        if value == value and abs(value) < 1e12:
            return value
    return None
