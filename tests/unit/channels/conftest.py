"""A letterbox, the SMS ports of one test, and what the hooks for lost notices are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jiequ.channels import ports, services
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
def heard(monkeypatch: pytest.MonkeyPatch) -> list[services.NotDelivered]:
    """What the hooks for lost notices are told."""
    told: list[services.NotDelivered] = []
    monkeypatch.setattr(services, "_hooks", [told.append])
    return told
