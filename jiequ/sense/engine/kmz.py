"""Names and polygons of a KMZ or KML file (permits, masks): nothing is unpacked to disk, nothing outside a bound is read."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from jiequ.sense.engine.shapes import Geometry, Unusable

MOST_BYTES = 20 * 1024 * 1024  # unpacked
MOST_MEMBERS = 1000
MOST_POLYGONS = 20_000
MOST_DEPTH = 24
PIECE = 64 * 1024


def read_kmz(path: Path) -> list[tuple[str, Geometry]]:
    """(name, GeoJSON polygon in WGS-84) of each polygon. Unusable: zip_slip, bomb, xml_entities, xml_broken, unknown_format."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return _polygons(_unzipped(path))
    data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise Unusable("bomb" if not data and path.stat().st_size else "unknown_format")
    return _polygons(io.BytesIO(data))


def _unzipped(path: Path) -> io.BytesIO:
    """The first KML inside. A member whose name leads outside spoils the whole file: an honest writer makes none."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise Unusable("bomb", members=len(members), most=MOST_MEMBERS)
            for member in members:
                _refuse_leading_out(member.filename)
            wanted = next((one for one in members if one.filename.lower().endswith(".kml")), None)
            if wanted is None:
                raise Unusable("unknown_format")
            with archive.open(wanted) as file:
                data = file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as broken:
        raise Unusable("truncated", what=type(broken).__name__) from None
    if len(data) > MOST_BYTES:
        raise Unusable("bomb", most=MOST_BYTES)
    return io.BytesIO(data)


def _refuse_leading_out(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise Unusable("zip_slip")


def _polygons(file: io.BytesIO) -> list[tuple[str, Geometry]]:
    reader = _Reader()
    try:
        while piece := file.read(PIECE):
            reader.parser.Parse(piece, False)
        reader.parser.Parse(b"", True)
    except expat.ExpatError as broken:
        raise Unusable("xml_broken", what=expat.ErrorString(broken.code)) from None
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found: list[tuple[str, Geometry]] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._name = ""
        self._rings: list[list[list[float]]] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text.append

    def _refuse(self, *_given: Any) -> NoReturn:
        raise Unusable("xml_entities")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._path) >= MOST_DEPTH:
            raise Unusable("xml_broken", what="too deep")
        self._path.append(name.rpartition(" ")[2])
        self._text.clear()
        if self._path[-1] == "Placemark":
            self._name = ""
        if self._path[-1] == "Polygon":
            self._rings = []

    def _end(self, _name: str) -> None:
        ended, text = self._path.pop(), "".join(self._text).strip()
        if ended == "name" and self._path and self._path[-1] == "Placemark":
            self._name = text[:200]
        elif ended == "coordinates" and "Polygon" in self._path:
            self._rings.append(_ring(text))
        elif ended == "Polygon" and self._rings:
            if len(self.found) >= MOST_POLYGONS:
                raise Unusable("bomb", most=MOST_POLYGONS)
            self.found.append((self._name, {"type": "Polygon", "coordinates": self._rings}))
        self._text.clear()


def _ring(text: str) -> list[list[float]]:
    try:
        points = [[float(one) for one in point.split(",")[:2]] for point in text.split()]
    except ValueError:
        raise Unusable("xml_broken", what="coordinates") from None
    if len(points) < 4 or any(len(point) != 2 or abs(point[0]) > 180 or abs(point[1]) > 90 for point in points):
        raise Unusable("xml_broken", what="coordinates")
    return points
