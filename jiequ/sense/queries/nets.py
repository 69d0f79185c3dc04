"""The nets that were learnt here: which one is in use, which runs in the shadow, what each one's card says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ..models import Example, Net, Verdict

SHOWN = 30
COVERED = 0.2  # engine.promotion's, which brings OpenCV and is not imported here: so much of a change found is found
LEAST_M2 = 10.0  # SENSE §1.6: less beside what was judged is no false alarm


@dataclass(frozen=True, slots=True)
class Agreement:
    """Judged places of a week in the shadow, by which of both nets reported something there."""

    places: int
    both: int
    used_only: int
    shadow_only: int
    neither: int

    @property
    def percent(self) -> int:
        """At how many of a hundred places both said the same."""
        return round(100 * (self.both + self.neither) / self.places) if self.places else 0


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


def agreement_of(net: Net) -> Agreement | None:
    """Whether both nets reported the same places of the week, of all streets; None before its first night."""
    told = net.card.get("week", {}).get("pairs", [])
    said = Counter((_reports(one, "champion"), _reports(one, "shadow")) for one in told)
    if not told:
        return None
    return Agreement(len(told), said[True, True], said[True, False], said[False, True], said[False, False])


def _reports(told: dict[str, Any], which: str) -> bool:
    """Where a change was judged: enough of it is covered. Where none was: a false alarm, if it is large enough for one."""
    judged, found, beside = told["judged_m2"], told[which]["found_m2"], told[which]["beside_m2"]
    return bool(found >= COVERED * judged if judged else beside >= LEAST_M2)


def _example(name: str) -> int:
    """A pair's name ends with its example's number."""
    return int(name.rpartition("_")[2])


def figures_of(net: Net) -> list[tuple[str, Any, Any]]:
    """What the gate measured: set, before, after."""
    gate = net.card.get("gate", {})
    return [
        (name, gate.get(f"{name}_before"), gate.get(f"{name}_after")) for name in ("local", "dev") if f"{name}_after" in gate
    ]
