"""Numbers for people, tokens for machines."""

from __future__ import annotations

from typing import Any

import pytest

from jiequ.core import ids
from jiequ.core.db import writing


@pytest.mark.django_db
def test_numbers_count_up_by_prefix_and_year() -> None:
    given = [ids.next_number("LG", 2026), ids.next_number("LG", 2026), ids.next_number("QG", 2026), ids.next_number("LG", 2027)]
    assert given == ["LG-2026-000001", "LG-2026-000002", "QG-2026-000001", "LG-2027-000001"]


@pytest.mark.django_db
def test_a_number_costs_one_statement(django_assert_num_queries: Any) -> None:
    ids.next_number("LG", 2026)
    with django_assert_num_queries(1):
        ids.next_number("LG", 2026)


@pytest.mark.django_db(transaction=True)
def test_a_number_that_was_rolled_back_was_never_given() -> None:
    def fail_after_taking_a_number() -> None:
        with writing():
            assert ids.next_number("LG", 2026) == "LG-2026-000001"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_taking_a_number()
    assert ids.next_number("LG", 2026) == "LG-2026-000001"


def test_tokens_have_256_bits_and_only_their_hash_is_stored() -> None:
    tokens = {ids.new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert {len(token) for token in tokens} == {43}
    assert ids.token_hash("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
