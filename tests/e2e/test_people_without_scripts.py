"""Signing in and handing over in a real browser, scripts off: forms are forms."""

from __future__ import annotations

from typing import Any

import pytest

from jiequ.people.models import Leave
from tests.actors import PASSWORD
from tests.e2e.conftest import Reader
from tests.e2e.measure import small_targets, too_wide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE_PAGES = ("/me", "/me/leave", "/me/sessions", "/me/password", "/me/second-factor")
DESK_PAGES = ("/people", "/people/new", "/departments", "/rota")


def test_a_grid_worker_signs_in_and_hands_over_with_one_tap(reader: Reader, world: Any) -> None:
    page = reader(scripts=False)
    page.goto("/me/leave")
    page.get_by_label("用户名或手机号").fill("chen")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="三天").click()
    assert page.get_by_text("正由").count() == 1
    assert Leave.objects.get().person == world.chen
    page.get_by_role("button", name="结束代理").click()
    assert page.get_by_text("正由").count() == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_of_people_scrolls_sideways_or_hides_a_target_from_a_thumb(reader: Reader, world: Any, language: str) -> None:
    wrong: dict[str, Any] = {}
    for name, paths in (("chen", PHONE_PAGES), ("xi", DESK_PAGES)):
        page = reader(size="narrow", language=language, person=world.people[name])
        for path in paths:
            page.goto(path, wait_until="load")
            if found := too_wide(page):
                wrong[f"{path} wide"] = found
            if name == "chen" and (small := small_targets(page)):
                wrong[f"{path} small"] = small
    assert wrong == {}
