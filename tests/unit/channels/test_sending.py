"""Into the outbox and back out of it: in the caller's transaction, once a key, withdrawn while it waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jiequ.channels import services
from jiequ.channels.models import Message
from jiequ.channels.services import Notice
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.models import Job
from tests.actors import NOW
from tests.unit.channels.letterbox import FACTS, Letterbox


def test_twenty_notices_are_two_inserts(letters: Letterbox) -> None:
    notices = [letters.to_person("huang", key=f"k{n}") for n in range(20)]
    with CaptureQueriesContext(connection) as queries, writing():
        services.send(notices, at=NOW)
    statements = [q["sql"].split()[0] for q in queries.captured_queries if q["sql"].split()[0] not in {"SAVEPOINT", "RELEASE"}]
    assert [word for word in statements if word not in {"BEGIN", "COMMIT"}] == ["INSERT", "INSERT"]
    assert Message.objects.count() == Job.objects.count() == 20


def test_a_key_is_sent_once(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang"))
    letters.send(letters.to_person("huang"))
    letters.work()
    letters.send(letters.to_person("huang"))
    letters.work()
    assert letters.in_inbox("huang") == ["k"]
    assert Job.objects.count() == 0


def test_a_move_that_fails_sends_nothing(letters: Letterbox) -> None:
    def failing_move() -> None:
        with writing():
            letters.send(letters.to_person("huang"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_move()
    assert not Message.objects.exists()
    assert not Job.objects.exists()


def test_a_notice_with_a_name_is_refused_and_nothing_is_stored(letters: Letterbox) -> None:
    bad = Notice("new_task", {**FACTS, "reporter": "周女士"}, "case:7", "bad", to_person=letters.world.huang.pk)
    with pytest.raises(Refusal) as refused, writing():
        letters.send(letters.to_person("huang"), bad)
    assert refused.value.code == "notice_fact"
    assert "周女士" not in str(refused.value)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"to_person": 1, "to_post": ("handler", 1, None)},
        {"to_phone_sealed": "k1.x"},  # no street answers for it
        {"to_person": 1, "key": ""},
        {"to_person": 1, "template": "no_such"},
        {"to_post": ("no_such_role", 1, None)},
    ],
)
def test_a_notice_without_one_recipient_key_or_template_is_a_mistake(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Notice(**{"template": "new_task", "key": "k", **wrong})  # type: ignore[arg-type]


def test_within_the_seconds_for_undo_a_notice_can_be_taken_back(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang", "a"), letters.to_person("chen", "b"), undo_seconds=10)
    letters.work(NOW + timedelta(seconds=9))
    assert letters.in_inbox("huang") == []
    assert services.withdraw(["a"]) == 1
    letters.work(NOW + timedelta(seconds=10))
    assert letters.in_inbox("huang") == []
    assert letters.message("a").state == "withdrawn"
    assert letters.in_inbox("chen") == ["b"]


def test_what_has_left_cannot_be_taken_back(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang"))
    letters.work()
    assert services.withdraw(["k"]) == 0
    assert letters.message().state == "delivered"


def test_a_notice_for_later_waits_for_its_moment(letters: Letterbox) -> None:
    letters.send(letters.to_person("huang", not_before=NOW + timedelta(hours=1)))
    letters.work(NOW + timedelta(minutes=59))
    assert letters.in_inbox("huang") == []
    letters.work(NOW + timedelta(minutes=60))
    assert letters.in_inbox("huang") == ["k"]
