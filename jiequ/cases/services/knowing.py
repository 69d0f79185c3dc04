"""What the look for the same matter learns by itself: counts of hashed n-grams, and sketches where they are missing."""

from __future__ import annotations

from datetime import datetime

from jiequ.core.db import writing
from jiequ.triage.engine.pairs import weigher_of
from jiequ.triage.engine.sketches import sketch

from ..models import Report, TextWeights

NEWEST, MOST_KEYS, BATCH = 5_000, 120_000, 200


def learn_weights(*, at: datetime) -> TextWeights | None:
    """Count the newest reports' n-grams and keep that in place of the last count; None where nobody said anything yet."""
    said = list(Report.objects.exclude(words="").order_by("-pk").values_list("words", flat=True)[:NEWEST])
    sketch_missing()
    if not said:
        return None
    weigher = weigher_of(said)
    common = weigher.idf.argsort(kind="stable")[:MOST_KEYS]
    common.sort()
    row = TextWeights(
        keys=weigher.keys[common].tobytes(),
        idf=weigher.idf[common].tobytes(),
        rarest=weigher.rarest,
        reports=len(said),
        at=at,
    )
    with writing():
        row.save()
        TextWeights.objects.filter(pk__lt=row.pk).delete()
    return row


def sketch_missing(*, size: int = NEWEST) -> int:
    """Sketches for the newest reports that have words and none (imported, or older than sketches). Returns how many."""
    lacking = Report.objects.filter(sketch=None, case__ended_at=None).exclude(words="", place_words="").order_by("-pk")
    rows = list(lacking.only("pk", "words", "place_words")[:size])
    for row in rows:
        row.sketch = sketch(f"{row.place_words}\n{row.words}")
    for first in range(0, len(rows), BATCH):
        with writing():
            for row in rows[first : first + BATCH]:  # one that was erased meanwhile gets none: its words must be the same
                Report.objects.filter(pk=row.pk, words=row.words, place_words=row.place_words).update(sketch=row.sketch)
    return len(rows)
