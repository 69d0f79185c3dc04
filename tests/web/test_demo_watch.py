"""The demonstration can be played at any hour: whoever is told something by the story is on the duty rota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from jiequ.people import queries
from jiequ.people.models import Shift
from jiequ.people.rules import Role
from jiequ.web.demo.watch import LEAST, WEEKS, stand_watch
from tests.actors import World

pytestmark = pytest.mark.django_db
SUNDAY_NIGHT = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai


def test_on_a_sunday_night_the_leader_the_leads_and_the_hands_are_on_shift(world: World) -> None:
    told = [world.people[name].pk for name in ("he", "wu", "huang", "chen")]
    assert queries.on_shift(told, SUNDAY_NIGHT) == set()
    stand_watch(world.street, SUNDAY_NIGHT)
    assert queries.on_shift(told, SUNDAY_NIGHT) == set(told)
    assert queries.on_shift(told, SUNDAY_NIGHT + timedelta(weeks=WEEKS, seconds=-1)) == set(told)


def test_what_is_sent_to_a_department_still_reaches_its_lead_alone(world: World) -> None:
    where: dict[str, Any] = {"department_id": world.sanitation.pk, "street_id": world.street.pk, "at": SUNDAY_NIGHT}
    before = queries.on_duty(**where)
    stand_watch(world.street, SUNDAY_NIGHT)
    assert queries.on_duty(**where) == before
    assert queries.on_duty(role=Role.DEPARTMENT_LEAD, **where) == before


def test_a_later_start_writes_the_rota_on_without_a_gap_and_nothing_twice(world: World) -> None:
    written = stand_watch(world.street, SUNDAY_NIGHT)
    assert stand_watch(world.street, SUNDAY_NIGHT + timedelta(days=1)) == 0
    late = SUNDAY_NIGHT + timedelta(weeks=WEEKS) - LEAST / 2
    assert stand_watch(world.street, late) == written
    starts = Shift.objects.filter(person=world.people["he"]).order_by("starts_at").values_list("starts_at", "ends_at")
    assert all(ends == begins for (_begun, ends), (begins, _ends) in pairwise(starts))
