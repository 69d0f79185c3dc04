"""Every fault of a provider has its outcome, in time; silent losses are none (RELIABILITY row 11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from jiequ.channels import ports
from jiequ.channels.models import CallBack, PortHealth
from jiequ.channels.ports import Outcome, Outgoing, Result
from jiequ.core.jobs import KINDS
from tests.actors import NOW
from tests.unit.channels.letterbox import Letterbox
from tests.unit.channels.provider import HttpPort, Provider

DEADLINE = 0.6
WORDS = Outgoing("您好", "reporter_accepted", {}, "zh-hans")
FAULTS = {
    # fault: outcome of the call, its class of error, shown to the person by the failed call
    "reset": (Result.TRY_LATER, {"ConnectionResetError", "RemoteDisconnected"}, 0),
    "hang": (Result.TRY_LATER, {"TimeoutError", "timeout"}, 0),
    "error_500": (Result.TRY_LATER, {"http_500"}, 0),
    "busy_429": (Result.TRY_LATER, {"http_429"}, 0),
    "bad_json": (Result.TRY_LATER, {"JSONDecodeError"}, 0),
    "garbage": (Result.TRY_LATER, {"BadStatusLine"}, 0),
    "slow_drip": (Result.TRY_LATER, {"timeout"}, 0),
    "shown_without_reply": (Result.TRY_LATER, {"RemoteDisconnected", "ConnectionResetError"}, 1),
    "refused_400": (Result.REFUSED_PERMANENT, {"http_400"}, 0),
}
PASSING = [fault for fault, (result, _errors, _shown) in FAULTS.items() if result is Result.TRY_LATER]


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Provider]]:
    """Starts providers; the deadline of a call is short, so that the tests are."""
    started: list[Provider] = []

    def start(*script: str) -> Provider:
        started.append(Provider(*script))
        return started[-1]

    monkeypatch.setattr(ports.call, "__kwdefaults__", {"deadline": DEADLINE})
    monkeypatch.setattr(ports, "_HANDS", {})
    yield start
    for provider in started:
        provider.close()
    for hands in ports._HANDS.values():
        hands.close()
    for thread in threading.enumerate():
        if thread.name.startswith("hand way "):
            thread.join(5)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_its_outcome_within_the_deadline(fault: str, providers: Callable[..., Provider]) -> None:
    result, errors, shown = FAULTS[fault]
    provider = providers(fault)
    began = time.monotonic()
    outcome = ports.call(HttpPort(provider.port), WORDS, "13911112222", "k")
    assert time.monotonic() - began < DEADLINE + 0.5
    assert outcome.result is result
    assert outcome.error in errors
    assert provider.shown["k"] == shown


def test_a_closed_door_is_a_passing_fault() -> None:
    outcome = ports.call(HttpPort(1), WORDS, "13911112222", "k")
    assert (outcome.result, outcome.error) == (Result.TRY_LATER, "ConnectionRefusedError")


@pytest.mark.parametrize("fault", PASSING)
def test_after_a_passing_fault_the_message_arrives_and_is_shown_once(
    fault: str, providers: Callable[..., Provider], letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]
) -> None:
    provider = providers(fault, "ok")
    use_ports(HttpPort(provider.port))
    letters.send(letters.to_resident())
    letters.work()
    assert letters.message().state == "sending"
    letters.work(NOW + timedelta(minutes=1))
    assert (letters.message().state, letters.message().tries) == ("sent", 2)
    assert provider.shown == {"k": 1}
    assert heard == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_lasts_is_told_never_silent(
    fault: str, providers: Callable[..., Provider], letters: Letterbox, use_ports: Callable[..., None], heard: list[Any]
) -> None:
    provider = providers(fault)
    use_ports(HttpPort(provider.port))
    letters.send(letters.to_resident(is_urgent=True))
    for minute in (0, 1, 6, 36, 156, 876):
        letters.work(NOW + timedelta(minutes=minute))
    assert letters.message().state == "not_delivered"
    assert [one.key for one in heard] == ["k"]
    assert CallBack.objects.filter(message=letters.message(), state="open").count() == 1
    assert len(letters.in_inbox("liang")) == 1


def test_hanging_calls_are_bounded_and_the_port_rests(
    providers: Callable[..., Provider], letters: Letterbox, use_ports: Callable[..., None]
) -> None:
    provider = providers("hang")
    use_ports(HttpPort(provider.port, timeout=30))
    letters.send(*(letters.to_resident(f"k{n}") for n in range(30)))
    began = time.monotonic()
    letters.work()
    assert time.monotonic() - began < 4 * DEADLINE + 2, "30 messages cost four deadlines, not thirty"
    assert provider.calls == 4
    assert PortHealth.objects.get().open_until == NOW + timedelta(seconds=60)


def test_a_worker_is_blocked_for_at_most_ten_seconds() -> None:
    assert ports.call.__kwdefaults__ == {"deadline": 9.0}
    assert KINDS["channels.transmit"].timeout_seconds <= 10


def test_a_port_that_answers_nonsense_has_failed() -> None:
    class Nonsense:
        name, is_remote = "nonsense", False

        def send(self, message: Outgoing, address: str, key: str) -> Any:
            return "ok"

    assert ports.call(Nonsense(), WORDS, "1", "k") == Outcome(Result.TRY_LATER, error="bad_answer")


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Result.ACCEPTED),
        (202, Result.ACCEPTED),
        (301, Result.REFUSED_PERMANENT),
        (400, Result.REFUSED_PERMANENT),
        (404, Result.REFUSED_PERMANENT),
        (408, Result.TRY_LATER),
        (429, Result.TRY_LATER),
        (500, Result.TRY_LATER),
        (503, Result.TRY_LATER),
    ],
)
def test_statuses_are_read_alike_by_every_port(status: int, result: Result) -> None:
    assert ports.of_http_status(status).result is result
