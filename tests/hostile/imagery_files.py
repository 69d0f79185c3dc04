"""Files of imagery that mean harm, or are merely odd: small to make, and what the eye is to say of each.

The word beside a file is the code of its refusal, or "taken" with the notes that must stand in its record.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from PIL import Image

from tests.support.rasters import CORNER, picture, terrain, write

TAKEN = "taken"


@dataclass(frozen=True)
class Hostile:
    """How to make a file, and what is to be said of it."""

    name: str
    make: Callable[[Path], Any]
    said: str
    notes: tuple[str, ...] = ()


def sparse(path: Path, width: int, height: int, *, bands: int = 1, dtype: str = "uint8", **more: Any) -> None:
    """A GeoTIFF whose header promises what nothing in it holds."""
    place = {"crs": "EPSG:32649", "transform": Affine(0.05, 0, CORNER[0], 0, -0.05, CORNER[1]), "sparse_ok": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rasterio.open(
            path, "w", driver="GTiff", width=width, height=height, count=bands, dtype=dtype, **{**place, **more}
        ).close()


def one_strip(path: Path) -> None:
    """400 million zeros in one strip: 0.4 MB."""
    told = {"crs": "EPSG:32649", "transform": Affine(0.05, 0, CORNER[0], 0, -0.05, CORNER[1])}
    with rasterio.open(path, "w", driver="GTiff", width=20_000, height=20_000, count=1, dtype="uint8", compress="deflate",
                       blockysize=20_000, **told) as file:  # fmt: skip
        file.write(np.zeros((1, 20_000, 20_000), np.uint8))


def cut(share: float) -> Callable[[Path], None]:
    """A GeoTIFF of which only the first part arrived."""

    def make(path: Path) -> None:
        write(path, picture(256))
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return make


def raster(bands: Any, **more: Any) -> Callable[[Path], None]:
    """A GeoTIFF of these numbers; ``bands`` may be a function that makes them."""

    def make(path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write(path, bands() if callable(bands) else bands, **more)

    return make


def nan_sea(share: float) -> np.ndarray[Any, Any]:
    """Heights of which so much is not a number."""
    heights = terrain(200)
    heights[: int(200 * share)] = np.nan
    return heights


def sixteen_bit() -> np.ndarray[Any, Any]:
    """Four bands, as a multispectral camera writes them."""
    return np.concatenate([picture(128), picture(128)[:1]]).astype(np.uint16) * 200


def jpeg(*, xmp: bytes = b"", size: tuple[int, int] = (400, 300), cut_to: float = 1.0, **more: Any) -> Callable[[Path], None]:
    """A photo with a packet of ours."""

    def make(path: Path) -> None:
        noise = np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, "JPEG", quality=60, **({"xmp": xmp} if xmp else {}), **more)
        path.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * cut_to)])

    return make


def png(width: int, height: int) -> Callable[[Path], None]:
    """A PNG whose header says so, with a little of its zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def make(path: Path) -> None:
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(bytes(1_000_000))), chunk(b"IEND", b"")]
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))

    return make


def flat_jpeg(path: Path, *, progressive: bool) -> None:
    """144 million grey pixels in a megabyte or two."""
    Image.new("L", (12_000, 12_000), 128).save(path, "JPEG", quality=10, progressive=progressive)


def zipped(*members: tuple[str, bytes]) -> Callable[[Path], None]:
    """A KMZ of these members."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members:
                archive.writestr(name, data)

    return make


def tiled(width: int, height: int, side: int, **more: Any) -> Callable[[Path], None]:
    """A header that promises so many tiles."""
    return lambda path: sparse(path, width, height, tiled=True, blockxsize=side, blockysize=side, **more)


def raw(data: bytes) -> Callable[[Path], None]:
    """These bytes."""
    return lambda path: path.write_bytes(data)  # type: ignore[return-value]


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;">' % (98 + n, *[97 + n] * 6) for n in range(12)
) + b"]>"  # fmt: skip
READS = b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
XMP = b'%s<x:xmpmeta xmlns:x="adobe:ns:meta/"><r a="%s">%s</r></x:xmpmeta>'
KML = (
    b'<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Polygon><outerBoundaryIs><LinearRing>'
    b"<coordinates>%s</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></kml>"
)
RING = b"114,22 114.001,22 114.001,22.001 114,22"
TURNED = Affine.translation(*CORNER) @ Affine.rotation(20) @ Affine.scale(0.5, -0.5)
DEGREES = Affine(1e-5, 0, 114, 0, -1e-5, 22)

FILES = [
    Hostile("nothing.tif", raw(b""), "unknown_format"),
    Hostile("head.tif", raw(b"II*\0"), "truncated"),
    Hostile("loop.tif", raw(b"II*\0\x08\0\0\0\0\0\x08\0\0\0"), "truncated"),
    Hostile("virtual.tif", raw(b'<VRTDataset rasterXSize="9"><SRS>/etc/passwd</SRS></VRTDataset>'), "unknown_format"),
    Hostile("page.jpg", raw(b"<html><script>alert(1)</script>"), "unknown_format"),
    Hostile("cut-near-its-end.tif", cut(0.97), "truncated"),
    Hostile("cut-in-the-middle.tif", cut(0.5), "truncated"),
    Hostile("cut.jpg", jpeg(cut_to=0.6), "truncated"),
    Hostile("a-million-wide.tif", lambda path: sparse(path, 1_000_000, 1), "too_wide"),
    Hostile("a-million-high.tif", lambda path: sparse(path, 1, 1_000_000, blockysize=1000), "too_wide"),
    Hostile("a-million-wide.png", png(1_000_000, 100), "too_wide"),
    Hostile("too-many-pixels.tif", tiled(150_000, 150_000, 2048), "too_many_pixels"),
    Hostile("too-many-pixels.png", png(30_000, 30_000), "bomb"),
    Hostile("eighty-megapixels.png", png(10_000, 8_000), "too_many_pixels"),
    Hostile("progressive.jpg", lambda path: flat_jpeg(path, progressive=True), "too_many_pixels"),
    Hostile("flat.jpg", lambda path: flat_jpeg(path, progressive=False), "blur"),
    Hostile("two-hundred-bands.tif", lambda path: sparse(path, 64, 64, bands=200), "too_many_bands"),
    Hostile("one-strip.tif", one_strip, "no_data"),  # GDAL reads a strip by its lines
    Hostile("one-tile.tif", tiled(16_384, 16_384, 16_384), "bomb"),
    Hostile("nine-million-blocks.tif", tiled(48_000, 48_000, 16), "bomb"),
    Hostile("all-promise.tif", tiled(60_000, 60_000, 256, bands=8, dtype="float64"), "bomb"),
    Hostile("no-system.tif", raster(picture(128), crs=None), "no_crs"),
    Hostile("metres-called-degrees.tif", raster(picture(128), crs="EPSG:4326"), "wrong_crs"),
    Hostile("degrees-called-metres.tif", raster(picture(128), transform=DEGREES), "wrong_crs"),
    Hostile("outside-its-zone.tif", raster(picture(128), transform=Affine(0.5, 0, 9e6, 0, -0.5, 2_560_000)), "wrong_crs"),
    Hostile("infinite.tif", raster(picture(128), transform=Affine(0.5, 0, 1e300, 0, -0.5, 1e300)), "wrong_crs"),
    Hostile("a-sea-of-nan.tif", raster(lambda: nan_sea(1.0)), "no_data"),
    Hostile("half-a-sea-of-nan.tif", raster(lambda: nan_sea(0.5)), TAKEN, ("not_a_number", "no_nodata")),
    Hostile("one-value.tif", raster(np.full((3, 64, 64), 7, np.uint8)), "no_data"),
    Hostile("all-nodata.tif", raster(np.full((64, 64), -9999, np.float32), nodata=-9999), "no_data"),
    Hostile("sixteen-bit-four-bands.tif", raster(sixteen_bit), TAKEN, ("sixteen_bit", "extra_bands")),
    Hostile("no-nodata.tif", raster(lambda: picture(128)), TAKEN, ("no_nodata",)),
    Hostile("turned.tif", raster(lambda: picture(128), transform=TURNED), TAKEN, ("rotated",)),
    Hostile("entities.jpg", jpeg(xmp=XMP % (LAUGHS, b"1", b"&l;")), "xmp_entities"),
    Hostile("reads-a-file.jpg", jpeg(xmp=XMP % (READS, b"1", b"&f;")), "xmp_entities"),
    Hostile("deep.jpg", jpeg(xmp=b"<a>" * 5000), "xmp_broken"),
    Hostile("broken-packet.jpg", jpeg(xmp=XMP % (b"", b"1", b"<")), "xmp_broken"),
    Hostile("no-position.jpg", jpeg(), "no_position"),
    Hostile("leads-out.kmz", zipped(("../../etc/cron.d/x", b"x"), ("doc.kml", KML % RING)), "zip_slip"),
    Hostile("leads-out-of-windows.kmz", zipped(("..\\x", b"x"), ("doc.kml", KML % RING)), "zip_slip"),
    Hostile("from-the-root.kmz", zipped(("/etc/x", b"x"), ("doc.kml", KML % RING)), "zip_slip"),
    Hostile("zeros.kmz", zipped(("doc.kml", b"<kml>" + b" " * 200_000_000)), "bomb"),
    Hostile("members.kmz", zipped(*[(f"{n}.png", b"") for n in range(1500)]), "bomb"),
    Hostile("entities.kml", raw(LAUGHS + KML % b"&l;"), "xml_entities"),
    Hostile("nowhere.kml", raw(KML % b"nan,inf 1e999,3 9,9 1,1"), "xml_broken"),
    Hostile("no-archive.kmz", raw(b"PK\x03\x04" + b"\0" * 100), "truncated"),
    Hostile("honest.kmz", zipped(("doc.kml", KML % RING)), TAKEN),
]  # fmt: skip
