"""The demonstration's hotline: its pages have something to show, and nothing of it is doubled when a job is done again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases.models import Case, Report
from jiequ.cases.services import HOTLINE_NAME
from jiequ.core.models import Street
from jiequ.doors.hotline.models import Order, Source, Visit
from jiequ.people.models import Person
from jiequ.web.demo import hotline, year
from jiequ.web.demo.base import seed_base
from jiequ.web.demo.past import Past
from tests.actors import NOW, client_of

pytestmark = pytest.mark.django_db
SINCE, UNTIL = NOW - timedelta(days=60), NOW - timedelta(days=50)


@pytest.fixture
def street(settings: Any) -> Street:
    settings.DEMO = True
    return seed_base(NOW)


def test_the_pages_of_the_hotline_are_full(street: Street) -> None:
    Past(street, NOW).write(year.between(SINCE, UNTIL))
    count = hotline.take_up(street, NOW, since=SINCE, until=UNTIL)
    assert count == Report.objects.filter(system=HOTLINE_NAME).count() == Order.objects.count() > 10
    assert Visit.objects.count() > 3
    assert hotline.take_up(street, NOW, since=SINCE, until=UNTIL) == count
    assert Order.objects.count() == count, "a job that is done again adds nothing"
    assert hotline.call_today(street, NOW) == len(hotline.TODAY) + 2
    states = list(Order.objects.exclude(number__startswith="12345-").values_list("state", flat=True))
    assert sorted(states) == ["refused", "taken", "taken", "taken", "taken", "update"]
    today = Case.objects.filter(hotline_orders__number__startswith="YS")
    assert all("outer" in clocks for clocks in today.values_list("clocks", flat=True)), "each has the days of its kind"
    for username, path, word in (
        ("lin", "/hotline/", "昨天下午"),
        ("system_admin", f"/hotline/sources/{Source.objects.get().pk}/", "12345"),
        ("he", "/indicators/hotline/", "解决率"),
    ):
        page = client_of(Person.objects.get(username=username)).get(path)
        assert page.status_code == 200, path
        assert word in page.content.decode(), path
