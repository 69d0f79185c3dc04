"""What the pages show: the versions, the runs, the weeks, and how the newest suggestions did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from .models import Kind, Learning, Lesson, Standing, Version, Week

SHOWN = 20
RECENT = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Score:
    """How often the first, or one of three, was what people then chose."""

    kind: str
    taught: int
    first_right: int
    three_right: int


def champions() -> dict[str, Version]:
    """The versions in use by kind. One SELECT."""
    return {one.kind: one for one in Version.objects.filter(standing=Standing.CHAMPION)}


def versions(kind: str) -> Sequence[Version]:
    """The newest first."""
    return list(Version.objects.filter(kind=kind).order_by("-number")[:SHOWN])


def version(version_id: int) -> Version | None:
    return Version.objects.filter(pk=version_id).first()


def learnings() -> Sequence[Learning]:
    """The newest runs first."""
    return list(Learning.objects.order_by("-pk")[:SHOWN])


def weeks(kind: str) -> Sequence[Week]:
    """The newest first."""
    return list(Week.objects.filter(kind=kind).order_by("-monday")[:SHOWN])


def scores(at: datetime) -> list[Score]:
    """The last four weeks as they were judged. One SELECT."""
    counts = {}
    for kind in Kind:
        place = f"{kind}_place"
        counts[f"{kind}_taught"] = Count("pk", filter=Q(**{f"{place}__isnull": False}))
        counts[f"{kind}_first"] = Count("pk", filter=Q(**{place: 1}))
        counts[f"{kind}_three"] = Count("pk", filter=Q(**{f"{place}__range": (1, 3)}))
    found = Lesson.objects.filter(at__gte=at - RECENT).aggregate(**counts)
    return [Score(k, found[f"{k}_taught"], found[f"{k}_first"], found[f"{k}_three"]) for k in Kind]


def unlearned_corrections() -> int:
    """Corrections that no run has seen yet. Two SELECTs."""
    last = Version.objects.aggregate(last=Max("last_lesson_id"))["last"] or 0
    return Lesson.objects.filter(pk__gt=last, is_correction=True).count()
