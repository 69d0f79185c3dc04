"""The register of permits and masks as pages read it."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Q, QuerySet

from ..models import Permit, PermitKind

SHOWN = 50
Bounds = tuple[float, float, float, float]


def rows(*, street_id: int, kind: str = "", words: str = "", before: int | None = None) -> tuple[list[Permit], int | None]:
    """Those in force, newest first, and where the next page begins. One SELECT."""
    found = Permit.objects.filter(street_id=street_id, ended_at=None).defer("geometry").order_by("-id")
    if kind in PermitKind.values:
        found = found.filter(kind=kind)
    if words:
        found = found.filter(Q(number__icontains=words) | Q(title__icontains=words))
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found[: SHOWN + 1])
    return page[:SHOWN], page[SHOWN - 1].pk if len(page) > SHOWN else None


def counts(street_id: int) -> dict[str, int]:
    """How many of each kind are in force. One SELECT."""
    found = Permit.objects.filter(street_id=street_id, ended_at=None).order_by().values_list("kind").annotate(n=Count("id"))
    told = dict(found)
    return {kind: told.get(kind, 0) for kind in PermitKind.values}


def versions(permit: Permit) -> list[Permit]:
    """Every version of a permit, newest first. One SELECT."""
    return list(Permit.objects.filter(street_id=permit.street_id, kind=permit.kind, number=permit.number).order_by("-version"))


def near(street_id: int, bounds: Bounds) -> list[Permit]:
    """Those in force whose bounds meet west, south, east, north. One SELECT."""
    return list(meeting(street_id, bounds).order_by("kind", "number")[:200])


def all_in_force(street_id: int) -> list[Permit]:
    """Everything in force of a street, for the map. One SELECT."""
    return list(Permit.objects.filter(street_id=street_id, ended_at=None).order_by("pk")[:5000])


def meeting(street_id: int, bounds: Bounds) -> QuerySet[Permit]:
    """Those in force whose bounds meet west, south, east, north."""
    west, south, east, north = bounds
    return Permit.objects.filter(
        street_id=street_id, ended_at=None, west__lte=east, east__gte=west, south__lte=north, north__gte=south
    )


def holds(permit: Permit, day: date) -> bool:
    """True if a permit is valid on that day, its first and last day included."""
    return (permit.valid_from is None or permit.valid_from <= day) and (permit.valid_to is None or day <= permit.valid_to)
