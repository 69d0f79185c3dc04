"""A letterbox, the SMS ports of one test, and what the hooks for lost notices are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.testing import emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import client, ports, services
from tests.actors import World
from tests.unit.channels.letterbox import Letterbox


@pytest.fixture
def letters(world: World) -> Letterbox:
    return Letterbox(world)


@pytest.fixture
def use_ports(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Configure these ports as the installation's SMS ports, the preferred first; none: it sends no SMS."""

    def use(*chosen: Any) -> None:
        settings.SMS_PORTS = [port.name for port in chosen]
        for port in chosen:
            monkeypatch.setitem(ports._FACTORIES, port.name, lambda port=port: port)

    return use


@pytest.fixture
def use_ways(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Configure these ways before text messages, in this order."""

    def use(*chosen: Any) -> None:
        settings.WAYS = [*(way.name for way in chosen), "sms"]
        for way in chosen:
            monkeypatch.setitem(ports._WAYS, way.name, lambda way=way: way)

    return use


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[services.NotDelivered]:
    """What the hooks for lost notices are told."""
    told: list[services.NotDelivered] = []
    monkeypatch.setattr(services, "_hooks", [told.append])
    return told


@pytest.fixture
def own_connections() -> Iterator[None]:
    """Calls of this test with connections of its own, all closed at its end."""
    client.connections.close()
    yield
    client.connections.close()
