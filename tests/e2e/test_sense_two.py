"""A newcomer's two files: dropped or chosen in one form, sent by pieces, compared, and the suspect that is in them opened."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people.models import Person
from jiequ.sense import children
from jiequ.sense.engine import flights
from jiequ.sense.models import Comparison, Flight, Suspect
from tests.actors import LAT, LON, NOW, MovableClock, make_world
from tests.support.sense import DAYS, analyst

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),  # rasterio multiplies transforms by *
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small orthophotos of one invented place, a house between them; the day stands in the name."""
    folder = tmp_path_factory.mktemp("own")
    seen = flights.render(flights.FlightSite("own", LON, LAT, 96.0), folder, seed=1, stories=("new_building",))
    named = [folder / f"村口-{day:%Y%m%d}.tif" for day in DAYS]
    for source, target in zip((seen.before_ortho, seen.after_ortho), named, strict=True):
        shutil.move(source, target)
    return named


@pytest.fixture
def pan(
    transactional_db: None,
    clock: MovableClock,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    live_server: Any,
) -> Person:
    settings.SENSE, settings.SENSE_PROCESSES, settings.TILES_URL = tmp_path, 1, ""
    monkeypatch.setattr(children, "SLICE_SECONDS", 60.0)
    return analyst(make_world())[0]


def worked() -> None:
    """What the worker does meanwhile."""
    for minute in range(20):
        done = work_once(at=NOW + timedelta(minutes=minute + 1), limit=2)
        if not done and not Job.objects.filter(kind__startswith="sense.").exists():
            return
    raise AssertionError("no end")


def test_from_two_files_to_a_suspect_on_one_way(pan: Person, reader: Any, files: list[Path]) -> None:
    page = reader(size="phone", person=pan)
    page.goto("/sense/comparisons/")
    page.get_by_role("link", name="比自己的两份文件").click()
    page.locator("#one").set_input_files(files[0])
    page.locator("#other").set_input_files(files[1])
    expect(page.locator("#one_on")).to_have_value(DAYS[0].isoformat())
    page.get_by_role("button", name="上传并比对").click()
    page.wait_for_url("**/sense/two/*/*/")
    assert sorted(Flight.objects.values_list("flown_on", flat=True)) == list(DAYS)
    worked()
    page.wait_for_url("**/sense/comparisons/*/")
    row = Comparison.objects.get()
    assert (row.before_on, row.after_on, row.state, row.reason) == (*DAYS, "done", "")
    number = Suspect.objects.order_by("-confidence")[0].number
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", name=number)).to_be_visible()


def dropped(page: Page, names: list[str], on: str) -> None:
    """Files are let fall over an element."""
    page.evaluate(
        """([names, on]) => {
            const carried = new DataTransfer();
            for (const name of names) carried.items.add(new File(["x".repeat(9)], name));
            document.querySelector(on).dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true }));
        }""",
        [names, on],
    )


def test_two_dropped_together_lie_by_their_days_and_what_would_be_refused_is_said_before_it_is_sent(
    pan: Person, reader: Any
) -> None:
    page = reader(size="desk", person=pan)
    page.goto("/sense/two/")
    page.wait_for_selector("[data-two-drop]:visible")
    dropped(page, ["after_2026-02-20.tif", "before_2026-01-10.tif"], "[data-two-slot=other]")
    named = [page.locator(f"#{slot}").evaluate("field => field.files[0].name") for slot in ("one", "other")]
    assert named == ["before_2026-01-10.tif", "after_2026-02-20.tif"]
    assert [page.locator(f"#{slot}_on").input_value() for slot in ("one", "other")] == ["2026-01-10", "2026-02-20"]
    dropped(page, ["no day.tif"], "[data-two-slot=one]")
    assert page.locator("#one_on").input_value() == "", "guessed from a name that is not there any more"
    assert "日期" in page.locator("#one_on").evaluate("field => field.validationMessage")
    dropped(page, ["one.jpg"], "[data-two-slot=one]")
    assert page.locator("form[data-sense-two]").evaluate("form => form.checkValidity()")
