"""How far the demonstration's history is."""

from __future__ import annotations

from typing import Any

from jiequ.cases.models import Case
from jiequ.core.models import District, Job

CASES = 360
BATCH = 6
JOB = "demo.history"


def progress() -> dict[str, Any]:
    """Batches done and left, cases so far."""
    left = Job.objects.filter(kind=JOB).count()
    total = -(-CASES // BATCH)
    return {"left": left, "total": total, "done": total - left, "cases": Case.objects.count(), "is_done": left == 0}


def story_spot() -> tuple[float, float] | None:
    """Where the guided story happens: longitude, latitude."""
    kept = (District.objects.values_list("settings", flat=True).first() or {}).get("story_spot")
    return (kept[0], kept[1]) if kept else None
