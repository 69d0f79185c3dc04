"""Administrators who save the urgent words at the same moment: one list stands whole, the others are told."""

from __future__ import annotations

import pytest

from jiequ.core.db import writing
from jiequ.core.errors import Stale
from jiequ.core.models import Counter
from jiequ.triage.models import UrgentWord
from jiequ.triage.services import words
from tests.actors import NOW, World, make_world
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SAVERS, WORDS = 4, 60


@pytest.fixture
def small(db: None) -> World:
    return make_world()


def lines(saver: int) -> str:
    return "\n".join(f"第{saver}份{n}" for n in range(WORDS))


def test_of_four_lists_saved_at_once_one_stands_whole_and_three_are_told(small: World) -> None:
    def save(saver: int) -> int:
        try:
            return words.keep(lines(saver), version=0, by=small.actor("xi"), at=NOW)
        except Stale:
            return 0

    assert sorted(at_once(SAVERS, save)) == [0, 0, 0, WORDS]
    assert UrgentWord.objects.count() == WORDS
    assert len({row.word[:2] for row in UrgentWord.objects.all()}) == 1
    assert Counter.objects.get(name=words.COUNTER).value == 1


def test_the_broken_twin_that_only_deletes_and_inserts_loses_lists_unseen_or_mixes_them(small: World) -> None:
    def save(saver: int) -> int:
        rows = words.read_lines(lines(saver))
        with writing():
            UrgentWord.objects.all().delete()
            UrgentWord.objects.bulk_create(rows)
        return len(rows)

    assert sum(at_once(SAVERS, save)) > WORDS  # each is told that its own was taken
