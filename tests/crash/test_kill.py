"""kill -9 at random moments, on both databases: nothing acknowledged is lost, nothing is stored by half (RELIABILITY 1, 9).

Short forms; ``./run bench reliability`` runs the long ones. Each has a twin that is broken on purpose and must lose.
"""

from __future__ import annotations

import pytest

from tests.crash import storms

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_kinds")]

KILLS = 20
NOTICES = 1000


def test_what_was_acknowledged_survives_20_kills() -> None:
    found = storms.storm_of_writes(storms.commit_then_acknowledge, kills=KILLS, seed=1)
    assert (found.kills, found.lost, found.halves, found.integrity) == (KILLS, 0, 0, "ok")
    assert found.acknowledged >= KILLS


def test_the_broken_twin_that_answers_before_it_commits_loses() -> None:
    assert storms.storm_of_writes(storms.acknowledge_then_commit, kills=KILLS, seed=2).lost > 0


def test_the_broken_twin_with_two_transactions_leaves_halves() -> None:
    assert storms.storm_of_writes(storms.store_in_two_transactions, kills=KILLS, seed=3).halves > 0


def test_a_thousand_notices_under_kills_lose_none() -> None:
    result = storms.storm_of_notices(storms.by_lease, notices=NOTICES, workers=2, most_told=40, most_kills=20, seed=4)
    assert (result.lost, result.kills >= 10) == (0, True)


def test_the_broken_twin_that_marks_and_then_sends_loses() -> None:
    result = storms.storm_of_notices(storms.mark_then_send, notices=200, workers=1, most_told=10, seed=5)
    assert result.lost > 0


def test_a_thousand_effects_in_the_database_happen_once_each_under_kills() -> None:
    result = storms.storm_of_notices(storms.effects_by_lease, notices=NOTICES, workers=2, most_told=2, most_kills=20, seed=6)
    done = storms.effects()
    assert (len(done), set(done.values()), result.kills >= 10) == (NOTICES, {1}, True)


def test_the_broken_twin_with_effect_and_removal_apart_does_some_twice() -> None:
    storms.storm_of_notices(storms.effects_apart, notices=200, workers=1, most_told=10, seed=7)
    assert max(storms.effects().values()) > 1
