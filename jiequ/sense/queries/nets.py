"""The nets that were learnt here: which one is in use, which runs in the shadow, what each one's card says."""

from __future__ import annotations

from typing import Any

from ..models import Net

SHOWN = 30


def active() -> Net | None:
    """The net in use; None: the one that ships. One SELECT."""
    return Net.objects.filter(state=Net.State.ACTIVE).first()


def shadow() -> Net | None:
    """The net in its week in the shadow. One SELECT."""
    return Net.objects.filter(state=Net.State.SHADOW).first()


def newest() -> list[Net]:
    """Newest first. One SELECT."""
    return list(Net.objects.select_related("follows")[:SHOWN])


def figures_of(net: Net) -> list[tuple[str, Any, Any]]:
    """What the gate measured: set, before, after."""
    gate = net.card.get("gate", {})
    return [
        (name, gate.get(f"{name}_before"), gate.get(f"{name}_after")) for name in ("local", "dev") if f"{name}_after" in gate
    ]
