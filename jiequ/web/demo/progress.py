"""How far the demonstration's history is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jiequ.cases.models import Case
from jiequ.core.models import District, Job

from . import photos
from .year import DAYS

CASES = 360
BATCH = 2
WALKED_DAYS = 45
STRETCH_DAYS = 2
"""Small, because a job holds SQLite's one writer while it runs: each well below a second, also on a busy machine."""
PICTURE, WALK, PAST = "demo.picture", "demo.history", "demo.past"
PAST_JOBS = (DAYS - WALKED_DAYS) // STRETCH_DAYS
WALK_JOBS = -(-CASES // BATCH)
PICTURE_JOBS = len(photos.SCENES)


def progress() -> dict[str, Any]:
    """Batches done and left, cases so far."""
    left = Job.objects.filter(kind__in=[PICTURE, WALK, PAST]).count()
    total = PICTURE_JOBS + PAST_JOBS + WALK_JOBS
    return {"left": left, "total": total, "done": total - left, "cases": Case.objects.count(), "is_done": left == 0}


def story_spot() -> tuple[float, float] | None:
    """Where the guided story happens: longitude, latitude."""
    kept = _kept().get("story_spot")
    return (kept[0], kept[1]) if kept else None


def began_at() -> datetime | None:
    """When the demonstration was made: what was reported before is its invented history. None: made before this was kept."""
    kept = _kept().get("began_at")
    return datetime.fromisoformat(kept) if kept else None


def _kept() -> dict[str, Any]:
    return District.objects.values_list("settings", flat=True).first() or {}
