"""What the desk shows beside its cases: who reads which, and how a lot went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jiequ.people.rules import Actor

from ..models import Case, Lot, LotItem, Reading


def readers(actor: Actor, case_ids: Iterable[int], *, at: datetime) -> dict[int, list[str]]:
    """Who else has these cases open now, by name, for those of them the actor may see. One SELECT."""
    seen = Case.objects.visible_to(actor).filter(pk__in=list(case_ids))
    rows = Reading.objects.filter(case__in=seen, ends_at__gt=at).exclude(person_id=actor.person_id or 0).order_by("pk")
    found: dict[int, list[str]] = {}
    for case_id, name in rows.values_list("case_id", "person__name"):
        found.setdefault(case_id, []).append(name)
    return found


def readings(at: datetime) -> set[tuple[int, int]]:
    """Every (case, person) that is read now, for live events. One SELECT."""
    return set(Reading.objects.filter(ends_at__gt=at).values_list("case_id", "person_id"))


def items_of(lot: Lot) -> list[LotItem]:
    """A lot's cases in their order. One SELECT."""
    return list(lot.items.select_related("case__street"))
