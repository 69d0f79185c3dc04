"""地点专题: what may be a topic, who confirms it, how hot it is, and that it merges nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, Topic
from jiequ.cases.queries import topics as queries
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.statements import statements_of


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def spoke(work: Casework, phone: str, *, days: float = 0, **changes: Any) -> Case:
    """An accepted report of the one type at the one place, by whoever has that phone (none: who left nothing at all)."""
    contact = services.Contact(phone=phone) if phone else None
    return work.accepted(at=NOW - timedelta(days=days), contact=contact, **changes)


def three(work: Casework, *, days: float = 0) -> list[Case]:
    return [spoke(work, f"1391234567{n}", days=days) for n in range(3)]


def places(work: Casework) -> list[queries.Place]:
    reports = queries.told(work.actor("lin"), work.world.street.pk, base_m=60, at=NOW)
    return queries.possible(reports, queries.in_force(work.world.street.pk), at=NOW)


def confirm(work: Casework, anchor: Case) -> Any:
    return work.world.client("lin").post("/desk/topics/", {"anchor": anchor.pk})


def test_a_place_people_keep_coming_back_to_is_confirmed_and_taken_back_and_no_case_changes(work: Casework) -> None:
    cases = three(work)
    before = list(Case.objects.order_by("pk").values("version", "state", "merged_into", "voices"))
    events = CaseEvent.objects.count()
    browser = work.world.client("lin")
    page = browser.get("/desk/topics/").content.decode()
    assert "确认是专题" in page
    assert cases[0].number in page
    assert confirm(work, cases[0]).status_code == 303
    topic = Topic.objects.get()
    assert (topic.confirmed_by_id, topic.confirmed_at, topic.anchor_id) == (work.actor("lin").person_id, NOW, cases[0].pk)
    page = browser.get("/desk/topics/").content.decode()
    assert "确认是专题" not in page, "it is not offered a second time"
    assert "撤销专题" in page
    assert browser.post(f"/desk/topics/{topic.pk}/end").status_code == 303
    topic.refresh_from_db()
    assert (topic.ended_by_id, topic.ended_at) == (work.actor("lin").person_id, NOW)
    assert places(work), "taken back, it may be one again"
    assert list(Case.objects.order_by("pk").values("version", "state", "merged_into", "voices")) == before
    assert CaseEvent.objects.count() == events
    assert list(AuditEntry.objects.filter(object_kind="topic").order_by("pk").values_list("action", flat=True)) == [
        "topic.confirmed",
        "topic.ended",
    ]


def test_a_case_that_comes_later_belongs_to_the_topic_that_was_confirmed(work: Casework) -> None:
    cases = three(work)
    confirm(work, cases[0])
    spoke(work, "13912345680")
    assert not places(work)
    reports = queries.told(work.actor("lin"), work.world.street.pk, base_m=60, at=NOW)
    assert len(queries.place_of(Topic.objects.get(), reports, at=NOW).cases) == 4


def test_heat_counts_different_people_and_a_week_halves_it(work: Casework) -> None:
    three(work)
    fresh = places(work)[0]
    assert (fresh.voices, round(fresh.heat, 2)) == (3, 3.0)
    for _ in range(3):
        spoke(work, "13912345670")
    again = places(work)[0]
    assert len(again.cases) == 6
    assert (again.voices, round(again.heat, 2)) == (3, 3.0), "the fourth report of one person heats nothing"


def test_heat_of_a_week_ago_is_half(work: Casework) -> None:
    three(work, days=7)
    assert round(places(work)[0].heat, 2) == 1.5


def crowd(work: Casework) -> queries.Place:
    """Three people who left a number, and five reports of nobody."""
    three(work)
    for _ in range(5):
        spoke(work, "", source="resident", device="")
    return places(work)[0]


def test_a_thousand_voices_that_leave_nothing_of_themselves_are_one(work: Casework) -> None:
    place = crowd(work)
    assert (place.voices, round(place.heat, 2)) == (4, 4.0)


def test_heat_that_counts_reports_would_be_heated_by_a_machine(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the test before: each report is somebody."""
    numbers = count()
    monkeypatch.setattr(queries, "_who", lambda *_keys: f"report {next(numbers)}")
    place = crowd(work)
    assert (place.voices, round(place.heat, 2)) == (8, 8.0)


def test_one_person_alone_makes_no_topic(work: Casework) -> None:
    for _ in range(4):
        spoke(work, "13912345670")
    assert not places(work)


def test_what_is_confidential_or_held_for_a_look_is_in_no_topic(work: Casework) -> None:
    cases = three(work)
    Case.objects.filter(pk=cases[0].pk).update(is_confidential=True)
    Case.objects.filter(pk=cases[1].pk).update(is_suspect=True)
    assert not places(work)
    assert confirm(work, cases[0]).status_code == 422
    assert not Topic.objects.exists()


def test_a_place_that_is_none_and_one_of_another_street_are_refused(work: Casework) -> None:
    cases = three(work)
    assert confirm(work, cases[1]).status_code == 422, "where it lies is counted, never taken from the form"
    services.confirm_topic(street_id=work.world.street.pk, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)
    with pytest.raises(Refusal):
        services.confirm_topic(street_id=work.world.street.pk, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)


def test_two_who_confirm_at_once_make_one(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    cases, street = three(work), work.world.street.pk
    services.confirm_topic(street_id=street, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)
    monkeypatch.setattr(queries, "in_force", lambda _street: [])  # the second looked before the first wrote
    with pytest.raises(Refusal):
        services.confirm_topic(street_id=street, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)
    assert Topic.objects.filter(ended_at=None).count() == 1
    assert AuditEntry.objects.filter(action="topic.confirmed").count() == 1


def test_without_the_tables_own_rule_two_who_confirm_at_once_would_make_two(
    work: Casework, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the test before: the same two people, and a table that does not say no."""
    if connection.vendor == "postgresql":
        pytest.skip("there the application's own account may not change a table (RELIABILITY row 32)")
    cases, street = three(work), work.world.street.pk
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX topic_in_force_once")
    services.confirm_topic(street_id=street, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)
    monkeypatch.setattr(queries, "in_force", lambda _street: [])
    services.confirm_topic(street_id=street, anchor_id=cases[0].pk, by=work.actor("lin"), at=NOW)
    assert Topic.objects.filter(ended_at=None).count() == 2


def test_a_page_that_forgot_what_is_confidential_would_show_it(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of ``test_what_is_confidential…``: the very cases, read without the two conditions."""
    cases = three(work)
    Case.objects.filter(pk=cases[0].pk).update(is_confidential=True)
    Case.objects.filter(pk=cases[1].pk).update(is_suspect=True)
    whole = QuerySet.filter

    def forgetful(rows: Any, *args: Any, **conditions: Any) -> Any:
        return whole(rows, *args, **{k: v for k, v in conditions.items() if k not in {"is_confidential", "is_suspect"}})

    monkeypatch.setattr(QuerySet, "filter", forgetful)
    assert places(work)


def test_the_page_asks_as_much_for_six_places_as_for_one(work: Casework) -> None:
    three(work)
    browser = work.world.client("lin")
    browser.get("/desk/topics/")
    few = len(statements_of(lambda: browser.get("/desk/topics/")))
    for _ in range(2):
        three(work)
    assert len(statements_of(lambda: browser.get("/desk/topics/"))) == few <= 12
