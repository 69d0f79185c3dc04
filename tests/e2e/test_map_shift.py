"""A tile service in GCJ-02 under our map: what is drawn at a place is the service's picture of that place."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, Route

from jiequ.grid.rules import from_canonical
from jiequ.people.models import Person
from tests.actors import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
DRAWS_MAPS = True
SERVICE = "/tiles-of-a-service"
LAYER = {
    "id": "own-gcj",
    "name": "街图",
    "system": "gcj02",
    "tiles": [f"{SERVICE}/{{z}}/{{x}}/{{y}}.png"],
    "size": 256,
    "minzoom": 0,
    "maxzoom": 18,
    "attribution": "",
    "is_on": True,
}
READ = """async ([layer, z, x, y, places]) => {
  const { shifted } = await import("/static/cases/map_shift.js");
  const canvas = new OffscreenCanvas(256, 256), pen = canvas.getContext("2d");
  pen.drawImage(await shifted(layer, z, x, y), 0, 0);
  return places.map(([left, top]) => [...pen.getImageData(left, top, 1, 1).data].slice(0, 3));
}"""


@pytest.fixture
def world(transactional_db: None, settings: Any) -> World:
    settings.MAP_LAYERS = [LAYER]
    return make_world()


def tile_of_colours(x: int, y: int) -> bytes:
    """Red is the pixel's column, green its row, blue which tile it is."""
    image = Image.new("RGB", (256, 256))
    image.putdata([(column, row, x % 16 * 16 + y % 16) for row in range(256) for column in range(256)])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def serve(page: Page) -> list[tuple[int, int, int]]:
    """The service, and what is asked of it."""
    asked: list[tuple[int, int, int]] = []

    def answer(route: Route) -> None:
        z, x, y = (int(part) for part in route.request.url.removesuffix(".png").split("/")[-3:])
        asked.append((z, x, y))
        route.fulfill(body=tile_of_colours(x, y), content_type="image/png")

    page.route(f"**{SERVICE}/**", answer)
    return asked


def pixels(lon: float, lat: float, z: int) -> tuple[float, float]:
    """Where a pair of degrees lies on a web-mercator map of that zoom."""
    side = 256 * 2**z
    sine = math.sin(math.radians(lat))
    return (lon + 180) / 360 * side, (0.5 - math.atanh(sine) / (2 * math.pi)) * side


def degrees(x: float, y: float, z: int) -> tuple[float, float]:
    side = 256 * 2**z
    return x / side * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / side))))


@pytest.mark.parametrize("z", [10, 14, 18])
@pytest.mark.parametrize(("lon", "lat"), [(113.5, 23.18), (116.39, 39.91)])
def test_each_pixel_is_the_services_picture_of_its_place(world: World, reader: Any, z: int, lon: float, lat: float) -> None:
    page = reader(size="desk", person=world.lin)
    asked = serve(page)
    page.goto("/map/", wait_until="domcontentloaded", timeout=60_000)
    x, y = (int(one // 256) for one in pixels(lon, lat, z))
    places = [(3, 3), (128, 128), (252, 3), (3, 252), (252, 252)]
    told = page.evaluate(READ, [LAYER, z, x, y, places])
    for (left, top), (red, green, blue) in zip(places, told, strict=True):
        place = degrees(x * 256 + left + 0.5, y * 256 + top + 0.5, z)
        theirs = pixels(*from_canonical(*place, "gcj02"), z)
        column, row = (math.floor(one) for one in theirs)
        found = [
            seen for seen in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)) if blue == blue_of(column + seen[0], row + seen[1])
        ]
        assert found, (blue, column // 256, row // 256)
        assert abs((red - column + 128) % 256 - 128) <= 1
        assert abs((green - row + 128) % 256 - 128) <= 1
    assert len([one for one in asked if one[0] == z]) >= 1


def blue_of(column: int, row: int) -> int:
    return column // 256 % 16 * 16 + row // 256 % 16


def test_the_map_draws_such_a_service_and_asks_for_each_of_its_tiles_once(world: World, reader: Any) -> None:
    person: Person = world.lin
    page = reader(size="desk", person=person)
    asked = serve(page)
    page.goto("/map/#at=15/23.18/113.5", wait_until="domcontentloaded", timeout=60_000)
    page.wait_for_selector("html[data-map=drawn]", timeout=30_000)
    page.wait_for_timeout(2500)
    assert asked
    assert len(asked) == len(set(asked))
    page.get_by_role("button", name="街图").wait_for()
