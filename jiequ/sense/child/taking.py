"""A file is looked at, a photo laid on the ground, and all written as a Cloud Optimized GeoTIFF with a STAC item."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jiequ.sense import cog, places, stac
from jiequ.sense.engine import ingest
from jiequ.sense.engine.shapes import Asset, Kind, Unusable

Tell = Callable[[dict[str, Any]], None]


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The columns of the asset, its STAC item, and the file that was placed. Raises Unusable with the reason."""
    file, work = Path(request["file"]), Path(request["work"])
    if not file.is_file():
        raise Unusable("file_gone")
    sha256 = digest(file, lambda share: tell({"percent": int(20 * share)}))
    asset: Asset = ingest.inspect(file, kind=Kind(request["kind"]) if request["kind"] else None)
    taken_at = moment(asset, request)
    image = _image(file, work, asset, request, tell)
    facts = _columns(asset, image, request, sha256, taken_at)
    image_sha256 = sha256 if os.path.samefile(image, file) else digest(image)
    original = _original(file, work) if asset.kind is Kind.PHOTO else None
    item = stac.item_of(
        request["item_id"], facts, flight=request["flight"], image_sha256=image_sha256, has_original=original is not None
    )
    written = work / "item.json"
    written.write_text(json.dumps(item, ensure_ascii=False, indent=1), encoding="utf-8")
    if request.get("place"):
        store = places.store_of(request["place"])
        if original is not None:
            store.place(original, request["original_key"])
        store.place(image, request["image_key"])
        store.place(written, request["item_key"])
    return {"asset": facts, "item": item, "image": str(image)}


def _original(file: Path, work: Path) -> Path | None:
    """The photo as it came, of which a server makes a mosaic with others; None for what is no JPEG."""
    with open(file, "rb") as stream:
        if stream.read(2) != b"\xff\xd8":
            return None
    target = work / "original.jpg"
    target.unlink(missing_ok=True)
    shutil.copyfile(file, target)
    return target


def digest(file: Path, tell: Callable[[float], None] = lambda share: None) -> str:
    """SHA-256 of a file of any size, read once."""
    sha256, size, done = hashlib.sha256(), max(1, file.stat().st_size), 0
    with open(file, "rb") as stream:
        while piece := stream.read(4 << 20):
            sha256.update(piece)
            done += len(piece)
            tell(done / size)
    return sha256.hexdigest()


def moment(asset: Asset, request: dict[str, Any]) -> datetime:
    """When it was taken: what came with it, the camera's clock, else noon of the flight's day; Unusable if nobody knows."""
    zone = ZoneInfo(request["zone"])
    if request.get("taken_at"):
        return datetime.fromisoformat(request["taken_at"])
    if asset.taken_at is not None:
        return asset.taken_at if asset.taken_at.tzinfo else asset.taken_at.replace(tzinfo=zone)
    if request["flown_on"]:
        return datetime.combine(datetime.fromisoformat(request["flown_on"]).date(), time(12), zone)
    raise Unusable("no_date")


def _image(file: Path, work: Path, asset: Asset, request: dict[str, Any], tell: Tell) -> Path:
    """The COG in the work folder: a link where the file is one already."""
    target, source = work / "image.tif", file
    target.unlink(missing_ok=True)
    if asset.kind is Kind.PHOTO:
        source = work / "rectified.tif"
        tell({"percent": 25})
        ingest.rectify(file, source, asset)
    tell({"percent": 30})
    if asset.kind is not Kind.PHOTO and cog.is_cog(source):
        _link(source, target, keep=request.get("keep", False))
    else:
        cog.write(source, target, lambda share: tell({"percent": 30 + int(65 * share)}))
    return target


def _link(source: Path, target: Path, *, keep: bool) -> None:
    """Linked where the file is ours; copied where it is somebody's own, which may be written to later."""
    if keep:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copyfile(source, target)


def _columns(asset: Asset, image: Path, request: dict[str, Any], sha256: str, taken_at: datetime) -> dict[str, Any]:
    told = cog.facts_of(image)
    west, south, east, north = asset.bounds or told.bounds or (None, None, None, None)
    return {
        "kind": str(asset.kind),
        "sha256": sha256,
        "gsd_m": asset.gsd_m or told.gsd_m,
        "width": told.width,
        "height": told.height,
        "bands": told.bands,
        "epsg": told.epsg,
        "transform": told.transform,
        "aircraft": (asset.aircraft or request["aircraft"])[:80],
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "footprint": dict(asset.footprint) if asset.footprint else None,
        "low": told.low,
        "high": told.high,
        "taken_at": taken_at.isoformat(),
        "notes": list(asset.notes),
    }
