"""One photo: what its EXIF and its DJI packet say, and whether it can be used."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from jiequ.sense.engine import camera
from jiequ.sense.engine.shapes import Asset, Kind, Pose, Unusable
from jiequ.sense.engine.xmp import number, read_xmp

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 150_000_000  # a 150 MP survey camera
MOST_PIXELS_AT_ONCE = 40_000_000  # of a format that cannot be decoded small: PNG, WebP, progressive JPEG (no drone writes one)
MOST_SIDE = 40_000
MOST_PITCH = -75.0
LEAST_SHARPNESS = 6.0  # variance of the Laplacian at 1000 pixels; the blurred twin of each sample photo has less than 3
FULL_FRAME_MM = 36.0, 24.0
MOST_SKEW_SECONDS = 26 * 3600  # EXIF's own zone is unknown: more than any zone apart is a wrong clock
OLDEST = datetime(2000, 1, 1)  # noqa: DTZ001  (a camera's clock has no zone)
GPS_IFD, EXIF_IFD = 0x8825, 0x8769


def inspect_photo(path: Path, *, snapshot: bool = False) -> Asset:
    """What is known of a photo. ``snapshot``: of a fixed camera, which needs no position. Raises Unusable."""
    with _opened(path) as image:
        return _inspected(image, snapshot)


def read_photo(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) RGB of a photo, by the same door and under the same bounds as ``inspect_photo``. Raises Unusable."""
    with _opened(path) as image:
        _refuse_large(image)
        return np.asarray(image.convert("RGB"))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The one place of the engine where a stranger's picture is opened; whatever is wrong with it becomes a code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=FORMATS) as image:
                yield image
        except UnidentifiedImageError:
            raise Unusable("unknown_format") from None
        except Image.DecompressionBombError:
            raise Unusable("bomb") from None
        except (OSError, SyntaxError, ValueError, EOFError) as broken:
            raise Unusable("truncated", what=type(broken).__name__) from None


def _refuse_large(image: Any) -> None:
    width, height = image.size
    if max(width, height) > MOST_SIDE:
        raise Unusable("too_wide", width=width, height=height, most=MOST_SIDE)
    most = MOST_PIXELS if image.format == "JPEG" and not image.info.get("progressive") else MOST_PIXELS_AT_ONCE
    if width * height > most:
        raise Unusable("too_many_pixels", pixels=width * height, most=most)


def _inspected(image: Any, snapshot: bool) -> Asset:
    _refuse_large(image)
    width, height = image.size
    exif = image.getexif()
    told = read_xmp(image.info["xmp"]) if isinstance(image.info.get("xmp"), bytes) else {}
    taken = _taken(exif)
    _refuse_blur(image)
    if snapshot:
        return Asset(Kind.SNAPSHOT, width, height, len(image.getbands()), "uint8", taken_at=taken)
    pose = _pose(exif, told, width, height)
    if pose.pitch > MOST_PITCH:
        raise Unusable("pitch", pitch=pose.pitch, most=MOST_PITCH)
    outline = camera.footprint(pose, width, height)
    lons, lats = zip(*outline["coordinates"][0], strict=True)
    return Asset(
        Kind.PHOTO,
        width,
        height,
        len(image.getbands()),
        "uint8",
        gsd_m=round(camera.gsd_m(pose), 4),
        bounds=(min(lons), min(lats), max(lons), max(lats)),
        footprint=outline,
        taken_at=taken,
        aircraft=_text(exif, 0x0110),
        height_above_ground_m=pose.above_ground_m,
        pitch=pose.pitch,
        pose=pose,
        notes=_notes(told),
    )


def _text(exif: Any, tag: int) -> str:
    found = exif.get(tag, "")
    return re.sub(r"[^\w .()/+-]", "", str(found).split("\0")[0]).strip()[:60]


def _notes(told: dict[str, str]) -> tuple[str, ...]:
    if not told.get("GimbalPitchDegree"):
        return ("attitude_assumed",)
    return ("rtk",) if number(told, "RtkFlag") == 50 else ()  # 50: fixed solution


def _taken(exif: Any) -> datetime | None:
    """When, by the camera's clock. Unusable: clock_skew, where that cannot be or GPS says another day."""
    text = exif.get_ifd(EXIF_IFD).get(0x9003) or exif.get(0x0132)
    taken = _when(text, "%Y:%m:%d %H:%M:%S")
    if taken is None:
        return None
    if taken < OLDEST:
        raise Unusable("clock_skew", taken_at=taken.isoformat())
    satellite = _by_satellite(exif.get_ifd(GPS_IFD))
    if satellite is not None and abs((taken - satellite).total_seconds()) > MOST_SKEW_SECONDS:
        raise Unusable("clock_skew", taken_at=taken.isoformat(), gps_at=satellite.isoformat())
    return taken


def _when(text: Any, shape: str) -> datetime | None:
    try:
        return datetime.strptime(str(text).strip("\0 "), shape)  # noqa: DTZ007  (a camera's clock has no zone)
    except ValueError:
        return None


def _by_satellite(gps: Any) -> datetime | None:
    try:
        hours, minutes, seconds = (int(float(one)) for one in gps[7])
        return _when(f"{gps[29]} {hours}:{minutes}:{seconds}", "%Y:%m:%d %H:%M:%S")
    except (KeyError, TypeError, ValueError):
        return None


def _pose(exif: Any, told: dict[str, str], width: int, height: int) -> Pose:
    """Where the camera stood and looked. Unusable: no_position, no_height, no_lens."""
    gps = exif.get_ifd(GPS_IFD)
    lat, lon = _degrees(gps.get(2), gps.get(1), "S"), _degrees(gps.get(4), gps.get(3), "W")
    lat, lon = number(told, "GpsLatitude") or lat, number(told, "GpsLongitude", "GpsLongtitude") or lon  # DJI wrote it so
    if lat is None or lon is None or not (-80 <= lat <= 84 and -180 <= lon <= 180) or (lat, lon) == (0, 0):
        raise Unusable("no_position")
    above = number(told, "RelativeAltitude")
    if above is None or not 2 < above < 5000:
        raise Unusable("no_height", told=above if above is not None else "")
    yaw = number(told, "GimbalYawDegree", "FlightYawDegree") or 0.0
    pitch = number(told, "GimbalPitchDegree")
    roll = number(told, "GimbalRollDegree") or 0.0
    upside_down = abs(roll) > 170  # DJI tells a nadir gimbal so after a turn
    return Pose(
        lon, lat, above, yaw, -90.0 if pitch is None else pitch, 0.0 if upside_down else roll, _focal(exif, told, width, height)
    )


def _degrees(triple: Any, side: Any, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(one) for one in triple)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    found = degrees + minutes / 60 + seconds / 3600
    return (-found if str(side).strip("\0 ").upper() == negative else found) if math.isfinite(found) else None


def _focal(exif: Any, told: dict[str, str], width: int, height: int) -> float:
    """Focal length in pixels: DJI's calibration, else the 35 mm equivalent (by the diagonal), else the sensor's pitch."""
    calibrated = number(told, "CalibratedFocalLength")
    if calibrated and calibrated > 100:
        return calibrated
    details = exif.get_ifd(EXIF_IFD)
    equivalent = _positive(details.get(0xA405))
    if equivalent:
        return equivalent * _diagonal(width, height) / math.hypot(*FULL_FRAME_MM)
    focal, per_unit = _positive(details.get(0x920A)), _positive(details.get(0xA20E))
    unit_mm = {2: 25.4, 3: 10.0}.get(details.get(0xA210, 2), 25.4)
    if focal and per_unit:
        return focal * per_unit / unit_mm
    raise Unusable("no_lens")


def _diagonal(width: int, height: int) -> float:
    """Of the whole sensor in pixels: a 16:9 picture is cut from one of 4:3, for which the equivalent is told."""
    longer, shorter = max(width, height), min(width, height)
    return math.hypot(longer, longer * 0.75 if longer > 1.6 * shorter else shorter)


def _positive(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if math.isfinite(found) and found > 0 else None


def _refuse_blur(image: Any) -> None:
    """Decode at an eighth where the format allows, which also finds a file that ends early. Unusable: blur."""
    image.draft("L", (1000, 1000))
    small = image.convert("L")
    small.thumbnail((1000, 1000))
    sharp = float(cv2.Laplacian(np.asarray(small), cv2.CV_32F).var())
    if sharp < LEAST_SHARPNESS:
        raise Unusable("blur", sharpness=round(sharp, 2), least=LEAST_SHARPNESS)
