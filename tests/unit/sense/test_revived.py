"""Work that was given up and that an administrator revives (``./run jobs --revive``) is really done again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiequ.core import jobs
from jiequ.core.models import Job
from jiequ.sense import children, services
from jiequ.sense.models import Asset, Comparison, Release
from jiequ.sense.services import comparing, releasing, taking
from tests.actors import NOW, World
from tests.support.sense import geotiff
from tests.support.suspects import comparison, suspect

Row = Asset | Comparison | Release


def an_asset(world: World, by: Any, tmp_path: Path) -> Row:
    return services.take_in(street_id=world.street.pk, path=geotiff(tmp_path / "a.tif"), by=by, at=NOW)


def a_comparison(world: World, by: Any, tmp_path: Path) -> Row:
    row = comparison(world.street.pk)
    Comparison.objects.filter(pk=row.pk).update(state="waiting", asked_at=NOW)
    row.refresh_from_db()
    jobs.enqueue(comparing._job(row, 0))
    return row


def a_release(world: World, by: Any, tmp_path: Path) -> Row:
    return releasing.ask_release(suspect(comparison(world.street.pk)), window="near", boxes=[], by=by, at=NOW)


def given_up(row: Row, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Tried until it is dead; the moment after."""

    def broken(*_given: Any, **_more: Any) -> Any:
        raise children.ChildFailed("the disk is full")

    monkeypatch.setattr(children, "ask", broken)
    monkeypatch.setattr(children, "once", broken)
    at = NOW
    for _try in range(8):
        jobs.work_once(at=at, outside=True, limit=1)
        at += timedelta(hours=13)
    row.refresh_from_db()
    assert (row.state in ("unusable", "failed"), row.reason) == (True, "given_up")
    return at


def revived(row: Row, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause is mended; now the file itself is at fault, which is something only work can find."""
    asked: list[str] = []

    def found(role: str, *_given: Any, **_more: Any) -> Any:
        asked.append(role)
        return {"fault": "no_overlap", "facts": {}}

    monkeypatch.setattr(children, "ask", found)
    monkeypatch.setattr(children, "once", found)
    assert jobs.revive(jobs.dead_jobs().get().pk, at=at)
    jobs.work_once(at=at, outside=True, limit=1)
    row.refresh_from_db()
    assert (row.reason, len(asked), Job.objects.filter(kind__startswith="sense.").count()) == ("no_overlap", 1, 0)


@pytest.mark.parametrize("make", [an_asset, a_comparison, a_release])
def test_a_revived_job_does_its_work(make: Any, by: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = make(world, by, tmp_path)
    revived(row, given_up(row, monkeypatch), monkeypatch)


@pytest.mark.parametrize("make", [an_asset, a_comparison, a_release])
def test_the_broken_twin_that_takes_given_up_for_ended_does_nothing(
    make: Any, by: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make(world, by, tmp_path)
    at = given_up(row, monkeypatch)
    for module in (taking, comparing, releasing):
        monkeypatch.setattr(module, "was_given_up", lambda row: False)
    with pytest.raises(AssertionError):
        revived(row, at, monkeypatch)


def test_a_revived_comparison_that_was_asked_anew_meanwhile_leaves_it_to_the_new_one(
    by: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_comparison(world, by, tmp_path)
    at = given_up(row, monkeypatch)
    again = Comparison.objects.get(pk=row.pk)
    again.pk, again.state, again.reason = None, "waiting", ""
    again.save(force_insert=True)
    assert jobs.revive(jobs.dead_jobs().get().pk, at=at)
    jobs.work_once(at=at, outside=True, limit=1)
    row.refresh_from_db()
    assert (row.state, row.reason, Job.objects.filter(kind="sense.compare").count()) == ("failed", "given_up", 0)
