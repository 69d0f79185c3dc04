"""STAC items, written through pystac. The core schema is pystac's bundled copy; no schema is fetched (tests validate).

Extensions used: ``projection`` 2.0 (``proj:code``, ``proj:shape``, ``proj:transform``) and ``file`` 2.1 (``file:checksum``, a
multihash). Our own properties begin with ``jiequ:``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pystac

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
FILE = "https://stac-extensions.github.io/file/v2.1.0/schema.json"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
ROLES = {"photo": ["data", "visual"], "ortho": ["data", "visual"], "dsm": ["data"], "snapshot": ["data", "visual"]}


def item_of(
    item_id: str, facts: dict[str, Any], *, image_sha256: str, flight: str = "", has_original: bool = False
) -> dict[str, Any]:
    """The item of a picture from the columns of its asset (see ``child.taking``): ground resolution, date, aircraft, flight.

    ``facts["sha256"]`` is the hash of the file that came, ``image_sha256`` that of the COG that is kept.
    """
    has_place = facts["west"] is not None
    item = pystac.Item(
        id=item_id,
        geometry=(facts["footprint"] or _box(facts)) if has_place else None,
        bbox=[facts[name] for name in ("west", "south", "east", "north")] if has_place else None,
        datetime=datetime.fromisoformat(facts["taken_at"]).astimezone(UTC),
        properties=_properties(facts, flight),
        stac_extensions=[PROJECTION, FILE] if has_place else [FILE],
    )
    item.add_asset("image", pystac.Asset(
        href="image.tif", media_type=COG, roles=ROLES[facts["kind"]], extra_fields={"file:checksum": "1220" + image_sha256},
    ))  # fmt: skip
    if has_original:
        item.add_asset("original", pystac.Asset(
            href="original.jpg", media_type="image/jpeg", roles=["source"],
            extra_fields={"file:checksum": "1220" + facts["sha256"]},
        ))  # fmt: skip
    told: dict[str, Any] = item.to_dict(include_self_link=False)
    return told


def _properties(facts: dict[str, Any], flight: str) -> dict[str, Any]:
    found: dict[str, Any] = {"jiequ:kind": facts["kind"], "jiequ:flight": flight, "jiequ:notes": facts["notes"]}
    if facts["gsd_m"]:
        found["gsd"] = round(facts["gsd_m"], 4)
    if facts["aircraft"]:
        found["platform"] = facts["aircraft"]
    if facts["west"] is not None:
        found |= {
            "proj:code": f"EPSG:{facts['epsg']}" if facts["epsg"] else None,
            "proj:shape": [facts["height"], facts["width"]],
            "proj:transform": list(facts["transform"]),
        }
    return found


def _box(facts: dict[str, Any]) -> dict[str, Any]:
    west, south, east, north = (facts[name] for name in ("west", "south", "east", "north"))
    return {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}
