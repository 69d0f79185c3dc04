"""地点专题 as the desk uses it: found from the desk, opened, confirmed, taken back; on a phone in both languages it fits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from jiequ.cases import services
from jiequ.cases.models import Topic
from jiequ.core import clock
from tests.actors import World
from tests.casework import Casework, make_condition
from tests.e2e.conftest import Reader
from tests.e2e.measure import small_targets, too_wide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def work(world: World) -> Casework:
    """Three people met the same at one place."""
    found = Casework(world, make_condition())
    for n in range(3):
        found.accepted(at=clock.now(), contact=services.Contact(phone=f"1391234567{n}"))
    return found


def test_the_desk_finds_a_place_confirms_it_and_takes_it_back(reader: Reader, work: Casework) -> None:
    page = reader(person=work.world.lin, size="desk")
    page.goto("/desk/")
    page.get_by_role("link", name="地点专题").click()
    card = page.locator(".topic")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("3 个人说起")
    card.get_by_text("看这些案件").click()
    expect(card.locator("a.case")).to_have_count(3)
    card.get_by_role("button", name="确认是专题").click()
    page.wait_for_url("**/desk/topics/")
    expect(page.get_by_role("button", name="确认是专题")).to_have_count(0)
    expect(page.locator(".topic")).to_contain_text("林晓")
    assert Topic.objects.filter(ended_at=None).count() == 1
    page.get_by_role("button", name="撤销专题").click()
    expect(page.get_by_role("button", name="确认是专题")).to_have_count(1)
    assert not Topic.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_narrow_phone_a_topic_fits_and_its_keys_are_large_enough(reader: Reader, work: Casework, language: str) -> None:
    page = reader(person=work.world.lin, size="narrow", language=language)
    page.goto("/desk/topics/")
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert [*too_wide(page), *small_targets(page)] == []
