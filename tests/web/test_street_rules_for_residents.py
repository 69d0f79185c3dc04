"""What a street sets for itself holds on residents' pages too."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from jiequ.core.models import Street
from tests.actors import MovableClock
from tests.casework import Casework

THIRTY_METRES_NORTH = 30 / 111_000


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def set_rules(work: Casework, **rules: int) -> None:
    Street.objects.filter(pk=work.world.street.pk).update(settings=rules)


def near_here(work: Casework) -> int:
    lon, lat = work.world.point_in("a")
    asked = {"lon": lon, "lat": lat + THIRTY_METRES_NORTH, "system": "cgcs2000"}
    return len(re.findall(r'name="me_too" value="[^"]+"', Client().post("/report/suggest", asked).content.decode()))


def test_how_near_is_near_is_the_streets_own_rule(work: Casework) -> None:
    work.reported()
    assert near_here(work) == 1
    set_rules(work, near_m=10)
    assert near_here(work) == 0


def test_the_privacy_notice_promises_the_streets_own_days(work: Casework) -> None:
    assert "办结 365 天后自动删除" in Client().get("/report/").content.decode()
    Street.objects.update(settings={"keep_days": 90})
    assert "办结 90 天后自动删除" in Client().get("/report/").content.decode()
    Street.objects.filter(pk=work.world.other_street.pk).update(settings={"keep_days": 400})
    assert "办结 400 天后自动删除" in Client().get("/report/").content.decode(), "the longest, while the street is not known"
