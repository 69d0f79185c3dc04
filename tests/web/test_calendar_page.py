"""The administrator's calendar page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jiequ.core import calendar
from jiequ.core.models import AuditEntry, CalendarDay, Job
from tests.actors import NOW, MovableClock, World


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    calendar.forget()
    yield
    calendar.forget()


@pytest.fixture
def admin(world: World, clock: MovableClock) -> Client:
    calendar.fill(at=NOW)
    return world.client("xi")


def change(client: Client, day: str, kind: str, **more: str) -> object:
    data = {"day": day, "kind": kind, "edition": str(calendar.current_edition()), **more}
    return client.post("/calendar/day", data)


def test_the_year_is_shown_with_its_make_up_days_and_holidays(admin: Client) -> None:
    page = admin.get("/calendar?year=2026")
    text = page.content.decode()
    assert page.status_code == 200
    assert 'aria-label="2026-10-10 工作日"' in text
    assert "2026-10-01 法定节假日 国庆节" in text
    assert "2026-10-05 休息日" in text
    assert text.count('class="day"') == 365


def test_a_day_is_changed_by_its_form_and_the_change_is_told_and_audited(admin: Client, world: World) -> None:
    assert 'name="kind"' in admin.get("/calendar?year=2026&day=2026-03-05").content.decode()
    answer = change(admin, "2026-03-05", "rest", name="台风停工")
    assert answer.status_code == 302
    row = CalendarDay.objects.get(day=date(2026, 3, 5))
    assert (row.is_workday, row.name, row.source) == (False, "台风停工", "hand")
    assert Job.objects.filter(kind="calendar.changed", args__first="2026-03-05").exists()
    assert AuditEntry.objects.get(action="calendar.changed").person_id == world.xi.pk


def test_who_saw_an_older_calendar_is_told_and_nothing_is_stored(admin: Client) -> None:
    answer = change(admin, "2026-03-05", "rest", edition="0")
    assert answer.status_code == 409
    assert "刚被别人改过" in answer.content.decode()
    assert CalendarDay.objects.get(day=date(2026, 3, 5)).is_workday


def test_a_statutory_holiday_cannot_be_made_a_workday(admin: Client) -> None:
    answer = change(admin, "2026-10-01", "workday")
    assert answer.status_code == 422
    assert "法定节假日，不能改" in answer.content.decode()


def test_the_same_form_sent_twice_changes_once(admin: Client) -> None:
    data = {
        "day": "2026-03-05", "kind": "rest", "edition": str(calendar.current_edition()), "idempotency_key": "k" * 20,
    }  # fmt: skip
    answers = [admin.post("/calendar/day", data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert AuditEntry.objects.filter(action="calendar.changed").count() == 1


def test_the_notice_is_pasted_and_the_year_is_settled(world: World, clock: MovableClock) -> None:
    clock.at = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
    calendar.fill(at=clock.at)
    admin = world.client("xi")
    assert "2027年的放假通知还没有录入" in admin.get("/calendar").content.decode()
    data = {"year": "2027", "text": "1月1日至1月3日,休\n2月5日至2月11日,休\n2月14日,班"}
    answer = admin.post("/calendar/notice", data | {"edition": str(calendar.current_edition())})
    assert answer.status_code == 302
    text = admin.get(answer["Location"]).content.decode()
    assert "2027-02-14 工作日" in text
    assert "还没有录入" not in text


def test_the_notice_comes_as_a_file_and_a_wrong_line_is_named(admin: Client) -> None:
    file = SimpleUploadedFile("2027.csv", "2027-01-01,休\n2027-02-30,休\n".encode("gb18030"), "text/csv")
    data = {"year": "2027", "edition": str(calendar.current_edition()), "file": file}
    answer = admin.post("/calendar/notice", data)
    assert answer.status_code == 422
    assert "第2行" in answer.content.decode()
    assert not CalendarDay.objects.filter(day__year=2027).exists()


def test_the_working_hours_are_set_and_odd_ones_refused(admin: Client) -> None:
    odd = {"start1": "12:00", "end1": "08:00", "start2": "", "end2": ""}
    assert admin.post("/calendar/hours", odd).status_code == 422
    one_span = {"start1": "09:00", "end1": "17:00", "start2": "", "end2": ""}
    assert admin.post("/calendar/hours", one_span).status_code == 302
    calendar.forget()
    assert calendar.calendar_for().day_seconds == 8 * 3600


@pytest.mark.parametrize("query", ["year=1000", "year=9999", "year=2027&day=2027-02-31", "year=x", "day=%00"])
def test_a_strange_address_is_answered_calmly(admin: Client, query: str) -> None:
    assert admin.get(f"/calendar?{query}").status_code in (200, 400, 404)


def test_nobody_else_opens_it(world: World, clock: MovableClock) -> None:
    for name in [*world.people, "zhou"]:
        if name != "xi":
            assert world.client(name).get("/calendar").status_code in (302, 403)
            assert world.client(name).post("/calendar/day", {"day": "2026-03-05", "kind": "rest"}).status_code in (302, 403)
    assert not CalendarDay.objects.exists()
