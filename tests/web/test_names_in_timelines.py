"""Departments stand in timelines in the reader's language."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jiequ.cases import services
from jiequ.cases.queries.page import names_in
from tests.actors import NOW, MovableClock
from tests.casework import Casework


@pytest.mark.parametrize(("language", "shown", "hidden"), [("en", "Water office", "水务"), ("zh-hans", "水务", "Water office")])
def test_a_timeline_names_departments_in_the_readers_language(
    work: Casework, clock: MovableClock, language: str, shown: str, hidden: str
) -> None:
    case = work.accepted()
    services.dispatch(case, lead_id=work.sanitation, assist_ids=[work.water], by=work.actor("lin"), at=NOW)
    asked = {"question": "怎么办？", "department_ids": [work.water], "answer_by": NOW + timedelta(hours=2)}
    services.ask_consult(work.fresh(case, "he"), **asked, by=work.actor("he"), at=NOW)
    group = case.tasks.get(kind="consult").group
    services.decide_consult(work.fresh(case, "he"), group=group, text="今晚开闸", by=work.actor("he"), at=NOW)
    link = services.renew_link(case.reports.select_related("street").get(), at=NOW)
    lin = work.world.client("lin")
    lin.cookies["django_language"] = language
    page = lin.get(f"/r/{link}/").content.decode()
    assert shown in page
    assert hidden not in page
    staff = lin.get(f"/cases/{case.number}/").content.decode()
    assert staff.count(shown) >= 3, "sent to, asked, silent"


def test_an_event_of_before_keeps_its_chinese_names(work: Casework) -> None:
    event = services.dispatch(work.accepted(), lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    event.facts.pop("names_en")
    assert names_in(event) == [work.world.sanitation.name_zh]
