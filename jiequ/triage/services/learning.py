"""Learning anew: asked for, fitted in a child process outside any transaction, and taken only if it is better."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F, Max
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.models import District
from jiequ.people.rules import Actor

from .. import feed, files, running
from ..models import Cause, Kind, Learning, Lesson, Progress, Standing, Version

LEARN, SWEEP = "triage.learn", "triage.sweep_files"
TRY_SECONDS = 900.0
CHILD_SECONDS = 840.0
MOST_CASES, MOST_DISPATCHES = 40_000, 60_000
PART = 1000
LEAST_CASES = 30
CORRECTIONS = 50
FIRST_CASES, FIRST_AGAIN = 200, timedelta(hours=1)
KEEP = 5
SEED = 0
TELL_EVERY_SECONDS = 2.0
OPEN = (Progress.WAITING, Progress.WORKING)
HELD = timedelta(days=7)
"""So long after somebody rolled back no run by itself takes the place of what they chose."""


# -- asking -----------------------------------------------------------------------------------------------------------


def ask(*, cause: Cause, at: datetime, by: Actor | None = None, is_queued: bool = True) -> Learning:
    """A run waits to be worked by a job (or, not queued, by the caller). Refusal while another waits or works."""
    learning = Learning(cause=cause, asked_at=at, asked_by=by.person_id if by else None)
    _end_abandoned(at)
    try:
        with writing():
            learning.save(force_insert=True)
            if is_queued:
                enqueue(JobSpec(LEARN, {"learning_id": learning.pk}, run_at=at, key=f"{LEARN}:{learning.pk}"))
            _audit("triage.learn", "learning", learning.pk, {"cause": cause.value}, by=by, at=at)
    except IntegrityError:
        raise Refusal("learning_already", _("已经在学习，请等它做完。")) from None
    return learning


def ask_if_due(*, cause: Cause, at: datetime) -> Learning | None:
    """The same, unless there is nothing new to learn or a run is under way."""
    _end_abandoned(at)
    if Learning.objects.filter(progress__in=OPEN).exists() or not is_due(cause):
        return None
    try:
        return ask(cause=cause, at=at)
    except Refusal:
        return None  # another worker was quicker


def _end_abandoned(at: datetime) -> None:
    """A run of the command line whose terminal was closed: no job tells its end, and it must not stand in the way for good."""
    old = Learning.objects.filter(progress__in=OPEN, cause=Cause.COMMAND, asked_at__lt=at - timedelta(seconds=TRY_SECONDS))
    for learning_id in list(old.values_list("pk", flat=True)):
        _end(learning_id, Progress.FAILED, at, error="abandoned")


def ask_for_first(*, at: datetime) -> Learning | None:
    """The first run as soon as there is enough to learn from: after an import, in the demonstration."""
    ledger = feed.registered()
    if ledger is None or Version.objects.exists() or Learning.objects.filter(asked_at__gt=at - FIRST_AGAIN).exists():
        return None
    is_enough = len(ledger.cases(0, FIRST_CASES)) == FIRST_CASES
    return ask(cause=Cause.NIGHTLY, at=at) if is_enough else None


def is_due(cause: Cause) -> bool:
    """Nightly: anything was confirmed since. By corrections: ``CORRECTIONS`` of them since the last run began."""
    fresh = Lesson.objects.filter(pk__gt=_learned_up_to())
    if cause == Cause.CORRECTIONS:
        return fresh.filter(is_correction=True).count() >= CORRECTIONS
    return fresh.exists()


def is_caught_up() -> bool:
    """No run waits or works, and every lesson has been judged."""
    return not Learning.objects.filter(progress__in=OPEN).exists() and not Lesson.objects.filter(judged_at=None).exists()


def _learned_up_to() -> int:
    """The last lesson any run has seen, taken or refused."""
    return Version.objects.aggregate(last=Max("last_lesson_id"))["last"] or 0


# -- working ----------------------------------------------------------------------------------------------------------


def work(learning_id: int, *, at: datetime, tell: Callable[[str, float], None] | None = None) -> Callable[[], None] | None:
    """Fit in a child process and hand back what stores the outcome. A try whose worker died is begun again from the start."""
    learning = Learning.objects.filter(pk=learning_id, progress__in=OPEN).first()
    ledger, district = feed.registered(), District.objects.first()
    if learning is None or ledger is None or district is None:
        return partial(_end, learning_id, Progress.FAILED, at, error="no_ledger") if learning else None
    Learning.objects.filter(pk=learning.pk).update(
        progress=Progress.WORKING, tries=F("tries") + 1, began_at=at, stage="rows", share=0.0
    )
    through = Lesson.objects.aggregate(last=Max("pk"))["last"] or 0
    folder = files.folder(district.code6)
    say = tell or partial(_tell, learning.pk)
    done, rows = fitted(folder, district.code6, ledger, at=at, say=say)
    if not done:
        return partial(_end, learning.pk, Progress.DONE, at, examples=rows, outcome={"why": "too_few"})
    stored = [_stored(kind, done[kind], folder, district.code6, through, at) for kind in sorted(done)]
    return partial(_settle, learning.pk, stored, rows, at)


def _tell(learning_id: int, stage: str, share: float) -> None:
    Learning.objects.filter(pk=learning_id, progress=Progress.WORKING).update(stage=stage[:30], share=share)


def fitted(
    folder: Path, district: str, ledger: feed.Feed, *, at: datetime, say: Callable[[str, float], None]
) -> tuple[dict[str, Any], int]:
    """What the child process made of the ledger, and of how many confirmed cases. RuntimeError if it failed."""
    after = ledger.before_newest(MOST_CASES)
    if len(ledger.cases(after, LEAST_CASES)) < LEAST_CASES:
        return {}, 0
    command = [sys.executable, "-m", "jiequ.triage.fitting", str(folder)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback may quote words
        text=True,
        encoding="utf-8",
        cwd=settings.BASE_DIR,
        env=_environment() | threads,
    ) as child:
        watch = threading.Timer(CHILD_SECONDS, child.kill)
        watch.daemon = True
        watch.start()
        try:
            rows = _hand_over(child, folder, district, ledger, after, at)
            return _heard(child, say), rows
        finally:
            watch.cancel()
            child.kill()


def _environment() -> dict[str, str]:
    """What Python needs to start; none of the installation's secrets."""
    import os

    kept = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _hand_over(child: Any, folder: Path, district: str, ledger: feed.Feed, after: int, at: datetime) -> int:
    """Head, cases, dispatches and the end mark, line by line; how many cases."""
    count = 0
    try:
        for line in _lines(folder, district, ledger, after, at):
            child.stdin.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += "case" in line
        child.stdin.close()
    except BrokenPipeError:
        raise RuntimeError("the fitting process ended before it had read all") from None
    return count


def _lines(folder: Path, district: str, ledger: feed.Feed, after: int, at: datetime) -> Iterator[dict[str, Any]]:
    used = running.in_use()
    yield {
        "district": district,
        "at": at.isoformat(),
        "seed": SEED,
        "types": [[one.code, list(one.path), one.hints] for one in ledger.types()],
        "champion": _path_of(folder, used.get(Kind.TYPE)),
        "champion_department": _path_of(folder, used.get(Kind.DEPARTMENT)),
        "fresh_since": _fresh_since(),
    }
    while rows := ledger.cases(after, PART):
        corrected = _corrected([row.ref for row in rows])
        yield from ({"case": _case(row, corrected)} for row in rows)
        after = rows[-1].ref
    after = ledger.before_newest_dispatches(MOST_DISPATCHES)
    while steps := ledger.dispatches(after, PART):
        yield from ({"dispatch": _dispatch(row)} for row in steps if row.department)
        after = steps[-1].ref
    yield {"end": True}


def _path_of(folder: Path, version: running.InUse | None) -> str:
    """Of the file in use, whole: a damaged one stands in the way of no better one."""
    path = folder / version.name if version else None
    is_whole = version and path and path.is_file() and files.digest(path)[0] == version.sha256
    return str(path) if is_whole else ""


def _fresh_since() -> str:
    """From when on the rows are new to the dispatcher in use."""
    used = Version.objects.filter(kind=Kind.DEPARTMENT, standing=Standing.CHAMPION)
    made = used.aggregate(made=Max("made_at"))["made"]
    return made.isoformat() if made else ""


def _corrected(refs: list[int]) -> set[int]:
    wrong = Lesson.objects.filter(case_ref__in=refs, is_type_taught=True, is_correction=True).exclude(type_place=1)
    return set(wrong.values_list("case_ref", flat=True))


def _case(row: feed.CaseRow, corrected: set[int]) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "words": row.words,
        "code": row.type_code,
        "place": row.community,
        "source": row.source,
        "hour": running.hour_of(row.at),
        "at": (row.chosen_at or row.at).isoformat(),  # a new correction of an old case is new
        "correction": row.ref in corrected,
        "by": row.by,
    }


def _dispatch(row: feed.DispatchRow) -> dict[str, Any]:
    return {
        "type": row.type_code,
        "department": row.department,
        "return": row.is_return,
        "street": row.street,
        "place": row.community,
        "source": row.source,
        "hour": running.hour_of(row.at),
        "day": running.day_of(row.at),
        "at": row.at.isoformat(),
        "words": row.words,
    }


def _heard(child: Any, say: Callable[[str, float], None]) -> dict[str, Any]:
    """Follow the child's lines to the last one."""
    told = 0.0
    for line in child.stdout:
        part = json.loads(line)
        if "done" in part:
            return dict(part["done"])
        if time.monotonic() - told >= TELL_EVERY_SECONDS:
            told = time.monotonic()
            say(str(part["stage"]), float(part["share"]))
    raise RuntimeError("the fitting process failed")


# -- taking it --------------------------------------------------------------------------------------------------------


def _stored(kind: str, made: dict[str, Any], folder: Path, district: str, through: int, at: datetime) -> Version:
    """The file takes its name; the row, not stored yet, says what it is. Dies the worker here, the sweep finds the file."""
    number = (Version.objects.filter(kind=kind).aggregate(last=Max("number"))["last"] or 0) + 1
    name, sha256, size = "", "", 0
    if made["is_better"]:  # of a refused one only the card is worth keeping
        name = files.name_of(kind, number)
        files.put(folder / f"{kind}{files.HALF}", folder / name)
        sha256, size = files.digest(folder / name)
    return Version(
        kind=kind,
        number=number,
        district_code=district,
        standing=Standing.KEPT if made["is_better"] else Standing.REFUSED,
        why=str(made["why"])[:30],
        name=name,
        sha256=sha256,
        size_bytes=size,
        examples=made["examples"],
        corrections=made["corrections"],
        last_lesson_id=through,
        card=made["card"],
        made_at=at,
    )


def _settle(learning_id: int, versions: list[Version], rows: int, at: datetime) -> None:
    """In the transaction that ends the job: the better ones are in use, older than the last five are named gone."""
    outcome = {}
    cause = Learning.objects.values_list("cause", flat=True).get(pk=learning_id)
    for version in versions:
        version.save(force_insert=True)
        if version.standing == Standing.KEPT and _is_held(version.kind, cause, at):
            version.why = "held"
            Version.objects.filter(pk=version.pk).update(why="held")
        elif version.standing == Standing.KEPT:
            _promote(version, at=at, by=None)
        outcome[version.kind] = {"number": version.number, "why": version.why, "standing": version.standing}
        _let_go(version.kind)
    _end(learning_id, Progress.DONE, at, examples=rows, outcome=outcome)
    enqueue(JobSpec(SWEEP, {}, run_at=at, key=f"{SWEEP}:{learning_id}"))


def _is_held(kind: str, cause: str, at: datetime) -> bool:
    if cause in {Cause.BY_HAND, Cause.COMMAND}:
        return False
    chosen = Version.objects.filter(kind=kind, standing=Standing.CHAMPION, chosen_by__isnull=False)
    return chosen.filter(used_since__gt=at - HELD).exists()


def _promote(version: Version, *, at: datetime, by: Actor | None) -> None:
    Version.objects.filter(kind=version.kind, standing=Standing.CHAMPION).update(standing=Standing.KEPT)
    version.standing, version.used_since, version.chosen_by = Standing.CHAMPION, at, by.person_id if by else None
    taken = Version.objects.filter(pk=version.pk, standing=Standing.KEPT)
    if not taken.update(standing=Standing.CHAMPION, used_since=at, chosen_by=version.chosen_by):
        raise Refusal("version_gone", _("这一版已经不在了，请刷新页面。"))


def _let_go(kind: str) -> None:
    """The five newest that may be used stay, and the one in use; refused ones keep their card only."""
    usable = Version.objects.filter(kind=kind, standing__in=[Standing.CHAMPION, Standing.KEPT]).order_by("-number")
    kept = list(usable.values_list("pk", flat=True)[:KEEP])
    usable.filter(standing=Standing.KEPT).exclude(pk__in=kept).update(standing=Standing.GONE)


def _end(
    learning_id: int, progress: Progress, at: datetime, *, error: str = "", examples: int = 0, outcome: Any = None
) -> None:
    Learning.objects.filter(pk=learning_id, progress__in=OPEN).update(
        progress=progress, ended_at=at, error=error[:60], examples=examples, outcome=outcome or {}, stage="", share=1.0
    )


def give_up(learning_id: int, *, at: datetime) -> None:
    """The job was given up: the run says so, and the next one may be asked for."""
    _end(learning_id, Progress.FAILED, at, error="job_failed")


def sweep_files() -> list[str]:
    """Files that no usable version names go."""
    district = District.objects.first()
    if district is None or Learning.objects.filter(progress=Progress.WORKING).exists():
        return []
    usable = Version.objects.filter(standing__in=[Standing.CHAMPION, Standing.KEPT])
    return files.sweep(district.code6, set(usable.values_list("name", flat=True)))


# -- rolling back -----------------------------------------------------------------------------------------------------


def use(version_id: int, *, by: Actor, at: datetime) -> Version:
    """Roll back (or forward) to a version that is kept, with one click. Refusal for one in use, refused, or gone."""
    version = Version.objects.filter(pk=version_id, standing=Standing.KEPT).first()
    district = District.objects.first()
    if version is None or district is None:
        raise Refusal("version_not_kept", _("这一版不能启用：它正在使用、没有通过，或已经清除。"))
    path = files.folder(district.code6) / version.name
    if version.district_code != district.code6 or not path.is_file() or files.digest(path)[0] != version.sha256:
        raise Refusal("version_damaged", _("这一版的文件不完整或属于别的区，不能启用。"))
    with writing():
        _promote(version, at=at, by=by)
        _audit("triage.use", "triage_version", version.pk, {"kind": version.kind, "number": version.number}, by=by, at=at)
    running.forget()
    return version


def _audit(action: str, kind: str, pk: int, facts: dict[str, Any], *, by: Actor | None, at: datetime) -> None:
    audit.record(
        street_id=None,
        person_id=by.person_id if by else None,
        action=action,
        object_kind=kind,
        object_id=str(pk),
        at=at,
        facts=facts,
    )
