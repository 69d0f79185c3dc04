"""Administrators at the same moment: of those who saw the same version, one changes a thing and the others are told."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import F

from jiequ.cases.models import ControlArea, EventType, TypeEdition
from jiequ.cases.services import areas, types
from jiequ.core.errors import Stale
from tests.actors import LAT, LON, NOW, STEP, World
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, AREAS = 4, 30
GAP = 0.003  # between a twin's look and its write: it shows its fault on any machine
RING = [[LON, LAT], [LON + STEP, LAT], [LON + STEP, LAT + STEP], [LON, LAT]]
DRAFT = areas.AreaDraft(
    name="施工",
    notice_zh="请绕行",
    starts_at=NOW,
    ends_at=NOW + timedelta(days=1),
    geometry={"type": "Polygon", "coordinates": [RING]},
)


def make_areas(world: World) -> list[int]:
    by = world.actor("xi")
    return [areas.set_control_area(street_id=world.street.pk, draft=DRAFT, by=by, at=NOW).pk for _ in range(AREAS)]


def count(tries: list[Any]) -> int:
    """How many of the calls went through; the others must have been refused as stale."""
    done = 0
    for attempt in tries:
        try:
            attempt()
            done += 1
        except Stale:
            pass
    return done


def test_of_four_administrators_one_changes_each_area(world: World) -> None:
    made, by = make_areas(world), world.actor("xi")

    def work(number: int) -> int:
        mine = replace(DRAFT, name=f"施工{number}")
        common = {"street_id": world.street.pk, "draft": mine, "by": by, "at": NOW, "version": 1}
        return count([lambda pk=pk: areas.set_control_area(area_id=pk, **common) for pk in made])

    assert sum(at_once(PROCESSES, work)) == AREAS
    assert set(ControlArea.objects.values_list("version", flat=True)) == {2}


def test_the_broken_twin_that_reads_checks_and_saves_lets_several_through(world: World) -> None:
    made = make_areas(world)

    def save(pk: int, name: str) -> None:
        row = ControlArea.objects.get(pk=pk)
        if row.version != 1:
            raise Stale("stale", "")
        time.sleep(GAP)
        ControlArea.objects.filter(pk=pk).update(name=name, version=F("version") + 1)

    def work(number: int) -> int:
        return count([lambda pk=pk: save(pk, f"施工{number}") for pk in made])

    assert sum(at_once(PROCESSES, work)) > AREAS


def test_of_four_administrators_one_makes_each_edition(world: World) -> None:
    by = world.actor("xi")
    types.load_catalogue(by=by, at=NOW)
    wanted = list(EventType.objects.order_by("pk").values_list("pk", flat=True)[:AREAS])

    def work(number: int) -> int:
        done = 0
        for pk in wanted:
            draft = types.draft_of(TypeEdition.objects.get(event_type_id=pk, number=1))
            changed = replace(draft, note=f"第{number}人改")
            done += count([partial(types.edit_type, event_type_id=pk, edition=1, draft=changed, by=by, at=NOW)])
        return done

    assert sum(at_once(PROCESSES, work)) == AREAS
    assert TypeEdition.objects.filter(number=2).count() == AREAS
    assert not TypeEdition.objects.filter(number=3).exists()
