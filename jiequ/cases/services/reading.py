"""Who reads a case at the desk right now, so that two do not take up the same one. Nothing of it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from jiequ.people.rules import Actor

from ..models import Case, Reading

SHOWN_FOR = timedelta(seconds=45)
"""Without a sign of the open page; pages give one every 20 seconds."""


def read(case: Case, *, by: Actor, at: datetime) -> None:
    """The actor has the case open. One statement; the row is overwritten, never added to."""
    row = Reading(case=case, person_id=by.person_id or 0, ends_at=at + SHOWN_FOR)
    Reading.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["case", "person"], update_fields=["ends_at"]
    )  # fmt: skip


def look_away(case: Case, *, by: Actor) -> None:
    """The actor closed it."""
    Reading.objects.filter(case=case, person_id=by.person_id or 0).delete()


def sweep_readings(*, at: datetime) -> int:
    """What has ended leaves the table."""
    return Reading.objects.filter(ends_at__lte=at).delete()[0]
