"""RELIABILITY row 6: random walks; clocks never run backwards, proofs are there when closed, one lead at a time.

The short form: 12 walks of 45 tries. The long one (1,000) is ``./run bench reliability``.
"""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction

from jiequ.cases.models import Task
from tests.casework import Casework
from tests.walks import TRIES, Walk

WALKS, STEPS = 12, 45


def test_promises_hold_on_random_walks(work: Casework) -> None:
    made: Counter[str] = Counter()
    for seed in range(WALKS):
        with transaction.atomic():
            walk = Walk(work, seed)
            for _ in range(STEPS):
                walk.step()
            made.update(walk.done)
            transaction.set_rollback(True)
    assert len(made) >= len(TRIES) * 0.7, sorted(set(TRIES) - set(made))


def test_a_walk_that_breaks_a_promise_is_noticed(work: Casework) -> None:
    """The broken twin: a case that loses its lead's task behind the services' back."""
    walk = Walk(work, 1)
    walk.case = work.handling()
    Task.objects.filter(case=walk.case).update(state="withdrawn")
    with pytest.raises(AssertionError):
        walk.look()
