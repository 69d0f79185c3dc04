"""Two dates are compared by a job: findings, blind places, suspects, what a permit explains; whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from shapely.geometry import box, mapping, shape

from jiequ.core.errors import Forbidden, Refusal
from jiequ.core.jobs import work_once
from jiequ.people.access import actor_for
from jiequ.people.rules import Role
from jiequ.sense import ground
from jiequ.sense.models import Blind, Comparison, Finding, Permit, Reflight, Suspect
from jiequ.sense.permit_files import Row
from jiequ.sense.queries import pairs
from jiequ.sense.services import comparing, permits
from tests.actors import NOW, World
from tests.support.sense import DAYS, Flown, flown, staff

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio multiplies transforms by *
STORIES = ("new_building", "permitted", "roof_shed")


def worked() -> None:
    for _slice in range(10):
        if not work_once(at=NOW + timedelta(minutes=1), outside=True, line="sense.compare", limit=1):
            return
    raise AssertionError("no end")


def compared(world: World, by: Any, place: Flown, days: Any = DAYS) -> Comparison:
    pair = pairs.pair_at(pairs.Place(world.street.pk, place.point), *days)
    row = comparing.ask_comparison(street_id=world.street.pk, pair=pair, point_id=place.point.pk, by=by, at=NOW)
    worked()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("done", "")
    return row


def permit(world: World, by: Any, geometry: Any, **facts: Any) -> Permit:
    told = Row(1, "粤规 1 号", "planning", geometry=ground.to_json(shape(geometry).buffer(0.00003)), **facts)
    return permits.keep_permit(street_id=world.street.pk, row=told, by=by, at=NOW)


def truth_of(place: Flown, kind: str) -> Any:
    return shape(next(one.geometry for one in place.truth if one.kind == kind))


def found_at(row: Comparison, place: Flown, kind: str) -> Finding:
    there = truth_of(place, kind)
    return max(row.findings.all(), key=lambda one: shape(one.geometry).intersection(there).area)


def test_what_changed_is_a_suspect_and_what_a_permit_allows_is_listed_with_its_rule(by: Any, world: World) -> None:
    place = flown(world, stories=STORIES)
    allowed = permit(world, by, next(one.geometry for one in place.truth if one.has_permit), height_m=12.0)
    row = compared(world, by, place)
    new, shed, held = (found_at(row, place, kind) for kind in ("new_building", "roof_shed", "permitted"))
    assert (held.rule, held.permit_id, held.suspect_id) == ("planning_covers", allowed.pk, None)
    assert held.covered is not None
    assert held.covered >= 0.8
    assert (new.rule, new.relation, shed.hint, shed.relation) == ("", "new", "roof_shed", "new")
    assert new.suspect is not None
    assert new.suspect.number.startswith(f"TB-{NOW.year}-")
    assert (new.suspect.latest_id, new.suspect.point_id, new.suspect.last_on) == (new.pk, place.point.pk, DAYS[1])
    assert shape(new.geometry).intersection(truth_of(place, "new_building")).area / truth_of(place, "new_building").area > 0.9
    assert new.area_m2 == pytest.approx(ground.area_m2(new.geometry), rel=1e-3)
    assert set(new.evidence) >= {"dsm", "net"}
    assert shed.evidence["net"]["mean"] < 0.5 < shed.evidence["dsm"]["share"], "found by heights alone"
    assert (row.found, row.held_back) == (row.findings.filter(rule="").count(), 1)
    blind = [one.area_m2 for one in Blind.objects.all()]
    assert max(blind, default=0) - 1 <= row.blind_m2 <= sum(blind) + 1, "each place counted once, whichever path is blind"
    turns = list(Suspect.objects.order_by("turn").values_list("turn", "drawn_by"))
    assert [turn for turn, _why in turns] == [float(n) for n in range(len(turns))]
    assert len(row.outcome_sha256) == 64


def test_the_same_question_is_asked_once_and_another_net_asks_anew(
    by: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = flown(world, stories=("new_building",))
    row = compared(world, by, place)
    pair = pairs.pair_at(pairs.Place(world.street.pk, place.point), *DAYS)
    again = comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=by, at=NOW)
    assert again.pk == row.pk
    monkeypatch.setattr(comparing.weights, "hash_in_use", lambda: "another")
    assert comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=by, at=NOW).pk != row.pk


def test_a_thing_that_is_seen_again_is_the_same_suspect_and_a_quiet_one_comes_back_only_when_it_grew(
    by: Any, world: World
) -> None:
    place = flown(world, stories=("new_building",))
    first = compared(world, by, place)
    suspect = found_at(first, place, "new_building").suspect
    assert suspect is not None
    count = Suspect.objects.count()
    Suspect.objects.filter(pk=suspect.pk).update(state="quiet", version=suspect.version + 1)
    Comparison.objects.update(state="stopped")
    compared(world, by, place)
    suspect.refresh_from_db()
    assert (suspect.state, suspect.times_seen, Suspect.objects.count()) == ("quiet", 1, count)
    Suspect.objects.filter(pk=suspect.pk).update(area_m2=suspect.area_m2 / 2, version=suspect.version + 1)
    Comparison.objects.update(state="stopped")
    compared(world, by, place)
    suspect.refresh_from_db()
    assert (suspect.state, suspect.came_back) == ("open", "grown")


def test_a_suspect_that_was_changed_meanwhile_makes_the_job_try_again(
    by: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jiequ.sense.services import recognising

    place = flown(world, stories=("new_building",))
    compared(world, by, place)
    Comparison.objects.update(state="stopped")
    known = recognising.question

    def meanwhile(*given: Any) -> Any:
        answer = known(*given)
        Suspect.objects.update(version=9)
        return answer

    monkeypatch.setattr(recognising, "question", meanwhile)
    pair = pairs.pair_at(pairs.Place(world.street.pk, place.point), *DAYS)
    row = comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=by, at=NOW)
    worked()
    row.refresh_from_db()
    assert (row.state, row.findings.count()) == ("running", 0), "nothing is decided on an old reading"


def test_a_place_that_was_flown_again_is_back_in_the_queue(by: Any, world: World) -> None:
    place = flown(world, stories=("new_building",))
    suspect = found_at(compared(world, by, place), place, "new_building").suspect
    assert suspect is not None
    Suspect.objects.filter(pk=suspect.pk).update(state="reflight", version=suspect.version + 1)
    asked = Reflight.objects.create(suspect=suspect, asked_at=NOW - timedelta(days=10), asked_by=1)
    Comparison.objects.update(state="stopped")
    compared(world, by, place)
    suspect.refresh_from_db()
    asked.refresh_from_db()
    assert (suspect.state, asked.done_at is not None) == ("open", True)


def test_only_analysts_ask_and_only_for_two_days_that_show_the_place(by: Any, world: World) -> None:
    place = flown(world, stories=("new_building",))
    there = pairs.Place(world.street.pk, place.point)
    assert pairs.dates_of(there) == [DAYS[1], DAYS[0]]
    with pytest.raises(Refusal, match="早于"):
        pairs.pair_at(there, DAYS[1], DAYS[0])
    with pytest.raises(Refusal, match="不能比对"):
        pairs.pair_at(there, DAYS[0] - timedelta(days=1), DAYS[1])
    elsewhere = pairs.Place(world.street.pk, bounds=shape(mapping(box(1, 1, 2, 2))).bounds)
    assert pairs.dates_of(elsewhere) == []
    pair = pairs.pair_at(there, *DAYS)
    assert pairs.newest_pairs(world.street.pk) == [(place.point, pair)]
    pilot = actor_for(staff(world, Role.PILOT, "fei"), at=NOW)
    with pytest.raises(Forbidden):
        comparing.ask_comparison(street_id=world.street.pk, pair=pair, by=pilot, at=NOW)
