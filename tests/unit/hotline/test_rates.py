"""The three rates by the hotline's own call-backs: the chosen formula, n, and exactly the cases behind each number."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases.models import Case
from jiequ.core import jobs as core_jobs
from jiequ.doors.hotline import rules
from jiequ.doors.hotline.models import Source
from jiequ.doors.hotline.rules import OrderSight
from jiequ.insight.models import Export
from jiequ.insight.services import exporting
from tests.actors import NOW
from tests.casework import Casework
from tests.support.hotline import Hotline

pytestmark = pytest.mark.django_db

SIGHT = OrderSight(1, False, True, True, False, NOW, NOW + timedelta(hours=1), True, True, False, 3)


@pytest.mark.parametrize(
    ("changes", "has", "lacks"),
    [
        (
            {},
            {"sent", "accepted_ontime", "answered_ontime", "contacted", "heard"},
            {"acknowledged_ontime", "solved", "satisfied"},
        ),
        ({"answered_at": NOW + timedelta(hours=2)}, {"answered"}, {"answered_ontime"}),
        ({"is_returned": True}, {"received"}, {"kept"}),
        ({"is_sent": False}, {"received"}, {"sent", "accepted_ontime"}),
        ({"solved": None, "satisfaction": None}, {"visited", "contacted"}, {"heard", "solved", "satisfied"}),
        ({"solved": True, "satisfaction": 4}, {"solved", "satisfied"}, set()),
    ],
)
def test_an_order_counts_for_its_parts(changes: dict[str, Any], has: set[str], lacks: set[str]) -> None:
    parts = rules.parts_of(replace(SIGHT, **changes))
    assert has <= parts
    assert not lacks & parts


def test_a_stored_formula_that_is_none_of_ours_is_not_used() -> None:
    stored = {"response": ["__import__('os')", "sent"], "solve": ["solved", "kept"], "satisfy": "satisfied"}
    assert rules.formulas_of(stored) == {**rules.DEFAULT, "solve": ("solved", "kept")}


def test_a_share_is_never_more_than_all() -> None:
    orders = [frozenset({"solved"}), frozenset({"solved", "heard"}), frozenset({"heard"})]
    assert rules.share_of(orders, ("solved", "heard")) == rules.Share(1, 2)


def seven_orders(work: Casework, there: Hotline) -> None:
    """Five to the sanitation unit, two to nobody; four called back, of whom three say solved and two are satisfied."""
    for n in range(7):
        there.send("orders", there.order(work.world, f"GZ-{n}", 承办单位="环卫所" if n < 5 else ""))
    for n, (solved, score) in enumerate([("是", 5), ("是", 4), ("是", 3), ("否", 1)]):
        there.send("visits", {"visit": f"V-{n}", "number": f"GZ-{n}", "solved": solved, "satisfaction": score})
    there.send("visits", {"visit": "V-9", "number": "GZ-4", "contacted": "否"})


def figures_on(html: str) -> dict[str, tuple[str, str, str]]:
    """Rate → (share, above, below) of the cards."""
    cards = re.findall(
        r'data-rate="(\w+)".*?insight-share">([^<]+)<.*?<a href="([^"]+)"[^>]*>(\d+)</a> / <a href="([^"]+)"[^>]*>(\d+)<',
        html,
        re.S,
    )
    return {rate: (share, above, below) for rate, share, _a, above, _b, below in cards}


def test_the_page_shows_rates_formulas_and_the_cases_behind_each_number(work: Casework, there: Hotline) -> None:
    seven_orders(work, there)
    he = work.world.client("he")
    page = he.get("/indicators/hotline/").content.decode()
    assert figures_on(page) == {"response": ("100.0%", "5", "5"), "solve": ("75.0%", "3", "4"), "satisfy": ("50.0%", "2", "4")}
    assert "回访说“已解决”的工单 / 有效回访的工单" in page
    numbers = dict(Case.objects.values_list("reports__source_ref", "number"))
    for href, n in re.findall(r'<a href="([^"]*hotline/cases[^"]*)"[^>]*>(\d+)</a>', page):
        behind = he.get(href.replace("&amp;", "&")).content.decode()
        assert len(set(re.findall(r"LG-2026-\d{6}", behind))) == int(n), href
    solved = he.get("/indicators/hotline/cases/?rate=solve&side=above").content.decode()
    assert {ref for ref, number in numbers.items() if number in solved} == {"GZ-0", "GZ-1", "GZ-2"}


def test_another_formula_gives_another_figure_and_says_so(work: Casework, there: Hotline) -> None:
    seven_orders(work, there)
    Source.objects.update(formulas={"solve": ["solved", "visited"], "response": ["contacted", "kept"]}, satisfied_from=5)
    page = work.world.client("he").get("/indicators/hotline/").content.decode()
    assert figures_on(page) == {"response": ("0.0%", "0", "7"), "solve": ("60.0%", "3", "5"), "satisfy": ("25.0%", "1", "4")}
    assert "回访说“已解决”的工单 / 热线回访过的工单" in page


def test_few_orders_are_not_compared_and_nobody_is_named(work: Casework, there: Hotline) -> None:
    seven_orders(work, there)
    work.world.street.settings = {"compare_min_n": 5}
    work.world.street.save(update_fields=["settings"])
    page = work.world.client("he").get("/indicators/hotline/").content.decode()
    assert page.count("样本不足") == 2 + 3 + 1  # two of the unit's rates, three of nobody's, and the rule itself
    assert "黄海" not in page


def test_another_street_sees_none_of_it(work: Casework, there: Hotline) -> None:
    seven_orders(work, there)
    du = work.world.client("du")
    assert du.get(f"/indicators/hotline/?street={work.world.other_street.pk}&source=gz").status_code == 404
    assert figures_on(du.get("/indicators/hotline/").content.decode())["solve"] == ("75.0%", "3", "4")


def test_the_file_holds_what_the_page_shows(work: Casework, there: Hotline, settings: Any, tmp_path: Any) -> None:
    settings.EXPORTS = tmp_path
    seven_orders(work, there)
    he = work.world.client("he")
    asked = {"what": "hotline", "source": "gz", "form": "csv", "period": "any", "since": "2026-03-01", "last": "2026-03-31"}
    assert he.post("/exports/new", asked).status_code == 302
    export = Export.objects.get()
    done = exporting.make(export.pk, at=NOW)
    assert done is not None
    done()
    export.refresh_from_db()
    text = exporting.file_of(export).read_text(encoding="utf-8-sig")
    assert [line.split(",")[:2] for line in text.splitlines()[1:]] == [["环卫站（所）", "5"], ["还没有主办部门", "2"]]
    assert core_jobs.dead_jobs().count() == 0
