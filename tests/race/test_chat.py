"""Two taps at one moment, and a yes that meets the last photo: one report each, and none that waits for ever."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from jiequ.cases.models import Case, Proof
from jiequ.core import pictures
from jiequ.core.models import Picture
from jiequ.core.pictures import Clean, Hints
from jiequ.doors.chat import drafts, flow, reporting, services
from jiequ.doors.chat.flow import Kind, Say, Spot, State, Thing
from jiequ.doors.chat.models import Draft, Piece
from jiequ.grid import queries as grid
from tests.actors import NOW, World, make_world
from tests.support.processes import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FOLLOWERS, TAPS = 40, 4


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(services, "say", lambda **_words: None)
    grid.forget()
    return make_world()


def tell(world: World, follower: int, *, with_photo: bool = False) -> None:
    """A place and a sentence, or a photo that is still on its way."""
    lon, lat = world.point_in("ab"[follower % 2])
    what = (
        Thing(Kind.PHOTO, f"p{follower}", NOW, media_id="m")
        if with_photo
        else Thing(Kind.WORDS, f"w{follower}", NOW, words="河道堵了")
    )
    for thing in (Thing(Kind.PLACE, f"l{follower}", NOW, spot=Spot("桥", lon, lat, "cgcs2000")), what):
        services.take(thing, follower_id=follower, at=NOW)


def test_of_four_taps_at_one_moment_one_makes_the_report(world: World) -> None:
    for follower in range(FOLLOWERS):
        tell(world, follower)

    def tap(number: int) -> int:
        for follower in range(FOLLOWERS):
            services.take(Thing(Kind.WORDS, f"yes{number}-{follower}", NOW, words="确认"), follower_id=follower, at=NOW)
        return 1

    assert sum(at_once(TAPS, tap)) == TAPS
    assert Case.objects.count() == FOLLOWERS
    assert Draft.objects.filter(state=State.DONE).count() == FOLLOWERS


def test_the_broken_twin_that_reads_and_then_reports_makes_some_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for follower in range(FOLLOWERS):
        tell(world, follower)

    def confirm(row: Draft, *, language: str, at: datetime) -> list[Say]:
        if Draft.objects.get(pk=row.pk).state != State.DONE:
            time.sleep(0.003)  # it shows its fault on any machine
            account = reporting.cases.Account(
                source="resident", words="河道堵了", place=reporting.place_of(drafts.value_of(row))
            )
            by = reporting.Actor.resident(None)
            reported = reporting.cases.report_case(street_id=None, account=account, by=by, at=at)
            Draft.objects.filter(pk=row.pk).update(state=State.DONE, report_id=reported.report.pk)
        return []

    monkeypatch.setattr(reporting, "confirm", confirm)
    monkeypatch.setattr(services, "writing", _nothing)

    def tap(number: int) -> int:
        for follower in range(FOLLOWERS):
            services.take(Thing(Kind.WORDS, f"yes{number}-{follower}", NOW, words="确认"), follower_id=follower, at=NOW)
        return 1

    at_once(TAPS, tap)
    assert Case.objects.count() > FOLLOWERS


class _nothing:
    """A transaction that is none."""

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def meet(world: World) -> tuple[int, int]:
    """A yes and the last photo of each of many drafts, at the same moment; how many were reported, how many wait for ever."""
    for follower in range(FOLLOWERS):
        tell(world, follower, with_photo=True)
    pieces = dict(Piece.objects.filter(kind=Kind.PHOTO).values_list("draft__follower_id", "pk"))

    def nothing_to_say(_row: Draft, _says: list[Say]) -> None: ...

    def side(number: int) -> int:
        for follower in range(FOLLOWERS):
            if number:
                services.take(Thing(Kind.WORDS, f"yes{follower}", NOW, words="确认"), follower_id=follower, at=NOW)
            else:
                clean = Clean(f"{follower:064d}", 64, 48, 1, Hints())
                reporting._keep_photo(pieces[follower], clean, at=NOW, told=nothing_to_say)
        return 1

    at_once(2, side)
    return Draft.objects.filter(state=State.DONE).count(), Draft.objects.filter(state=State.SENDING).count()


def cancel_meets_photo(world: World) -> tuple[list[Any], int]:
    """A no and the photo of each of many drafts, at the same moment; what either side came to, and how many photos are left."""
    for follower in range(FOLLOWERS):
        tell(world, follower, with_photo=True)
    pieces = dict(Piece.objects.filter(kind=Kind.PHOTO).values_list("draft__follower_id", "pk"))

    begin = time.monotonic() + 0.2

    def side(number: int) -> int:
        for follower in range(FOLLOWERS):
            late = 0 if number else 0.002 * (follower % 10)  # the photo comes before, while and after the draft goes
            time.sleep(max(0.0, begin + 0.04 * follower + late - time.monotonic()))
            if number:
                services.take(Thing(Kind.WORDS, f"no{follower}", NOW, words="取消"), follower_id=follower, at=NOW)
            else:
                clean = Clean(f"{follower:064d}", 64, 48, 1, Hints())
                reporting._keep_photo(pieces[follower], clean, at=NOW, told=lambda _row, _says: None)
        return 1

    return at_once(2, side), Picture.objects.count()


def test_a_no_that_meets_a_photo_leaves_no_photo(world: World) -> None:
    assert cancel_meets_photo(world) == ([1, 1], 0)
    assert not Draft.objects.exists()


@pytest.mark.postgresql
def test_the_broken_twin_that_looks_before_it_holds_leaves_photos_or_waits_crosswise(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_go(draft_ids: Any) -> int:
        pieces = Piece.objects.filter(draft__in=list(draft_ids))
        kept = [pk for pk in pieces.values_list("picture_id", flat=True) if pk is not None]
        time.sleep(0.01)
        pieces.delete()
        pictures.forget(kept)
        return Draft.objects.filter(pk__in=list(draft_ids)).delete()[0]

    monkeypatch.setattr(drafts, "let_go", let_go)
    assert cancel_meets_photo(world) != ([1, 1], 0)


def test_a_yes_that_meets_the_last_photo_makes_the_report_with_it(world: World) -> None:
    assert meet(world) == (FOLLOWERS, 0)
    assert Proof.objects.count() == Case.objects.count() == FOLLOWERS


@pytest.mark.postgresql
def test_the_broken_twin_that_takes_no_hold_leaves_some_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(draft_id: int, *states: flow.State) -> Any:
        found = Draft.objects.filter(pk=draft_id, state__in=states).prefetch_related("pieces__picture").first()
        if found is not None:
            list(found.pieces.all())
        time.sleep(0.02)
        return found

    monkeypatch.setattr(drafts, "hold", read)
    assert meet(world)[1] > 0
