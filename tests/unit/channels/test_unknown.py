"""A way that takes no key is handed a message once; what came of it may stay unknown, and then the chain goes on with care."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jiequ.channels import delivery, ports, services
from jiequ.channels.models import InboxItem, Message, PortHealth
from jiequ.channels.ports import Again, Outcome, Result
from jiequ.channels.rules import SIGN_AFTER
from tests.actors import NOW
from tests.unit.channels.letterbox import BUSY, DELIVERED, PHONE, UNHEARD, Letterbox, ScriptedPort, ScriptedWay

Use = Callable[..., None]
pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """Goes through everything, as a kill does."""


class OnceWay(ScriptedWay):
    """A way that takes no key; ``Killed`` in its script: the worker dies in the call."""

    again = Again.NEVER

    def send(self, *given: Any) -> Outcome:
        self.noted = [(one.state, one.port, one.last_error) for one in Message.objects.filter(key=given[2])]
        if isinstance(self.script[0], Killed):
            self.calls.append((given[0].text, given[1], given[2]))
            raise self.script[0]
        return super().send(*given)


def once(*script: Any, **more: Any) -> OnceWay:
    return OnceWay("wechat_service", *script, **more)


def copy_of(letters: Letterbox) -> Message:
    return letters.message(f"k:to:{letters.world.huang.pk}")


def test_it_is_unknown_from_before_the_call_until_the_answer_is_noted(letters: Letterbox, use_ways: Use) -> None:
    way = once(DELIVERED)
    use_ways(way)
    letters.send(letters.to_account())
    letters.work()
    assert way.noted == [("sending", "wechat_service", "unknown")]
    assert (letters.message().state, letters.message().last_error) == ("delivered", "")


@pytest.mark.parametrize("answer", [UNHEARD, ValueError("half an answer"), Killed()], ids=["no answer", "breaks", "killed"])
def test_a_resident_is_never_told_twice_by_it_and_told_by_the_next_way(
    letters: Letterbox, use_ways: Use, use_ports: Use, answer: Any
) -> None:
    way, phone = once(answer, DELIVERED), ScriptedPort(DELIVERED)
    use_ways(way)
    use_ports(phone)
    letters.send(letters.to_account(phone=PHONE))
    for minute in (0, 2, 4):  # past the lease of whoever was killed
        with contextlib.suppress(Killed):
            letters.work(NOW + timedelta(minutes=minute))
    assert (len(way.calls), len(phone.calls)) == (1, 1)
    assert (letters.message().state, letters.message().trail) == ("delivered", [["wechat_service", "unknown"]])


def test_with_nothing_else_it_stays_unknown_and_the_desk_is_told_in_words(
    letters: Letterbox, use_ways: Use, heard: list[Any]
) -> None:
    way = once(UNHEARD)
    use_ways(way)
    letters.send(letters.to_account())
    for minute in (0, 1, 6, 36):
        letters.work(NOW + timedelta(minutes=minute))
    message = letters.message()
    assert (message.state, message.last_error, len(way.calls)) == ("not_delivered", "unknown", 1)
    assert [one.error for one in heard] == ["unknown"]
    services.retry_message(message_id=message.pk, by=letters.world.actor("lin"), at=NOW)
    letters.work(NOW + timedelta(hours=1))
    assert (letters.message().state, letters.message().last_error, len(way.calls)) == ("not_delivered", "unknown", 1)


def test_staff_who_opened_it_meanwhile_are_not_told_once_more(letters: Letterbox, use_ways: Use) -> None:
    huang = letters.world.huang.pk
    way, other = once(UNHEARD, reaches=(huang,)), ScriptedWay("wecom", DELIVERED, reaches=(huang,))
    use_ways(way, other)
    letters.send(letters.to_person("huang"))
    letters.work()
    assert (copy_of(letters).state, other.calls) == ("sending", [])
    services.mark_read(item_id=InboxItem.objects.get().pk, by=letters.world.actor("huang"), at=NOW)
    letters.work(NOW + SIGN_AFTER)
    assert (copy_of(letters).state, copy_of(letters).port, other.calls) == ("delivered", "wechat_service", [])


def test_staff_of_whom_nothing_is_heard_are_told_by_the_next_way(letters: Letterbox, use_ways: Use) -> None:
    huang = letters.world.huang.pk
    way, other = once(UNHEARD, reaches=(huang,)), ScriptedWay("wecom", DELIVERED, reaches=(huang,))
    use_ways(way, other)
    letters.send(letters.to_person("huang"))
    letters.work()
    letters.work(NOW + SIGN_AFTER - timedelta(seconds=1))
    assert other.calls == []
    letters.work(NOW + SIGN_AFTER)
    assert (copy_of(letters).port, len(way.calls), len(other.calls)) == ("wecom", 1, 1)


def test_what_surely_was_not_shown_is_tried_again_as_by_any_way(letters: Letterbox, use_ways: Use) -> None:
    way = once(BUSY, DELIVERED)
    use_ways(way)
    letters.send(letters.to_account())
    letters.work()
    letters.work(NOW + timedelta(minutes=1))
    assert (letters.message().state, len(way.calls)) == ("delivered", 2)


def test_silence_lets_the_way_rest_as_any_failure_does(letters: Letterbox, use_ways: Use) -> None:
    use_ways(once(UNHEARD))
    letters.send(*(letters.to_account(f"k{n}") for n in range(5)))
    letters.work()
    assert PortHealth.objects.get().is_tired


def test_a_hanging_call_is_unknown_for_such_a_way_and_later_for_others() -> None:
    assert ports._unheard(once(DELIVERED)) is Result.UNKNOWN
    assert ports._unheard(ScriptedWay("wecom", DELIVERED)) is Result.TRY_LATER
    assert ports._unheard(ScriptedPort(DELIVERED)) is Result.TRY_LATER


def test_without_the_note_a_killed_worker_is_followed_by_one_that_says_it_again(
    letters: Letterbox, use_ways: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: nothing is noted before the call."""
    monkeypatch.setattr(delivery, "is_unheard", lambda message: False)
    way = once(Killed(), DELIVERED)
    use_ways(way)
    letters.send(letters.to_account())
    with pytest.raises(Killed):
        letters.work()
    way.script = [DELIVERED]
    letters.work(NOW + timedelta(minutes=2))
    assert len(way.calls) == 2
