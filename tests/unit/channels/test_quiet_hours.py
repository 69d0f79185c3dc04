"""No messages outside working time except urgent ones (DOMAIN §5 rule 5)."""

from __future__ import annotations

from datetime import datetime

import pytest

from jiequ.channels.rules import ResidentHours, resident_moment, retry_at, staff_moment
from jiequ.core.jobs import RETRY_AFTER
from jiequ.core.worktime import ZONE as LOCAL
from jiequ.core.worktime import WorkCalendar


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


@pytest.fixture(scope="module")
def hours() -> WorkCalendar:
    return WorkCalendar({})


@pytest.mark.parametrize(
    ("at", "told_at"),
    [
        ("2026-03-04T10:00", "2026-03-04T10:00"),  # Wednesday morning
        ("2026-03-04T12:30", "2026-03-04T14:00"),  # lunch
        ("2026-03-04T20:00", "2026-03-05T08:00"),  # evening
        ("2026-03-06T18:01", "2026-03-09T08:00"),  # Friday evening
    ],
)
def test_staff_hear_what_is_not_urgent_in_working_time(at: str, told_at: str, hours: WorkCalendar) -> None:
    assert staff_moment(local(at), is_urgent=False, is_on_shift=False, hours=hours) == local(told_at)


@pytest.mark.parametrize(("is_urgent", "is_on_shift"), [(True, False), (False, True), (True, True)])
def test_urgent_words_and_people_on_shift_do_not_wait(is_urgent: bool, is_on_shift: bool, hours: WorkCalendar) -> None:
    midnight = local("2026-03-07T00:30")
    assert staff_moment(midnight, is_urgent=is_urgent, is_on_shift=is_on_shift, hours=hours) == midnight


@pytest.mark.parametrize(
    ("at", "told_at"),
    [
        ("2026-03-07T08:00", "2026-03-07T08:00"),  # a Saturday is fine for a resident
        ("2026-03-07T20:59", "2026-03-07T20:59"),
        ("2026-03-07T21:00", "2026-03-08T08:00"),
        ("2026-03-07T03:00", "2026-03-07T08:00"),
    ],
)
def test_a_residents_phone_rings_between_eight_and_nine_in_the_evening(at: str, told_at: str) -> None:
    assert resident_moment(local(at), is_urgent=False, hours=ResidentHours()) == local(told_at)


def test_an_urgent_word_to_a_resident_does_not_wait() -> None:
    night = local("2026-03-07T03:00")
    assert resident_moment(night, is_urgent=True, hours=ResidentHours()) == night


def test_tries_are_spaced_as_promised_and_end_within_a_day() -> None:
    due = local("2026-03-04T10:00")
    at, minutes = due, []
    for tries in range(1, 10):
        following = retry_at(at, tries=tries, due_at=due, schedule=RETRY_AFTER)
        if following is None:
            break
        minutes.append(int((following - at).total_seconds() // 60))
        at = following
    assert minutes == [1, 5, 30, 120, 720]
    assert (at - due).total_seconds() < 24 * 3600
