"""What a hotline's door does by itself: write letters, carry them, look for files, forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from jiequ.core.jobs import DeadJob, JobSpec, enqueue, every, job, on_dead

from .models import Letter, Source, WayOut
from .services import folders, forgetting, letters

TAKE = "hotline.take"
LINE = "hotline"


@every("hotline.letters", seconds=2)
def write_letters(*, at: datetime) -> None:
    """Letters for what was asked of hotlines since the last round, and for cases that ended."""
    for source in Source.objects.select_related("system__street"):
        letters.write_letters(source, at=at)


@job(letters.DELIVER, outside=True, timeout_seconds=15.0, line=LINE)
def deliver(*, letter_id: int, round: int, at: datetime) -> Callable[[], None] | None:
    """Carry, then mark: a worker killed in between carries the same bytes again under the same key."""
    letter = letters.to_send(letter_id, round)
    if letter is None or letter.source.paused_at is not None:
        return None  # after a pause all that waits is queued anew
    if letters.is_settled(letter):
        return partial(_withdrawn, letter, at)
    if letter.source.way_out == WayOut.NONE:  # taken away since it was written: nothing goes to an address of before
        return partial(letters.give_up, letter, "no_way_out", at=at)
    status, error = letters.carry(letter)
    return partial(letters.mark, letter, status, error, at=at)


def _withdrawn(letter: Letter, at: datetime) -> None:
    letters.end(letter, Letter.State.WITHDRAWN, at=at, error="settled")


def give_up(dead: DeadJob, *, at: datetime) -> None:
    """A job that core gave up: the letter is not delivered, and the desk hears of it."""
    letter = letters.to_send(dead.args["letter_id"], dead.args["round"])
    if letter is not None:
        letters.give_up(letter, "job_failed", at=at)


on_dead(give_up, kind=letters.DELIVER)


@every("hotline.watch", seconds=30)
def watch(*, at: datetime) -> None:
    """A job for each folder with a file in it."""
    for source in Source.objects.filter(takes_files=True, paused_at=None, system__is_active=True):
        if folders.waiting(source):
            enqueue(JobSpec(TAKE, {"source_id": source.pk}, run_at=at, key=f"{TAKE}:{source.pk}"))


@job(TAKE, outside=True, timeout_seconds=600.0, promise_seconds=1800, line=LINE)
def take(*, source_id: int, at: datetime) -> None:
    """The files of a folder; an order stored before a worker died is known the next time."""
    source = Source.objects.select_related("system__street").filter(pk=source_id, paused_at=None).first()
    if source is not None:
        folders.take_folder(source, at=at)


@every("hotline.forget", daily_at="03:25")
def forget(*, at: datetime) -> None:
    """What is past its time."""
    forgetting.forget(at=at)
