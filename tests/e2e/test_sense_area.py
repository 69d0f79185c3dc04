"""An area is drawn on the map with the mouse, its days are shown, its comparison is asked for."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from shapely.geometry import shape

from jiequ.grid.models import MapVersion
from jiequ.sense.models import Asset, Comparison
from tests.actors import LON, NOW, MovableClock, make_world
from tests.support.sense import DAYS, ZONE, analyst
from tests.support.suspects import METRE, asset, comparison, square

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_four_presses_and_enter_are_an_area_and_enter_again_shows_its_days(
    transactional_db: None, clock: MovableClock, settings: Any, tmp_path: Path, live_server: Any, reader: Any
) -> None:
    settings.SENSE = tmp_path
    settings.TILES_URL = ""
    world = make_world()
    MapVersion.objects.get_or_create(street=world.street, defaults={"token": "t"})
    for day in DAYS:
        Asset.objects.filter(pk=asset(world.street.pk, "ortho", day).pk).update(taken_at=datetime.combine(day, time(12), ZONE))
    page = reader(size="phone", person=analyst(world)[0])
    page.goto("/sense/comparisons/area")
    page.locator("[data-area-draw]").click()
    sheet = page.locator("#sense-map")
    for n, (x, y) in enumerate(((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)), 1):
        size = sheet.bounding_box() or {}
        sheet.click(position={"x": x * size["width"], "y": y * size["height"]}, delay=20)
        expect(page.locator("[data-area-said]")).to_contain_text(str(n))
        page.wait_for_timeout(400)  # two presses sooner than that are one double press to a browser
    page.keyboard.press("Enter")
    assert len(page.locator("[data-area-outline]").input_value().splitlines()) == 4
    page.keyboard.press("Enter")
    expect(page.locator("#before_on")).to_have_value(DAYS[0].isoformat())
    with page.expect_navigation():
        page.locator("button[value=start]").click()
    row = Comparison.objects.get()
    assert shape(row.area).is_valid
    assert page.url.endswith(f"/sense/comparisons/{row.pk}/#h-when") or page.url.endswith(f"/sense/comparisons/{row.pk}/")
    assert NOW.date() >= row.after_on > row.before_on


def test_the_map_of_an_area_of_several_parts_shows_all_of_it(
    transactional_db: None, clock: MovableClock, settings: Any, live_server: Any, reader: Any
) -> None:
    settings.TILES_URL = ""
    world = make_world()
    MapVersion.objects.get_or_create(street=world.street, defaults={"token": "t"})
    parts = [comparison(world.street.pk) for _part in range(2)]
    for part, east in zip(parts, (0.0, 900.0), strict=True):
        Comparison.objects.filter(pk=part.pk).update(area=square(east, side=100.0))
    page = reader(size="desk", person=analyst(world)[0])
    page.goto(f"/sense/comparisons/area/seen?of={parts[0].pk},{parts[1].pk}")
    page.wait_for_selector(".leaflet-sense-shapes-pane canvas")
    told = page.locator("#sense-map").evaluate("box => box.map.getBounds().toBBoxString()")
    west, _south, east, _north = (float(part) for part in told.split(","))
    assert west < LON
    assert east > LON + 1000 * METRE
