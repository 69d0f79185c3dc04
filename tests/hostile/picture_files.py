"""Some 200 hostile or odd pictures, made here from code (nothing is copied), the same ones every time."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image, PngImagePlugin

CANARY = b"CANARY-44010-secret"
SCRIPT = b"<script>alert('" + CANARY + b"')</script>"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf>' + CANARY + b"</rdf></x:xmpmeta>"

Expected = Literal["refused", "cleaned", "either"]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file: what it is called, what it holds, and what must become of it."""

    name: str
    data: bytes
    expected: Expected


def all_files() -> list[Hostile]:
    """Every hostile file, small ones first."""
    makers = (_with_metadata, _polyglots, _other_kinds, _truncated, _lies, _mutated, _announced, _chunk_bombs, _large)
    return [file for maker in makers for file in maker()]


# -- building blocks ---------------------------------------------------------------------------------------------------


def photo(size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A photograph-like picture: gradients and a bright corner (top left), so that a wrong turn shows."""
    ramp = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (ramp, ramp.transpose(Image.Transpose.ROTATE_180), Image.radial_gradient("L").resize(size)))
    image.paste((255, 0, 0), (0, 0, size[0] // 4, size[1] // 4))
    return image


def saved(kind: str, image: Image.Image | None = None, **how: Any) -> bytes:
    """The bytes of a picture in a format."""
    out = io.BytesIO()
    (image or photo()).save(out, kind, **how)
    return out.getvalue()


def exif(orientation: int = 1, *, lon: float = 113.5, lat: float = 23.18, when: str = "2026:03:11 08:30:00") -> Image.Exif:
    """EXIF as a phone writes it: camera, serial number, time, position."""
    data = Image.Exif()
    data[0x0112], data[0x010F], data[0x0132] = orientation, CANARY.decode(), when
    data.get_ifd(0x8769).update({0x9003: when, 0x9011: "+08:00", 0xA431: CANARY.decode()})
    data.get_ifd(0x8825).update(
        {1: "N" if lat >= 0 else "S", 2: _sexagesimal(lat), 3: "E" if lon >= 0 else "W", 4: _sexagesimal(lon)}
    )
    return data


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    degrees = abs(degrees)
    minutes = (degrees - int(degrees)) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)


def png_of_zeros(width: int, height: int, *, depth: int, colour: int, extra: bytes = b"") -> bytes:
    """A PNG of ``width`` x ``height`` zeros: the classic bomb. Written in strips, so making it costs no memory."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" * (1 + (width * depth * channels + 7) // 8)
    squeeze, body = zlib.compressobj(6), []
    per_strip = max(1, (1 << 20) // len(row))
    for start in range(0, height, per_strip):
        body.append(squeeze.compress(row * min(per_strip, height - start)))
    body.append(squeeze.flush())
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return png([(b"IHDR", header)], extra, [(b"IDAT", b"".join(body)), (b"IEND", b"")])


def png(first: list[tuple[bytes, bytes]], extra: bytes, last: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG from chunks."""
    chunks = [b"".join(map(_chunk, part)) for part in (first, last)]
    return b"\x89PNG\r\n\x1a\n" + chunks[0] + extra + chunks[1]


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, body = named
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.html", SCRIPT.decode())
    return out.getvalue()


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _into_jpeg(*segments: bytes) -> bytes:
    data = saved("JPEG")
    return data[:2] + b"".join(segments) + data[2:]


# -- the files ---------------------------------------------------------------------------------------------------------


def _with_metadata() -> Iterator[Hostile]:
    for kind in ("JPEG", "PNG", "WEBP"):
        yield Hostile(f"gps.{kind}", saved(kind, exif=exif()), "cleaned")
        yield Hostile(f"xmp.{kind}", saved(kind, xmp=XMP) if kind != "PNG" else _png_text("XML:com.adobe.xmp"), "cleaned")
        yield Hostile(f"icc.{kind}", saved(kind, icc_profile=CANARY * 20), "cleaned")
    for orientation in range(9):
        yield Hostile(f"turned-{orientation}.jpg", saved("JPEG", exif=exif(orientation)), "cleaned")
    yield Hostile("comment.jpg", saved("JPEG", comment=CANARY), "cleaned")
    yield Hostile("iptc.jpg", _into_jpeg(jpeg_segment(0xED, b"Photoshop 3.0\0" + CANARY)), "cleaned")
    yield Hostile("text.png", _png_text("Comment"), "cleaned")
    thumb = exif().tobytes() + saved("JPEG", photo((32, 24)), comment=CANARY)
    yield Hostile("thumbnail.jpg", _into_jpeg(jpeg_segment(0xE1, b"Exif\0\0" + thumb)), "cleaned")
    yield Hostile(
        "circular-ifd.jpg",
        _into_jpeg(jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0i\x87\4\0\1\0\0\0\x08\0\0\0\0\0\0\0")),
        "cleaned",
    )
    yield Hostile("wild-ifd.jpg", _into_jpeg(jpeg_segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 400)), "cleaned")
    yield Hostile("gps-nonsense.jpg", saved("JPEG", exif=exif(lon=999, lat=-400, when="not a time at all")), "cleaned")


def _png_text(name: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(name, XMP.decode())
    info.add_text("Comment", SCRIPT.decode(), zip=True)
    return saved("PNG", pnginfo=info)


def _polyglots() -> Iterator[Hostile]:
    for kind in ("JPEG", "PNG", "WEBP"):
        for name, tail in (("script", SCRIPT), ("zip", _zipped()), ("both", SCRIPT + _zipped()), ("zeros", b"\0" * 100_000)):
            yield Hostile(f"{kind}+{name}", saved(kind) + tail, "cleaned")
    yield Hostile("script-in-comment.jpg", saved("JPEG", comment=b"*/=1;" + SCRIPT), "cleaned")
    yield Hostile("php-in-app1.jpg", _into_jpeg(jpeg_segment(0xE1, b"<?php system($_GET['c']); // " + CANARY)), "cleaned")
    yield Hostile("script-between.jpg", _into_jpeg(jpeg_segment(0xFE, b"--><html>" + SCRIPT)), "cleaned")
    yield Hostile(
        "private-chunk.png",
        png([], b"", [])[:8] + saved("PNG")[8:33] + _chunk((b"prIv", SCRIPT)) + saved("PNG")[33:],
        "cleaned",
    )
    yield Hostile("several-pictures.mpo", saved("MPO", save_all=True, append_images=[photo((40, 30))]), "cleaned")
    yield Hostile("gif-js.gif", b"GIF89a/*\x01\0\0\0*/=1;alert(1)//" + CANARY, "refused")
    yield Hostile("gif-js.jpg", saved("GIF") + b"*/=alert(1);", "refused")
    yield Hostile("pdf-zip.jpg", b"%PDF-1.4\n%" + CANARY + b"\n%%EOF\n" + _zipped(), "refused")
    yield Hostile("pdf-with-jpeg.pdf", b"%PDF-1.4\nstream\n" + saved("JPEG") + b"\nendstream", "refused")
    yield Hostile("zip-then-jpeg.jpg", _zipped() + saved("JPEG"), "refused")
    yield Hostile("html-then-jpeg.jpg", b"<html>" + SCRIPT + saved("JPEG"), "refused")


def _other_kinds() -> Iterator[Hostile]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>"
    starts = (b"", b"\xef\xbb\xbf", b"<?xml version='1.0'?>", b"<!-- x -->", b"\n \t", b"<!DOCTYPE svg [<!ENTITY a 'b'>]>")
    for number, start in enumerate(starts):
        yield Hostile(f"svg-{number}.jpg", start + svg, "refused")
    for kind in ("GIF", "TIFF", "BMP", "ICO", "PPM", "TGA", "PDF", "PCX", "JPEG2000", "DDS", "SGI"):
        yield Hostile(f"really.{kind}.jpg", saved(kind), "refused")
    for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"isom", b"qt  "):
        yield Hostile(f"ftyp-{brand.decode()}", b"\0\0\0\x18ftyp" + brand + b"\0" * 400, "refused")
    for name, data in _STARTS.items():
        yield Hostile(f"{name}.jpg", data, "refused")
    yield Hostile("too-large.jpg", saved("JPEG") + b"\0" * 10_485_761, "refused")


_STARTS = {
    "empty": b"",
    "one-byte": b"\xff",
    "zeros": b"\0" * 5000,
    "exe": b"MZ" + b"\0" * 200,
    "elf": b"\x7fELF" + b"\0" * 200,
    "wave": b"RIFF\x24\0\0\0WAVEfmt ",
    "riff": b"RIFF",
    "psd": b"8BPS\0\x01",
    "eps": b"%!PS-Adobe-3.0 EPSF\n",
    "html": b"<!doctype html>" + SCRIPT,
    "text": "只是文字".encode(),
    "xml": b"<?xml version='1.0'?><a/>",
    "jpeg-magic": b"\xff\xd8\xff",
    "png-magic": b"\x89PNG\r\n\x1a\n",
    "webp-magic": b"RIFF\0\0\0\0WEBP",
    "bigtiff": b"II+\0\x08\0\0\0",
    "rar": b"Rar!\x1a\x07\0",
    "javascript": b"alert(1)//",
}


def _truncated() -> Iterator[Hostile]:
    noise = Image.effect_noise((400, 300), 80).convert("RGB")
    whole = {
        "jpeg": saved("JPEG", noise),
        "progressive": saved("JPEG", noise, progressive=True),
        "png": saved("PNG", noise),
        "webp": saved("WEBP", noise),
    }
    for kind, data in whole.items():
        for tenth in range(1, 10):
            yield Hostile(f"{kind}-cut-at-{tenth}0%", data[: len(data) * tenth // 10], "refused")


def _lies() -> Iterator[Hostile]:
    jpeg, flat, web = saved("JPEG"), saved("PNG"), saved("WEBP", lossless=True)
    frame = jpeg.index(b"\xff\xc0") + 5
    for name, size in (("wider", (120, 4000)), ("taller", (5000, 160)), ("none", (0, 160)), ("huge", (65535, 65535))):
        lie = jpeg[:frame] + struct.pack(">HH", *size) + jpeg[frame + 4 :]
        yield Hostile(f"jpeg-{name}", lie, "either" if name in ("wider", "taller") else "refused")
    yield Hostile("jpeg-two-frames", jpeg[:20] + jpeg_segment(0xC0, b"\x08\0\x10\0\x10\x01\x01\x11\0") + jpeg[20:], "refused")
    for name, size in (("small", (10, 10)), ("large", (6000, 6000)), ("none", (0, 5)), ("most", (2**31 - 1, 2**31 - 1))):
        header = struct.pack(">II", *size) + flat[24:29]
        yield Hostile(
            f"png-{name}", png([(b"IHDR", header)], flat[33:], []), "either" if name in ("small", "large") else "refused"
        )
    yield Hostile("png-bad-sum", flat[:29] + b"\0\0\0\0" + flat[33:], "refused")
    yield Hostile("png-without-data", png([(b"IHDR", flat[16:29])], b"", [(b"IEND", b"")]), "refused")
    for name, bits in (("large", b"\xff\xff\xff\x0f"), ("small", b"\x01\x40\0\0")):
        yield Hostile(f"webp-{name}", web[:21] + bits + web[25:], "refused")
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (5000).to_bytes(3, "little") * 2
    yield Hostile("webp-canvas", web[:4] + struct.pack("<I", len(web) + 10) + b"WEBP" + canvas + web[12:], "refused")


def _mutated() -> Iterator[Hostile]:
    chance = random.Random(20260311)
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = saved(kind, exif=exif())
        for number in range(16):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 30)):
                data[chance.randrange(12, len(data))] = chance.randrange(256)
            yield Hostile(f"{kind}-mutated-{number}", bytes(data), "either")


def _announced() -> Iterator[Hostile]:
    for side in (9_000, 13_000, 20_000):
        yield Hostile(f"{side**2 // 10**6}-megapixels.png", png_of_zeros(side, side, depth=1, colour=0), "refused")
    yield Hostile("a-million-wide.png", png_of_zeros(1_000_000, 1, depth=1, colour=0), "cleaned")
    yield Hostile("a-million-high.png", png_of_zeros(1, 1_000_000, depth=1, colour=0), "cleaned")
    yield Hostile("a-million-by-41.png", png_of_zeros(1_000_000, 41, depth=1, colour=0), "refused")
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + b"\xff\xff\xff" * 2
    yield Hostile("a-sea-of.webp", b"RIFF\x16\0\0\0WEBP" + canvas, "refused")
    yield Hostile("13-megapixels.webp", _flat("WEBP", (4500, 3000)), "refused")


def _chunk_bombs() -> Iterator[Hostile]:
    flat, bomb = saved("PNG"), zlib.compress(b"\0" * 80_000_000, 9)
    for name in (b"zTXt", b"iCCP"):
        yield Hostile(f"{name.decode()}.png", flat[:33] + _chunk((name, b"x\0\0" + bomb)) + flat[33:], "either")
    itxt = _chunk((b"iTXt", b"x\0\x01\0\0\0" + bomb))
    yield Hostile("iTXt.png", flat[:33] + itxt * 8 + flat[33:], "either")
    frames = [photo((320, 240)).rotate(turn) for turn in range(0, 360, 6)]
    for kind in ("PNG", "WEBP"):
        yield Hostile(f"animated.{kind}", saved(kind, frames[0], save_all=True, append_images=frames[1:]), "cleaned")


def _large() -> Iterator[Hostile]:
    """Within the limits, and as dear to decode as these allow."""
    for name, depth, colour in (("grey", 8, 0), ("deep-grey", 16, 0), ("rgb", 8, 2), ("rgba", 8, 6), ("deep-rgba", 16, 6)):
        yield Hostile(f"40-megapixels-{name}.png", png_of_zeros(6_300, 6_300, depth=depth, colour=colour), "cleaned")
    palette = _chunk((b"PLTE", b"\0" * 768)) + _chunk((b"tRNS", b"\x80" * 256))
    yield Hostile("40-megapixels-palette.png", png_of_zeros(6_300, 6_300, depth=8, colour=3, extra=palette), "cleaned")
    yield Hostile("a-million-by-39.png", png_of_zeros(1_000_000, 39, depth=8, colour=6), "either")
    yield Hostile("40-megapixels.jpg", _flat("JPEG", (6_300, 6_300)), "cleaned")
    yield Hostile("29-megapixels-progressive.jpg", _flat("JPEG", (5_400, 5_400), progressive=True, subsampling=0), "cleaned")
    yield Hostile("35-megapixels-progressive.jpg", _flat("JPEG", (5_950, 5_950), progressive=True, subsampling=0), "refused")
    yield Hostile("12-megapixels.webp", _flat("WEBP", (4_000, 3_000)), "cleaned")


def _flat(kind: str, size: tuple[int, int], **how: Any) -> bytes:
    return saved(kind, Image.new("RGB", size, (90, 120, 60)), **how)
