"""Where and when as the words tell it: offered to residents and to the desk, set only when somebody takes it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent
from jiequ.core.worktime import ZONE
from jiequ.grid.models import MapVersion, Place
from jiequ.grid.queries import forget
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_place
from tests.statements import statements_of

pytestmark = pytest.mark.django_db
EVENING = (NOW - timedelta(days=1)).astimezone(ZONE).replace(hour=20, minute=0, second=0, microsecond=0)
LAST_NIGHT = f"{EVENING.isoformat(timespec='minutes')}/{(EVENING + timedelta(hours=2)).isoformat(timespec='minutes')}"


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def east(work: Casework) -> dict[str, int]:
    return {"community": work.world.communities["east"].pk}


def asked(answer: Any) -> list[str]:
    return re.findall(r'name="told_place" value="([^"]+)"', answer.content.decode())


# -- a resident ------------------------------------------------------------------------------------------------------


def test_a_resident_without_a_pin_is_asked_about_the_place_they_wrote_and_one_tap_takes_it(work: Casework) -> None:
    estate = make_place(work.world, "听橹花园", aliases=("老船厂宿舍",))
    browser = Client()
    page = browser.post("/report/suggest", {"words": "老船厂宿舍门口垃圾没人收"})
    assert asked(page) == [f"p{estate.pk}"]
    assert "checked" not in page.content.decode()  # never by itself
    sent = browser.post("/report/", {"words": "老船厂宿舍门口垃圾没人收", "told_place": f"p{estate.pk}"})
    assert sent.status_code == 303
    case = Case.objects.get()
    assert (case.unit_grid_id, case.lon, case.address) == (work.world.grid_a.pk, estate.lon, "听橹花园")


def test_what_was_offered_and_not_taken_is_not_set(work: Casework) -> None:
    make_place(work.world, "听橹花园")
    Client().post("/report/", {"words": "听橹花园昨晚八点到十点放音响", "told_place": "", "happened": "", **east(work)})
    case = Case.objects.get()
    assert (case.unit_grid_id, case.lon, case.happened_from) == (None, None, None)


@pytest.mark.parametrize(("north_m", "is_asked"), [(250, False), (350, True)])
def test_a_pin_is_doubted_only_where_the_place_written_lies_over_300_metres_from_it(
    work: Casework, north_m: int, is_asked: bool
) -> None:
    estate = make_place(work.world, "听橹花园")
    pin = {"lon": estate.lon, "lat": estate.lat + north_m / 111_195, "system": "cgcs2000", "accuracy_m": "9"}
    page = Client().post("/report/suggest", {"words": "听橹花园门口垃圾没人收", **pin})
    assert bool(asked(page)) is is_asked
    assert ("地图上的位置没错" in page.content.decode()) is is_asked


def long_road(work: Casework, kind: str = "road") -> Place:
    """A road two kilometres long, west to east through the middle of unit grid a, where its point is."""
    lon, lat = work.world.point_in("a")
    return make_place(work.world, "听潮大道", kind=kind, line=(((lon, lat), (lon + 0.02, lat)),))


@pytest.mark.parametrize(("north_m", "is_asked"), [(250, False), (350, True)])
def test_beside_a_long_road_or_river_the_distance_to_its_line_counts(work: Casework, north_m: int, is_asked: bool) -> None:
    """The twin that knows its point alone doubts a pin 1,500 m along it in either case."""
    road = long_road(work, kind="river")
    pin = {"lon": road.lon + 0.015, "lat": road.lat + north_m / 111_195, "system": "cgcs2000", "accuracy_m": "9"}
    said = {"words": "听潮大道边上垃圾没人收"}
    assert bool(asked(Client().post("/report/suggest", said | pin))) is is_asked
    Place.objects.update(line="")
    MapVersion.objects.update(token="as a point")
    forget()
    assert asked(Client().post("/report/suggest", said | pin)) == [f"p{road.pk}"]


def test_a_road_that_is_taken_is_taken_where_it_is_nearest_to_the_pin(work: Casework) -> None:
    road = long_road(work)
    pin = {"lon": road.lon + 0.0005, "lat": road.lat + 350 / 111_195, "system": "cgcs2000", "accuracy_m": "9"}
    Client().post("/report/", {"words": "听潮大道边上垃圾没人收", "told_place": f"p{road.pk}", **pin})
    case = Case.objects.get()
    assert (case.lon, case.lat) == (pytest.approx(road.lon + 0.0005, abs=1e-6), pytest.approx(road.lat, abs=1e-6))
    desk = work.world.client("lin")
    east = road.lon + 0.001
    Case.objects.update(lon=east, lat=road.lat + 0.01)
    page = desk.get(f"/cases/{case.number}/do/accept").content.decode()
    assert "相距 1.1 公里" in page
    sent = {"condition_id": work.condition.pk, "place_id": road.pk, "version": case.version}
    assert desk.post(f"/cases/{case.number}/do/accept", sent).status_code == 303
    case.refresh_from_db()
    assert (case.lon, case.lat) == (pytest.approx(east, abs=1e-6), pytest.approx(road.lat, abs=1e-6))


def test_the_place_taken_goes_before_a_pin_that_is_elsewhere(work: Casework) -> None:
    estate = make_place(work.world, "听橹花园")
    pin = {"lon": estate.lon, "lat": estate.lat + 0.01, "system": "cgcs2000", "accuracy_m": "9"}
    Client().post("/report/", {"words": "听橹花园门口垃圾没人收", "told_place": f"p{estate.pk}", **pin})
    assert Case.objects.get().lat == estate.lat


def test_a_name_that_no_list_knows_may_be_taken_as_words(work: Casework) -> None:
    page = Client().post("/report/suggest", {"words": "槐荫壹号小区门口垃圾没人收"})
    assert asked(page) == ["w槐荫壹号"]
    Client().post("/report/", {"words": "垃圾没人收", "told_place": "w槐荫壹号", **east(work)})
    assert Case.objects.get().address == "槐荫壹号"


def test_a_time_that_was_told_is_asked_about_and_kept_when_taken(work: Casework) -> None:
    page = Client().post("/report/suggest", {"words": "昨晚八点到十点工地打桩吵得睡不着"}).content.decode()
    assert re.findall(r'name="happened" value="([^"]+)"', page) == [LAST_NIGHT]
    Client().post("/report/", {"words": "昨晚八点到十点工地打桩", "happened": LAST_NIGHT, **east(work)})
    case = Case.objects.get()
    assert (case.happened_from, case.happened_until) == (EVENING, EVENING + timedelta(hours=2))


def test_what_comes_every_evening_is_offered_by_its_last_time(work: Casework) -> None:
    page = Client().post("/report/suggest", {"words": "每天晚上八点到十点广场舞太吵"}).content.decode()
    assert re.findall(r'name="happened" value="([^"]+)"', page) == [LAST_NIGHT]
    assert "每天，最近一次" in page
    Client().post("/report/", {"words": "每天晚上八点到十点广场舞太吵", "happened": LAST_NIGHT, **east(work)})
    assert Case.objects.get().happened_until == EVENING + timedelta(hours=2)


def test_without_scripts_the_button_shows_the_same_and_a_refused_report_keeps_what_was_chosen(work: Casework) -> None:
    estate = make_place(work.world, "听橹花园")
    data = {"words": "听橹花园昨晚八点到十点放音响", "told_place": f"p{estate.pk}", "happened": LAST_NIGHT}
    for answer in (Client().post("/report/", data | {"suggest": "1"}), Client().post("/report/", data | {"phone": "12"})):
        page = answer.content.decode()
        assert f'name="told_place" value="p{estate.pk}" checked' in page
        assert f'name="happened" value="{LAST_NIGHT}" checked' in page
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    "made_up",
    [
        *(
            {"told_place": "p999999"},
            {"told_place": "p²"},
            {"told_place": "x1"},
            {"told_place": "u44"},
            {"happened": "yesterday"},
        ),
        {"happened": f"{LAST_NIGHT.split('/')[1]}/{LAST_NIGHT.split('/')[0]}"},  # ends before it begins
        {"happened": "2999-01-01T00:00+08:00/2999-01-01T01:00+08:00"},
        {"happened": "2026-01-01T00:00/2026-01-01T01:00"},
    ],
)
def test_what_nobody_offered_is_refused_with_a_sentence(work: Casework, made_up: dict[str, str]) -> None:
    answer = Client().post("/report/", {"words": "垃圾没人收"} | made_up)
    assert answer.status_code == 422
    assert Case.objects.count() == 0


# -- the desk --------------------------------------------------------------------------------------------------------


def test_the_acceptor_takes_the_place_and_the_time_told_and_the_record_says_so(work: Casework) -> None:
    estate = make_place(work.world, "听橹花园")
    case = work.reported(words="听橹花园昨晚八点到十点放音响", place=services.Place()).case
    desk = work.world.client("lin")
    page = desk.get(f"/cases/{case.number}/do/accept").content.decode()
    assert f'data-offer-field="place_id" data-offer-value="{estate.pk}"' in page
    assert f'data-offer-field="happened" data-offer-value="{LAST_NIGHT}"' in page
    assert f'<option value="{estate.pk}" selected' not in page
    chosen = desk.get(f"/cases/{case.number}/do/accept?place_id={estate.pk}").content.decode()  # the link without scripts
    assert f'<option value="{estate.pk}" selected' in chosen
    sent = {"condition_id": work.condition.pk, "place_id": estate.pk, "happened": LAST_NIGHT, "version": case.version}
    assert desk.post(f"/cases/{case.number}/do/accept", sent).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.unit_grid_id, case.happened_from) == ("accepted", work.world.grid_a.pk, EVENING)
    assert CaseEvent.objects.get(case=case, move="accept").facts["before"]["lon"] is None


def test_a_pin_elsewhere_is_shown_with_its_distance_and_stays_unless_the_words_are_taken(work: Casework) -> None:
    estate = make_place(work.world, "听橹花园", grid="b")
    far = make_place(work.world, "望鹭苑", grid="a")
    Place.objects.filter(pk=estate.pk).update(lat=far.lat + 0.02)
    MapVersion.objects.update(token="moved")
    forget()
    case = work.reported(words="听橹花园门口垃圾没人收").case
    desk = work.world.client("lin")
    page = desk.get(f"/cases/{case.number}/do/accept").content.decode()
    assert "文字里说的地点和地图上的不一样" in page
    assert "相距 2.2 公里" in page
    lon = case.lon
    desk.post(f"/cases/{case.number}/do/accept", {"condition_id": work.condition.pk, "version": case.version})
    case.refresh_from_db()
    assert (case.state, case.lon) == ("accepted", lon)


def test_the_names_are_read_once_and_the_page_costs_no_more_for_them(work: Casework) -> None:
    case = work.reported(words="听橹花园门口垃圾没人收").case
    desk = work.world.client("lin")
    url = f"/cases/{case.number}/do/accept"
    desk.get(url)
    before = len(statements_of(lambda: desk.get(url)))
    for number in range(40):
        make_place(work.world, f"听橹花园{number}号院")
    desk.get(url)
    assert len(statements_of(lambda: desk.get(url))) <= before
