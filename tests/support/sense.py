"""Who works with imagery in tests, and small pictures with a place."""

from __future__ import annotations

import base64
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.test import Client

from jiequ.people.access import actor_for
from jiequ.people.models import Person, Post
from jiequ.people.rules import Actor, Role
from tests.actors import LAT, LON, NOW, SINCE, World, client_of, hashed_password

TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}
PIECE = "application/offset+octet-stream"
ZONE = ZoneInfo("Asia/Shanghai")
DAYS = (NOW.date() - timedelta(days=30), NOW.date() - timedelta(days=2))


def staff(world: World, role: Role, name: str, *, other_street: bool = False) -> Person:
    """Somebody with just that role."""
    person = Person.objects.create(username=name, name=name, phone="", password=hashed_password(), created_at=NOW)
    street = world.other_street if other_street else world.street
    Post.objects.create(person=person, account="staff", role=role.value, street=street, starts_on=SINCE)
    return person


def analyst(world: World, name: str = "pan", **where: bool) -> tuple[Person, Actor, Client]:
    """An analyst of the street: person, actor, browser."""
    person = staff(world, Role.ANALYST, name, **where)
    return person, actor_for(person, at=NOW), client_of(person)


def begin(client: Client, size: int, name: str = "a.tif", **facts: Any) -> str:
    """Begin a tus upload; its address."""
    told = {"filename": name, **{key: str(value) for key, value in facts.items()}}
    header = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    answer = client.post("/sense/uploads/", **TUS, HTTP_UPLOAD_LENGTH=str(size), HTTP_UPLOAD_METADATA=header)
    assert answer.status_code == 201, answer.content
    return answer["Location"]


def patch(client: Client, address: str, data: bytes, offset: int) -> Any:
    """One piece by tus."""
    return client.patch(address, data, content_type=PIECE, **TUS, HTTP_UPLOAD_OFFSET=str(offset))


def geotiff(path: Path, *, size: int = 64, gsd: float = 0.5, lon: float = LON, lat: float = LAT, seed: int = 1, bands: int = 3,
            dtype: str = "uint8", base: float = 0.0, crs: str | None = "EPSG:32649") -> Path:  # fmt: skip
    """A small GeoTIFF in UTM whose north-west corner is at lon, lat: noise with some structure."""
    import rasterio
    from rasterio import Affine
    from rasterio.warp import transform

    (x,), (y,) = transform("EPSG:4326", "EPSG:32649", [lon], [lat])
    noise = np.random.default_rng(seed).normal(size=(bands, size, size))
    smooth = sum(np.roll(noise, step, axis=axis) for axis in (1, 2) for step in (-1, 0, 1))
    data = (base + smooth) if dtype == "float32" else np.clip(128 + 25 * smooth, 0, 255)
    profile = {"driver": "GTiff", "width": size, "height": size, "count": bands, "dtype": dtype}
    if crs:
        profile |= {"crs": crs, "transform": Affine(gsd, 0, x, 0, -gsd, y)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a picture without a place is meant
        with rasterio.open(path, "w", **profile) as raster:
            raster.write(data.astype(dtype))
    return path


@dataclass(frozen=True, slots=True)
class Flown:
    """Two synthetic dates over one point, taken in: what is true of them, and the point."""

    truth: tuple[Any, ...]
    point: Any
    files: Any


def place_asset(world: World, path: Path, *, point: Any, day: date, kind: str, name: str = "") -> Any:
    """A picture that is in the store already, as the ingest job leaves it; its own way in is tested elsewhere."""
    import shutil

    from jiequ.sense import cog, files
    from jiequ.sense.child.taking import digest
    from jiequ.sense.models import Asset

    told = cog.facts_of(path)
    west, south, east, north = told.bounds or (None, None, None, None)
    asset = Asset.objects.create(
        street=world.street, point=point, kind=kind, name=name or path.name, source="folder", state="ready", made_at=NOW,
        sha256=digest(path), taken_at=datetime.combine(day, time(12), ZONE), gsd_m=told.gsd_m, width=told.width,
        height=told.height, bands=told.bands, epsg=told.epsg, west=west, south=south, east=east, north=north,
    )  # fmt: skip
    copy = files.work("placed") / f"{asset.pk}.tif"
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    files.store().place(copy, files.image_key(world.street.pk, asset.pk))
    return asset


@cache
def rendered(code: str, size_m: float, seed: int, stories: tuple[str, ...]) -> Any:
    """A site as the engine draws it, once a process: the same seed draws the same bytes. Its files are only read."""
    from jiequ.sense.engine import flights

    site, folder = flights.FlightSite(code, LON, LAT, size_m), Path(tempfile.mkdtemp(prefix="flown-"))
    return flights.render(site, folder, seed=seed, stories=stories)


def flown(world: World, *, seed: int = 1, stories: Sequence[str]) -> Flown:
    """A monitoring point with an orthophoto and a surface model of two days (``DAYS``), rendered by the engine."""
    from jiequ.grid.models import MonitoringPoint

    code = f"P{seed}"
    point = MonitoringPoint.objects.create(
        street=world.street, code=code, name="村口", kind="drone", lon=LON, lat=LAT, q18=0, raw_x=LON, raw_y=LAT
    )
    seen = rendered(code, 96.0, seed, tuple(stories))
    for when, day in zip(("before", "after"), DAYS, strict=True):
        for kind in ("ortho", "dsm"):
            place_asset(world, getattr(seen, f"{when}_{kind}"), point=point, day=day, kind=kind)
    return Flown(seen.truth, point, seen)


def drone_photo(path: Path, *, seed: int = 1, lon: float = LON, lat: float = LAT, taken: str = "2026:03:02 10:00:00") -> Path:
    """A small nadir photo as a DJI aircraft writes it: place, height, gimbal, lens and time, over noise with structure."""
    from PIL import Image

    noise = np.random.default_rng(seed).integers(0, 255, (75, 100, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0110] = "M3E"
    exif.get_ifd(0x8769).update({0x9003: taken, 0xA405: 24})
    exif.get_ifd(0x8825).update({1: "N", 2: _dms(lat), 3: "E", 4: _dms(lon)})
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r xmlns:d="dji" d:RelativeAltitude="+60.0" d:GimbalPitchDegree="-90.0" '
        b'd:GimbalYawDegree="0.0"/></x:xmpmeta>'
    )
    Image.fromarray(noise).resize((400, 300), Image.Resampling.NEAREST).save(path, "JPEG", quality=90, exif=exif, xmp=packet)
    return path


def _dms(degrees: float) -> tuple[float, float, float]:
    whole = int(degrees)
    minutes = int((degrees - whole) * 60)
    return float(whole), float(minutes), round((degrees - whole - minutes / 60) * 3600, 4)
