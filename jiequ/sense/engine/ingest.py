"""One file of a flight: what it is and whether it can be used, or the one reason why not. Nothing is dropped in silence."""

from __future__ import annotations

from pathlib import Path

from jiequ.sense.engine.checks import inspect_raster
from jiequ.sense.engine.photos import inspect_photo
from jiequ.sense.engine.rectify import rectify
from jiequ.sense.engine.shapes import Asset, Kind, Unusable

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def inspect(path: Path, *, kind: Kind | None = None) -> Asset:
    """What is known of a photo or a GeoTIFF, told by its content. Raises Unusable.

    Codes: unknown_format, truncated, too_wide, too_many_pixels, too_many_bands, bomb, no_crs, wrong_crs, no_data, no_position,
    no_height, no_lens, pitch, blur, clock_skew, xmp_entities, xmp_broken, unreadable.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as broken:
        raise Unusable("unreadable", what=type(broken).__name__) from None
    if start in TIFF:
        return inspect_raster(path, kind=kind)
    return inspect_photo(path, snapshot=kind == Kind.SNAPSHOT)


__all__ = ["inspect", "rectify"]
