"""The nets that were learnt here: which one is in use, which runs in the shadow, what each one's card says."""

from __future__ import annotations

from typing import Any

from ..models import Example, Net, Verdict

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


def week_of(net: Net) -> list[tuple[Verdict, dict[str, Any]]]:
    """What a net in the shadow and the one in use found at each place that was judged in its week, newest first: the verdict,
    and square metres judged, found and beside. One SELECT."""
    told = {_example(one["name"]): one for one in net.card.get("week", {}).get("pairs", [])}
    rows = Example.objects.filter(pk__in=list(told)).select_related("verdict__suspect").order_by("-pk")
    return [(row.verdict, told[row.pk]) for row in rows]


def _example(name: str) -> int:
    """A pair's name ends with its example's number."""
    return int(name.rpartition("_")[2])


def figures_of(net: Net) -> list[tuple[str, Any, Any]]:
    """What the gate measured: set, before, after."""
    gate = net.card.get("gate", {})
    return [
        (name, gate.get(f"{name}_before"), gate.get(f"{name}_after")) for name in ("local", "dev") if f"{name}_after" in gate
    ]
