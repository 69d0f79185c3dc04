"""Token buckets: so many tries, no more, whoever asks and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiequ.core import throttle
from jiequ.core.errors import Throttled
from jiequ.core.models import Throttle

AT = datetime(2026, 3, 11, 8, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _passes(bucket: str, at: datetime, **how: Any) -> bool:
    try:
        throttle.take(bucket, **{"capacity": 5, "per_seconds": 60, **how}, at=at)
    except Throttled:
        return False
    return True


def test_a_full_bucket_lets_its_capacity_through_at_once_and_then_one_try_per_interval() -> None:
    assert [_passes("b", AT) for _ in range(7)] == [True] * 5 + [False] * 2
    assert not _passes("b", AT + timedelta(seconds=11))
    assert _passes("b", AT + timedelta(seconds=12))
    assert not _passes("b", AT + timedelta(seconds=12))


@pytest.mark.parametrize("capacity", [1, 3, 7, 11, 1000])
def test_a_capacity_that_does_not_divide_the_time_is_still_all_there(capacity: int) -> None:
    assert sum(_passes("b", AT, capacity=capacity) for _ in range(min(capacity, 20) + 1)) == min(capacity, 20) + (capacity > 20)


def test_the_refusal_says_when_to_come_back_and_then_it_is_true() -> None:
    for _ in range(5):
        assert _passes("b", AT)
    with pytest.raises(Throttled) as refused:
        throttle.take("b", capacity=5, per_seconds=60, at=AT)
    seconds = refused.value.facts["retry_after_seconds"]
    assert seconds == 12
    assert str(seconds) in str(refused.value)
    assert not _passes("b", AT + timedelta(seconds=seconds - 1))
    assert _passes("b", AT + timedelta(seconds=seconds))


def test_refused_tries_do_not_make_the_wait_longer() -> None:
    for _ in range(5):
        _passes("b", AT)
    assert not any(_passes("b", AT + timedelta(seconds=second)) for second in range(12))
    assert _passes("b", AT + timedelta(seconds=12))


def test_two_buckets_know_nothing_of_each_other_and_a_forgotten_one_is_full() -> None:
    for _ in range(6):
        _passes("b", AT)
    assert _passes("c", AT)
    throttle.forget("b")
    assert _passes("b", AT)


def test_a_dear_try_costs_more_and_one_dearer_than_the_bucket_never_passes() -> None:
    assert _passes("b", AT, cost=3)
    assert not _passes("b", AT, cost=3)
    assert _passes("b", AT, cost=2)
    assert not _passes("c", AT, cost=6)


def test_a_try_is_one_statement() -> None:
    throttle.take("b", capacity=5, per_seconds=60, at=AT)
    with CaptureQueriesContext(connection) as queries:
        throttle.take("b", capacity=5, per_seconds=60, at=AT)
    assert [query["sql"].split()[0] for query in queries] == ["INSERT"]


def test_names_of_buckets_hide_addresses_and_tell_purposes_apart() -> None:
    name = throttle.bucket("sign_in", "203.0.113.7", "lin")
    assert "203.0.113.7" not in name
    assert name == throttle.bucket("sign_in", "203.0.113.7", "lin")
    assert len({name, throttle.bucket("report", "203.0.113.7", "lin"), throttle.bucket("sign_in", "203.0.113.7l", "in")}) == 3


def test_the_sweep_removes_only_buckets_that_are_full_again() -> None:
    _passes("old", AT - timedelta(hours=1))
    _passes("new", AT)
    assert throttle.sweep(at=AT) == 1
    assert list(Throttle.objects.values_list("bucket", flat=True)) == ["new"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.integers(0, 40), min_size=1, max_size=30), capacity=st.integers(1, 6))
def test_no_window_ever_sees_more_than_capacity_plus_refill(db: None, gaps: list[int], capacity: int) -> None:
    Throttle.objects.all().delete()
    moment, passed = AT, []
    for gap in gaps:
        moment += timedelta(seconds=gap)
        if _passes("b", moment, capacity=capacity):
            passed.append(moment)
    for start in passed:
        inside = [moment for moment in passed if start <= moment < start + timedelta(seconds=60)]
        assert len(inside) <= 2 * capacity
        assert sum(moment == start for moment in passed) <= capacity
