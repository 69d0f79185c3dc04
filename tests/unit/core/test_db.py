"""``at_the_end``: what many transactions share is written last, once, and forgotten with the block that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection

from jiequ.core.db import at_the_end, writing


@pytest.fixture
def written(db: None) -> list[list[Any]]:
    return []


def test_items_of_all_blocks_come_together_before_the_outermost_commits(written: list[list[Any]]) -> None:
    def write(items: Sequence[Any]) -> None:
        assert connection.in_atomic_block
        written.append(list(items))

    with writing():
        at_the_end(write, 1)
        with writing():
            at_the_end(write, 2, 3)
        assert written == []
    assert written == [[1, 2, 3]]


def test_a_block_that_failed_takes_its_items_along(written: list[list[Any]]) -> None:
    with writing():
        at_the_end(written.append, 1)
        with pytest.raises(ValueError):
            fail_with(written, 2)
    with pytest.raises(ValueError):
        fail_with(written, 3)
    assert written == [[1]]


def fail_with(written: list[list[Any]], item: int) -> None:
    with writing():
        at_the_end(written.append, item)
        raise ValueError


def test_outside_a_transaction_it_is_written_at_once_and_nothing_is_never_written(written: list[list[Any]]) -> None:
    at_the_end(written.append, 1)
    at_the_end(written.append)
    assert written == [[1]]


def test_what_the_last_act_puts_off_itself_is_not_lost(written: list[list[Any]]) -> None:
    with writing():
        at_the_end(lambda items: at_the_end(written.append, *items), 1)
    assert written == [[1]]
