"""A monitoring point of the demonstration is flown when somebody asks on its page; the work is seen by name."""

from __future__ import annotations

from typing import Any

import pytest

from jiequ.core.models import Job
from jiequ.grid.models import MonitoringPoint
from jiequ.people.rules import Role
from tests.actors import LAT, LON, World, client_of
from tests.support.sense import analyst, staff

pytestmark = pytest.mark.django_db


def test_a_point_is_flown_once_when_it_is_asked_for_and_only_in_the_demonstration(world: World, settings: Any) -> None:
    point, _other = (
        MonitoringPoint.objects.create(
            street=world.street, code=f"JK{number}", name="村口", kind="drone", lon=LON, lat=LAT, q18=0, raw_x=LON, raw_y=LAT
        )
        for number in (1, 2)
    )
    client = analyst(world)[2]
    page = f"/sense/comparisons/?point={point.pk}"
    assert "/demo/fly" not in client.get(page).content.decode()
    assert client.post("/demo/fly", {"point": point.pk}).status_code == 404
    settings.DEMO = True
    assert "/demo/fly" in client.get(page).content.decode()
    for _again in range(2):
        assert client.post("/demo/fly", {"point": point.pk}).status_code == 302
    assert [job.args["point_id"] for job in Job.objects.filter(kind="demo.fly")] == [point.pk]
    assert f"?point={point.pk}" in client.get("/demo").content.decode()
    pilot = client_of(staff(world, Role.PILOT, "fei"))
    assert "/demo/fly" not in pilot.get(page).content.decode(), "the form is the analyst's"
