"""Many at one bucket: exactly its capacity passes. The twin that reads, decides and then writes lets more through."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from jiequ.core import throttle
from jiequ.core.errors import Throttled
from jiequ.core.models import Throttle

AT = datetime(2026, 3, 11, 8, 30, tzinfo=UTC)
WRITERS, TRIES, CAPACITY = 6, 10, 20
pytestmark = pytest.mark.django_db(transaction=True)


def _real(bucket: str) -> bool:
    try:
        throttle.take(bucket, capacity=CAPACITY, per_seconds=60, at=AT)
    except Throttled:
        return False
    return True


def _twin(bucket: str) -> bool:
    """Read, decide, write: right for one, wrong for several."""
    now_ms = int(AT.timestamp() * 1000)
    row, _made = Throttle.objects.get_or_create(bucket=bucket, defaults={"full_at_ms": now_ms})
    moved_ms = max(row.full_at_ms, now_ms) + 60_000 // CAPACITY
    if moved_ms > now_ms + 60_000:
        return False
    time.sleep(0.003)
    Throttle.objects.filter(pk=row.pk).update(full_at_ms=moved_ms)
    return True


def _passed(take: Callable[[str], bool], bucket: str) -> int:
    """How many of all writers' tries pass; each round they start together."""
    together = Barrier(WRITERS)

    def writer(_number: int) -> int:
        try:
            passed = 0
            for _ in range(TRIES):
                together.wait(timeout=30)
                passed += take(bucket)
            return passed
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(writer, range(WRITERS)))


def test_of_many_tries_at_once_exactly_the_capacity_passes() -> None:
    for number in range(5):
        assert _passed(_real, f"b{number}") == CAPACITY


def test_the_twin_that_reads_first_lets_more_through() -> None:
    assert sum(_passed(_twin, f"t{number}") for number in range(3)) > 3 * CAPACITY
