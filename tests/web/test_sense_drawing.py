"""Outlines by hand: drawn, joined, cut; each a version, undone whole; what is no polygon of that place is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jiequ.sense.ground import area_m2
from jiequ.sense.models import Outline, Suspect
from tests.actors import LAT, LON, World
from tests.support.sense import analyst
from tests.support.suspects import METRE, comparison, square, suspect


@pytest.fixture
def pan(world: World) -> Client:
    return analyst(world)[2]


def sent(client: Client, one: Suspect, act: str, **more: Any) -> Any:
    one.refresh_from_db()
    return client.post(f"/sense/desk/{one.pk}/{act}", {"version": one.version, **more})


def places(shape: dict[str, Any]) -> str:
    return "\n".join(f"{lon:.9f}, {lat:.9f}" for lon, lat in shape["coordinates"][0][:-1])


def test_a_polygon_drawn_anew_is_a_version_and_undo_brings_the_old_one_back(world: World, pan: Client) -> None:
    one = suspect(comparison(world.street.pk))
    old = one.geometry
    assert sent(pan, one, "draw", outline=places(square(2, 2, side=14))).status_code == 302
    one.refresh_from_db()
    assert one.area_m2 == pytest.approx(area_m2(square(2, 2, side=14)), rel=0.001)
    assert (one.is_drawn, one.version, Outline.objects.get().version) == (True, 2, 2)
    assert sent(pan, one, "outline/undo").status_code == 302
    one.refresh_from_db()
    assert (one.geometry, one.is_drawn) == (old, False)
    assert Outline.objects.get().undone_at is not None


@pytest.mark.parametrize(
    ("outline", "code"),
    [
        ("", "多边形"),
        ("113.1, 23.1\n113.2, 23.2", "多边形"),
        (places(square(side=0.2)), "面积"),
        (places(square(2000)), "太远"),
        (f"{LON}, {LAT}\n{LON + 20 * METRE}, {LAT + 0.0002}\n{LON + 20 * METRE}, {LAT}\n{LON}, {LAT + 0.0002}", "交叉"),
        ('{"type": "Polygon", "coordinates": "x"}', "多边形"),
        ("{", "多边形"),
    ],
    ids=["nothing", "two corners", "tiny", "far away", "crosses itself", "broken", "half"],
)
def test_what_is_no_outline_of_it_is_refused_in_a_sentence(world: World, pan: Client, outline: str, code: str) -> None:
    one = suspect(comparison(world.street.pk))
    answer = sent(pan, one, "draw", outline=outline)
    assert answer.status_code == 422
    assert code in answer.content.decode()
    assert not Outline.objects.exists()


def test_two_on_one_roof_are_joined_and_come_apart_again(world: World, pan: Client) -> None:
    seen = comparison(world.street.pk)
    one, other, far = suspect(seen), suspect(seen, 12), suspect(seen, 60)
    assert sent(pan, one, "join", others=[far.pk]).status_code == 422
    assert sent(pan, one, "join", others=[other.pk]).status_code == 302
    one.refresh_from_db()
    other.refresh_from_db()
    assert (other.state, other.merged_into_id) == ("merged", one.pk)
    assert one.area_m2 == pytest.approx(220, rel=0.05), "the gap of two metres is bridged"
    assert sent(pan, one, "outline/undo").status_code == 302
    other.refresh_from_db()
    one.refresh_from_db()
    assert (other.state, other.merged_into_id) == ("open", None)
    assert one.area_m2 == pytest.approx(100, rel=0.05)


def test_one_is_cut_in_two_that_make_up_the_whole(world: World, pan: Client) -> None:
    one = suspect(comparison(world.street.pk))
    whole = one.area_m2
    beside = f"{LON - 9 * METRE}, {LAT}\n{LON - 9 * METRE}, {LAT + 0.001}"
    through = f"{LON + 3 * METRE}, {LAT - 0.001}\n{LON + 3 * METRE}, {LAT + 0.001}"
    assert sent(pan, one, "cut", line=beside).status_code == 422
    assert sent(pan, one, "cut", line=through).status_code == 302
    one.refresh_from_db()
    piece = Suspect.objects.get(cut_from=one)
    assert one.area_m2 + piece.area_m2 == pytest.approx(whole, rel=1e-4)
    assert one.area_m2 > piece.area_m2
    assert piece.state == "open"
    assert sent(pan, one, "outline/undo").status_code == 302
    piece.refresh_from_db()
    one.refresh_from_db()
    assert (piece.state, piece.merged_into_id) == ("merged", one.pk)
    assert one.area_m2 == pytest.approx(whole, rel=1e-6)


def test_an_outline_of_an_older_version_is_refused(world: World, pan: Client) -> None:
    one = suspect(comparison(world.street.pk))
    Suspect.objects.filter(pk=one.pk).update(version=5)
    answer = pan.post(f"/sense/desk/{one.pk}/draw", {"version": 1, "outline": places(square(1))})
    assert (answer.status_code, Outline.objects.count()) == (409, 0)
