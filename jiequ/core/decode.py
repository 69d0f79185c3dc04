"""Opens a stranger's picture and makes a new one: the only caller of ``PIL.Image.open`` (a repo test says so).

It runs as a process of its own (``python -I decode.py <pixels> <seconds>``, picture on stdin), under a limit of memory
and of processor time and with an empty environment: a bomb, an endless progressive scan or a fault in a decoder ends
this process, never a web worker, and finds no key in it. Imports nothing of Django.

Answer on stdout: one line of JSON, then the picture, then the thumbnail. ``{"ok": false, "code": …}`` when it cannot
be opened.
"""

from __future__ import annotations

import io
import json
import re
import struct
import sys
from dataclasses import dataclass
from typing import Any

LONG_SIDE = 2560
THUMB_SIDE = 320
QUALITY = 82
MEMORY_BYTES = 222_000_000  # on top of what an idle decoder holds (20 MB): stays under 250 MB (RELIABILITY row 26)
CPU_SECONDS = 10
BAND_PIXELS = 400_000
KINDS = ("jpeg", "png", "webp")

_SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_BYTES_PER_PIXEL = {"jpeg": 4, "png": 5, "webp": 17}  # what the decoder holds at its peak, measured
_PROGRESSIVE_BYTES = 7


class Unreadable(Exception):
    """The picture cannot be opened; ``code`` says why: damaged, heavy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes announce; nothing is decoded yet. Width and height in pixels, as stored."""

    kind: str
    width: int
    height: int
    is_progressive: bool = False

    @property
    def bytes_needed(self) -> int:
        """Memory the decoder is going to ask for, roughly."""
        per_pixel = _PROGRESSIVE_BYTES if self.is_progressive else _BYTES_PER_PIXEL[self.kind]
        return self.width * self.height * per_pixel


def header(data: bytes) -> Header | None:
    """Format and size from the header alone; None if this is no JPEG, PNG or WEBP, or its header is damaged."""
    try:
        if data[:3] == b"\xff\xd8\xff":
            return _jpeg(data)
        if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR":
            return Header("png", *struct.unpack(">II", data[16:24]))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        pass
    return None


def _jpeg(data: bytes) -> Header | None:
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _SOF:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Header("jpeg", width, height, marker in _PROGRESSIVE)
        if marker in (0xD9, 0xDA):  # end, or pixels before any size
            return None
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return None


def _webp(data: bytes) -> Header | None:
    chunk, body = data[12:16], data[20:30]
    if chunk == b"VP8X":
        return Header("webp", 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))
    if chunk == b"VP8L":
        bits = struct.unpack("<I", body[1:5])[0]
        return Header("webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return Header("webp", width & 0x3FFF, height & 0x3FFF)
    return None


# -- the process of its own ----------------------------------------------------------------------------------------


def develop(data: bytes, max_pixels: int) -> tuple[dict[str, Any], bytes, bytes]:
    """A new picture and its thumbnail (JPEG), with facts: width, height and what the old one's EXIF said."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = max_pixels
    announced = header(data)
    if announced is None:
        raise Unreadable("damaged")
    with Image.open(io.BytesIO(data), formats=[kind.upper() for kind in KINDS]) as image:
        if image.size != (announced.width, announced.height):
            raise Unreadable("damaged")
        hints = _hints(image)
        turned = hints.pop("orientation", 1)
        fresh = _upright(_small_rgb(image), turned)
    thumb = fresh.copy()
    thumb.thumbnail((THUMB_SIDE, THUMB_SIDE), reducing_gap=2.0)
    return {"width": fresh.width, "height": fresh.height, "dhash": _dhash(thumb), **hints}, _saved(fresh), _saved(thumb)


def _dhash(image: Any) -> int:
    """64 bits: which of two neighbours in a row of nine grey squares is darker (dHash, Krawetz 2013); survives re-encoding."""
    from PIL import Image

    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = (grey[9 * row + column] < grey[9 * row + column + 1] for row in range(8) for column in range(8))
    return sum(bit << place for place, bit in enumerate(bits))


def _small_rgb(image: Any) -> Any:
    """Decode and shrink, band by band: beside the one decoded copy there is never another of that size."""
    from PIL import Image

    image.draft("RGB", _fitted(image.size))  # JPEG: decode at 1/2, 1/4 or 1/8; others ignore it
    image.load()
    width, height = image.size
    factor = max(1, (max(image.size) + 500) // LONG_SIDE)  # + 500: from 4,620 px on halve, else two copies would not fit
    rows = factor * max(1, BAND_PIXELS // (width * factor))
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(height, top + rows)))
        small.paste(_flat(band).reduce(factor), (0, top // factor))
    image.close()
    small.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return small


def _flat(band: Any) -> Any:
    """Any mode as RGB; what is transparent becomes white."""
    from PIL import Image

    if band.mode == "I;16":
        return band.point(lambda value: value / 256).convert("L").convert("RGB")
    if not band.has_transparency_data:
        return band.convert("RGB")
    band = band.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", band.size, "white"), band).convert("RGB")


def _fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size that has the allowed long side."""
    long_side = max(*size, LONG_SIDE)
    return max(1, size[0] * LONG_SIDE // long_side), max(1, size[1] * LONG_SIDE // long_side)


def _upright(image: Any, orientation: int) -> Any:
    from PIL.Image import Transpose as T

    turns = {
        2: T.FLIP_LEFT_RIGHT,
        3: T.ROTATE_180,
        4: T.FLIP_TOP_BOTTOM,
        5: T.TRANSPOSE,
        6: T.ROTATE_270,
        7: T.TRANSVERSE,
        8: T.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _saved(image: Any) -> bytes:
    """JPEG bytes of the pixels alone: pasted into a fresh image, which has no metadata to carry over."""
    from PIL import Image

    clean = Image.new("RGB", image.size)
    clean.paste(image)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


# -- what the old metadata said --------------------------------------------------------------------------------------


def _hints(image: Any) -> dict[str, Any]:
    """Orientation, time and position as EXIF has them; whatever is malformed is as if absent."""
    try:
        exif = image.getexif()
        inner, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        taken, offset = inner.get(0x9003) or exif.get(0x0132), inner.get(0x9011)
        lon, lat = _degrees(gps, 3, 4, "W", 180), _degrees(gps, 1, 2, "S", 90)
        orientation = exif.get(0x0112, 1)
    except Exception:  # a stranger's bytes in a lenient parser: any fault means that there is no hint
        return {}
    return {
        "orientation": orientation if isinstance(orientation, int) else 1,
        "taken": taken if isinstance(taken, str) and re.match(r"^\d{4}:\d\d:\d\d \d\d:\d\d:\d\d", taken) else None,
        "offset": offset if isinstance(offset, str) and re.match(r"^[+-]\d\d:\d\d", offset) else None,
        **({"lon": lon, "lat": lat} if lon is not None and lat is not None else {}),
    }


def _degrees(gps: Any, reference: int, value: int, negative: str, most: int) -> float | None:
    if value not in gps:
        return None
    degrees, minutes, seconds = (float(part) for part in gps[value])
    total = degrees + minutes / 60 + seconds / 3600
    if not 0 <= total <= most:  # NaN too
        return None
    return -total if str(gps.get(reference, "")).upper().startswith(negative) else total


# -- the answer ------------------------------------------------------------------------------------------------------


def _limit(cpu_seconds: int) -> None:
    """Refuse ourselves more memory and time than a picture may cost. Elsewhere than on Linux only the time is limited."""
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/statm") as sizes:
            held = int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_BYTES, held + MEMORY_BYTES))


def main() -> None:
    """Read a picture from stdin, answer on stdout."""
    import warnings

    from PIL import JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401  # before the limit

    warnings.simplefilter("ignore")
    data = sys.stdin.buffer.read()
    _limit(int(sys.argv[2]))
    picture = thumb = b""
    try:
        facts, picture, thumb = develop(data, int(sys.argv[1]))
        answer = {"ok": True, **facts, "picture_bytes": len(picture)}
    except MemoryError:
        answer = {"ok": False, "code": "heavy"}
    except Unreadable as fault:
        answer = {"ok": False, "code": fault.code}
    except Exception as fault:  # whatever a decoder says about hostile bytes: the picture is damaged
        answer = {"ok": False, "code": "damaged", "why": type(fault).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + picture + thumb)


if __name__ == "__main__":
    main()
