"""The console's map over HTTP: clusters, points, the list of what it shows, and who is told what. SQL counted with sign-in."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Rollup
from jiequ.cases.queries import lists
from jiequ.cases.queries import map as map_queries
from jiequ.cases.views.filtering import forget
from jiequ.grid.rules import BBox, q18
from jiequ.people.models import Post
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.statements import statements_of

INLINE = re.compile(r"<[^>]+\sstyle=|<script(?![^>]+src=)|\son[a-z]+=")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    """林, acceptor and dispatcher, at the desk."""
    return work.world.client("lin")


def box(work: Casework, grid: str = "a", by: float = 0.01) -> str:
    lon, lat = work.world.point_in(grid)
    return f"{lon - by},{lat - by},{lon + by},{lat + by}"


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(path, query)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.json()


def clusters(client: Client, work: Casework, **query: Any) -> Any:
    return get(client, "/cases/clusters.json", **({"bbox": box(work), "zoom": 13} | query))


def points(client: Client, work: Casework, **query: Any) -> Any:
    return get(client, "/map/points.json", **({"bbox": box(work)} | query))


def rows(client: Client, **query: Any) -> str:
    answer = client.get("/map/", {"show": "rows"} | query, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


# ---- clusters


def test_clusters_count_by_group_and_stand_where_the_cases_are(work: Casework, lin: Client) -> None:
    for make in (work.just_reported, work.accepted, work.dispatched, work.closed):
        make()
    for zoom in (8, 10.4, 13, 18):
        told = clusters(lin, work, zoom=zoom)
        assert (told["waiting"], told["work"], told["ended"]) == ([2], [1], [1])
        lon, lat = work.world.point_in("a")
        assert abs(told["lon"][0] - lon) < 0.0015
        assert abs(told["lat"][0] - lat) < 0.0015


def test_two_places_in_one_tile_are_one_cluster_between_them(work: Casework, lin: Client) -> None:
    work.just_reported()
    work.reported(place=work.place("b"))
    told = clusters(lin, work, bbox=box(work, by=0.05), zoom=8)
    assert told["waiting"] == [2]
    west, east = sorted(work.world.point_in(grid)[0] for grid in "ab")
    assert west < told["lon"][0] < east + 0.0015


@pytest.mark.parametrize(
    ("query", "counted"),
    [
        ({}, [1, 1, 0]),
        ({"state": "handling"}, None),
        ({"light": "red"}, None),
        ({"source": "resident"}, None),
        ({"number": "LG-2026-000001"}, None),
    ],
)
def test_clusters_are_told_only_where_the_counts_can_tell_the_filter(
    work: Casework, lin: Client, query: dict[str, str], counted: list[int] | None
) -> None:
    work.just_reported()
    work.dispatched()
    told = clusters(lin, work, **query)
    assert told["is_counted"] is (counted is not None)
    if counted:
        assert [sum(told[group]) for group in ("waiting", "work", "ended")] == counted


def test_whole_groups_and_whole_classes_of_types_are_told_by_the_counts(work: Casework) -> None:
    make_condition("0501")
    work.dispatched()
    work.just_reported()
    actor, around = work.actor("lin"), BBox(113.0, 23.0, 114.0, 24.0)
    at_work = lists.Filters(states=("dispatched", "handling", "suspended", "handled", "checking", "rework"))
    found = map_queries.clusters(actor, at_work, around, zoom=10)
    assert found is not None
    assert found.counts == {"waiting": [0], "work": [1], "ended": [0]}
    assert map_queries.clusters(actor, lists.Filters(states=("dispatched",)), around, zoom=10) is None


@pytest.mark.parametrize("name", ["huang", "wu", "chen", "ding"])
def test_who_does_not_see_the_whole_street_is_told_no_counts(work: Casework, clock: MovableClock, name: str) -> None:
    case = work.just_reported()
    Case.objects.filter(pk=case.pk).update(is_confidential=True)
    assert clusters(work.world.client(name), work) == {"is_counted": False}


def test_another_streets_desk_is_told_nothing_of_this_one(work: Casework, clock: MovableClock) -> None:
    work.just_reported()
    wai = work.world.client("wai")
    told = clusters(wai, work)
    assert not told["is_counted"] or told["waiting"] == []
    assert points(wai, work)["id"] == []


def test_a_desk_with_a_seat_in_another_street_gets_points_because_its_counts_would_be_short(
    work: Casework, clock: MovableClock
) -> None:
    Post.objects.create(
        person=work.world.people["lin"],
        account="staff",
        role="grid_worker",
        street=work.world.other_street,
        starts_on=NOW.date(),
    )
    assert not clusters(work.world.client("lin"), work)["is_counted"]


# ---- points


def test_points_lie_where_their_cases_do_with_light_type_and_state(work: Casework, lin: Client) -> None:
    late = work.dispatched(at=NOW - timedelta(days=3))
    done = work.closed()
    told = points(lin, work)
    by_id = {pk: at for at, pk in enumerate(told["id"])}
    assert set(by_id) == {late.pk, done.pk}
    at = by_id[late.pk]
    west, north = told["origin"]
    lon, lat = work.world.point_in("a")
    assert abs(west + told["east"][at] / told["unit"] - lon) < 2e-5
    assert abs(north - told["south"][at] / told["unit"] - lat) < 2e-5
    assert told["lights"][told["light"][at]] == "red"
    assert told["lights"][told["light"][by_id[done.pk]]] == "done"
    assert told["types"][str(told["type"][at])] == "暴露生活垃圾"
    assert told["states"][told["state"][at]] == "已分流"
    assert told["more"] is False


@pytest.mark.parametrize("make", ["just_reported", "accepted", "dispatched", "handling", "checking", "checked", "closed"])
@pytest.mark.parametrize("hours", [0, 3.5, 90])
def test_a_points_light_is_the_lists(work: Casework, make: str, hours: float) -> None:
    case = getattr(work, make)()
    at = NOW + timedelta(hours=hours)
    found = map_queries.points(work.actor("lin"), lists.Filters(), BBox(113.0, 23.0, 114.0, 24.0), at=at)
    light = map_queries.LIGHTS[int(found.columns["light"])]
    case.refresh_from_db()
    assert light == ("done" if case.ended_at else lists.light_of(case, at))


def test_points_follow_the_lists_filters_and_the_readers_sight(work: Casework, lin: Client) -> None:
    mine, other = work.dispatched(), work.just_reported()
    assert points(lin, work, state="reported")["id"] == [other.pk]
    assert points(work.world.client("huang"), work)["id"] == [mine.pk]
    assert points(lin, work, bbox=box(work, "b", 0.0005))["id"] == []


def test_more_points_than_fit_are_the_newest_and_the_answer_says_so(
    work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [work.just_reported().pk for _ in range(5)]
    found = map_queries.points(work.actor("lin"), lists.Filters(), BBox(113.0, 23.0, 114.0, 24.0), at=NOW, most=3)
    assert found.columns["id"] == ",".join(map(str, made[:1:-1]))
    assert found.is_more
    map_queries.forget()
    monkeypatch.setattr(map_queries, "MANY", 2)  # a crowded box is read from the newest on: the same answer
    again = map_queries.points(work.actor("lin"), lists.Filters(), BBox(113.0, 23.0, 114.0, 24.0), at=NOW, most=3)
    assert again == found


def test_a_box_is_read_by_place_and_without_one_alike(work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [work.reported(place=work.place(grid)).case for grid in "abcab"]
    for by in (0.0003, 0.002, 0.05):
        told = []
        for many in (0, 50_000):
            map_queries.forget()
            monkeypatch.setattr(map_queries, "MANY", many)
            found = points(lin, work, bbox=box(work, "b", by))
            listed = rows(lin, bbox=box(work, "b", by))
            told.append((found["id"], [case.number in listed for case in places]))
        assert told[0] == told[1]
        assert 1 <= len(told[0][0]) <= 5


@pytest.mark.parametrize("bbox", ["", "1,2,3", "a,b,c,d", "nan,1,2,3", "3,1,2,2", "1,5,2,4", "inf,1,2,3", "1,2,3,4,5"])
def test_what_is_no_box_is_refused(work: Casework, lin: Client, bbox: str) -> None:
    for path in ("/map/points.json", "/cases/clusters.json"):
        answer = lin.get(path, {"bbox": bbox, "zoom": 10}, headers={"Accept": "application/json"})
        assert answer.status_code == 422
        assert answer.json()["facts"]["field"] == "bbox"


@pytest.mark.parametrize("zoom", ["", "x", "-1", "25", "nan", "inf"])
def test_what_is_no_zoom_is_refused(work: Casework, lin: Client, zoom: str) -> None:
    assert lin.get("/cases/clusters.json", {"bbox": "1,1,2,2", "zoom": zoom}).status_code == 422


def test_the_whole_world_is_a_box(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    assert points(lin, work, bbox="-180,-90,180,90")["id"] == [case.pk]
    assert clusters(lin, work, bbox="-180,-90,180,90", zoom=0)["waiting"] == [1]


# ---- cost


def test_clusters_and_points_take_one_statement_each_beside_the_sign_in(work: Casework, lin: Client) -> None:
    work.dispatched()
    clusters(lin, work)
    assert len([sql for sql in statements_of(lambda: clusters(lin, work)) if "cases_" in sql]) == 1
    points(lin, work)
    made = statements_of(lambda: points(lin, work))
    assert len([sql for sql in made if "cases_" in sql]) == 1, made
    assert len(made) <= 4, made


def test_four_thousand_points_are_under_a_hundred_kilobytes_gzipped(work: Casework, lin: Client) -> None:
    first = work.dispatched()
    west, south = work.world.point_in("a")
    fresh = []
    for i in range(3999):
        lon, lat = west + (i * 7919 % 4000) * 2e-6, south + (i * 104729 % 4000) * 2e-6
        one = Case.objects.get(pk=first.pk) if not fresh else Case(**values(fresh[0]))
        one.pk, one.number, one.lon, one.lat, one.q18 = None, f"LG-2026-{i + 100:06d}", lon, lat, q18(lon, lat)
        fresh.append(one)
    Case.objects.bulk_create(fresh, batch_size=500)
    answer = lin.get("/map/points.json", {"bbox": box(work, by=0.02)})
    assert len(answer.json()["id"]) == 4000
    assert len(gzip.compress(answer.content, 6)) < 100_000


def values(case: Case) -> dict[str, Any]:
    return {field.attname: getattr(case, field.attname) for field in Case._meta.concrete_fields if field.attname != "id"}


# ---- the page


def test_the_list_shows_what_the_map_does(work: Casework, lin: Client) -> None:
    here, there = work.just_reported(), work.reported(place=work.place("b")).case
    both = rows(lin, bbox=box(work, by=0.05))
    assert here.number in both
    assert there.number in both
    only = rows(lin, bbox=box(work, "b", 0.0005))
    assert here.number not in only
    assert there.number in only
    assert "这一片没有案件" in rows(lin, bbox="100,30,100.1,30.1")


def test_the_page_works_without_scripts_in_both_languages(work: Casework, lin: Client) -> None:
    case = work.dispatched()
    for language, words in (("zh-hans", "不用地图也能找"), ("en", "Finding without a map")):
        lin.cookies["django_language"] = language
        page = lin.get("/map/").content.decode()
        assert words in page
        assert f"/cases/{case.number}/" in page
        assert not INLINE.search(page)
    lin.cookies["django_language"] = "zh-hans"
    page = lin.get("/map/").content.decode()
    assert re.search(r"东涌社区</a> <span class=\"number\">未结 1 件", page)
    assert f'href="/cases/?community={case.community_id}"' in page


def test_the_page_offers_the_lists_filters_with_every_type_of_the_catalogue(work: Casework, lin: Client) -> None:
    make_condition("0501", name="井盖缺失")
    forget()
    page = lin.get("/map/", {"type": str(work.condition.edition.event_type_id), "state": "reported"})
    assert page.status_code == 200
    assert "井盖缺失" in page.content.decode()


def test_a_handler_counts_only_what_they_may_see_in_the_communities(work: Casework, clock: MovableClock) -> None:
    work.dispatched()
    work.just_reported()
    assert "未结 1 件" in work.world.client("huang").get("/map/").content.decode()
    assert "未结 2 件" in work.world.client("lin").get("/map/").content.decode()


def test_the_wall_shows_the_map_alone(work: Casework, lin: Client) -> None:
    page = lin.get("/map/?wall=1&state=reported").content.decode()
    assert 'class="wall"' in page
    assert 'id="map-rows"' not in page
    assert 'data-query="state=reported"' in page
    assert 'href="/map/?state=reported"' in page


def test_the_page_costs_no_more_with_more_cases(work: Casework, lin: Client) -> None:
    work.just_reported()
    lin.get("/map/")
    few = statements_of(lambda: lin.get("/map/"))
    for _ in range(5):
        work.just_reported()
    assert len(statements_of(lambda: lin.get("/map/"))) == len(few) <= 9, few


def test_counts_never_stop_a_case_even_when_they_are_lost(work: Casework, lin: Client) -> None:
    case = work.fresh(work.accepted(), "lin")
    Rollup.objects.all().delete()
    services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    told = clusters(lin, work)
    assert sum(told["waiting"]) + sum(told["work"]) >= 0
    assert points(lin, work)["id"] == [case.pk]
