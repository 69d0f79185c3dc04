"""Repeating a request does it once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jiequ.core import idempotency
from jiequ.core.errors import Refusal
from jiequ.core.idempotency import Reply, fingerprint_of, once
from jiequ.core.ids import next_value
from jiequ.core.models import Counter, IdempotencyKey
from tests.actors import NOW
from tests.support.failing import fail_each_statement

pytestmark = pytest.mark.django_db


class Desk:
    """Does something that can be counted, and answers."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> Reply:
        self.done += 1
        Counter.objects.create(name=f"effect-{self.done}")
        return Reply(201, b'{"number": "LG-2026-000001"}\xff', "application/json", {"Location": "/cases/1"})


def ask(desk: Any, *, key: str = "k" * 16, body: str = "body", scope: str = "person:1 POST /cases") -> Reply:
    return once(scope=scope, key=key, fingerprint=fingerprint_of("POST", "/cases", body), at=NOW, do=desk)


def test_a_repeated_request_is_done_once_and_answered_alike() -> None:
    desk = Desk()
    answers = [ask(desk) for _ in range(10)]
    assert desk.done == 1
    assert answers == [answers[0]] * 10
    assert answers[0].body == b'{"number": "LG-2026-000001"}\xff'
    assert Counter.objects.count() == 1


def test_other_content_under_the_same_key_is_refused() -> None:
    desk = Desk()
    ask(desk)
    with pytest.raises(Refusal) as refused:
        ask(desk, body="other")
    assert (refused.value.code, refused.value.status, desk.done) == ("idempotency_key_reused", 422, 1)


def test_two_people_may_use_the_same_key() -> None:
    desk = Desk()
    ask(desk, scope="person:1 POST /cases")
    ask(desk, scope="person:2 POST /cases")
    assert desk.done == 2


def test_a_refusal_is_not_stored_and_the_mended_form_goes_through() -> None:
    def refuse() -> Reply:
        Counter.objects.create(name="half")
        raise Refusal("place_missing", "没有位置")

    with pytest.raises(Refusal):
        ask(refuse)
    assert not IdempotencyKey.objects.exists()
    assert not Counter.objects.exists()
    assert ask(Desk(), body="mended").status == 201


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(Refusal):
        ask(Desk(), key=key)


def test_the_happy_path_costs_two_statements_and_a_replay_two(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2 + 1 + 2):  # INSERT and UPDATE, the effect's own, SAVEPOINT and RELEASE
        ask(Desk())
    with django_assert_num_queries(2 + 2):
        ask(Desk())


def test_whatever_fails_neither_key_nor_effect_is_stored() -> None:
    assert fail_each_statement(lambda: ask(Desk())).partial == []


@pytest.mark.django_db(transaction=True)
def test_the_broken_twin_that_stores_the_answer_apart_is_found() -> None:
    def store_apart() -> None:
        next_value("effect")
        IdempotencyKey.objects.create(scope="s", key="k", stored_at=NOW)

    assert fail_each_statement(store_apart).partial


def test_answers_are_kept_for_at_least_a_day_and_then_forgotten() -> None:
    ask(Desk())
    idempotency.purge(at=NOW + timedelta(hours=24))
    assert IdempotencyKey.objects.exists()
    idempotency.purge(at=NOW + timedelta(hours=49))
    assert not IdempotencyKey.objects.exists()


def test_parts_of_a_fingerprint_do_not_run_into_each_other() -> None:
    assert fingerprint_of("ab", "c") != fingerprint_of("a", "bc")
