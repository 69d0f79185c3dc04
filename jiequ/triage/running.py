"""What a process suggests with: the versions in use, read when first asked for, and what was confirmed since, at once.

A web worker loads numpy and two small files, no more (docs/adr/0043). Every ``LOOK_AGAIN_SECONDS`` at most, three SELECTs
ask whether another version is in use, which words are urgent and what has been confirmed; a version whose file is damaged or
another district's is told to the log, and the start model stands in for it: a suggestion is never worth an error page.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jiequ.core.models import District
from jiequ.core.worktime import ZONE

from . import feed, files
from .codes import groups_of
from .minds import (
    Dispatcher,
    EventType,
    Matter,
    Memory,
    ModelRefused,
    Row,
    TextModel,
    UrgentWord,
    load,
    start_model,
    starter_words,
    weigher_for,
    with_types,
)
from .models import Kind, Lesson, Standing, Version
from .models import UrgentWord as OwnUrgentWord

log = logging.getLogger(__name__)
LOOK_AGAIN_SECONDS = 2.0
AT_ONCE = 300
"""So many of the newest lessons are used before they are fitted."""
LESSON = (
    *("id", "case_ref", "type_code", "department", "is_return", "is_type_taught", "type_place", "is_forgotten"),
    *("street", "community", "source", "at"),
)


@dataclass(frozen=True, slots=True)
class InUse:
    """The version a kind is answered with; ``number`` 0: the start model, which every district begins with."""

    number: int = 0
    last_lesson_id: int = 0
    name: str = ""
    sha256: str = ""


@dataclass(slots=True)
class Running:
    """One process's own. Asked and renewed under ``lock`` only: a dispatcher learns in place."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = -LOOK_AGAIN_SECONDS
    district: str = ""
    in_use: dict[str, InUse] = field(default_factory=dict)
    model: TextModel | None = None
    dispatcher: Dispatcher | None = None
    memory: Memory | None = None
    urgent: tuple[UrgentWord, ...] = ()
    seen: tuple[int, ...] | None = None
    learned: tuple[int, ...] = ()


_running = Running()


def forget() -> None:
    """Look again at the next question (after a change in this process; tests)."""
    global _running
    _running = Running()


def current(now: float | None = None) -> Running:
    """This process's own, renewed if it was not looked at for ``LOOK_AGAIN_SECONDS``."""
    running = _running
    moment = time.monotonic() if now is None else now
    with running.lock:
        if moment - running.looked_at >= LOOK_AGAIN_SECONDS:
            _renew(running)
            running.looked_at = time.monotonic() if now is None else now
    return running


def _renew(running: Running) -> None:
    running.district = running.district or _district()
    found = in_use()
    if running.model is None or found.get(Kind.TYPE) != running.in_use.get(Kind.TYPE):
        running.model, running.seen = model_of(found.get(Kind.TYPE), running.district), None
    if running.dispatcher is None or found.get(Kind.DEPARTMENT) != running.in_use.get(Kind.DEPARTMENT):
        running.dispatcher, running.learned = dispatcher_of(found.get(Kind.DEPARTMENT), running.district), ()
        running.seen = None
    _follow_types(running, found.get(Kind.TYPE))
    running.in_use, running.urgent = found, urgent_words()  # another process may have changed them
    rows = lessons_since(found)
    if tuple(row["id"] for row in rows if not row["is_forgotten"]) == running.seen:
        return
    running.seen = tuple(row["id"] for row in rows if not row["is_forgotten"])
    words = words_of(rows)
    _remember(running, rows, words)
    _learn(running, rows, words)


def _follow_types(running: Running, version: InUse | None) -> None:
    """A type made or retired since the model was fitted is known at once; the list is the ledger's own, kept in the process."""
    types = types_in_force()
    assert running.model is not None
    if tuple(types) == running.model.types:
        return
    if version is None:
        running.model = start_model(types, district=running.district)  # it finds its own types in the list
    else:
        running.model = with_types(running.model, types, district=running.district)
    running.seen = None


def _district() -> str:
    return District.objects.values_list("code6", flat=True).first() or ""


def in_use() -> dict[str, InUse]:
    """The champions by kind. One SELECT."""
    rows = Version.objects.filter(standing=Standing.CHAMPION).values_list("kind", "number", "last_lesson_id", "name", "sha256")
    return {kind: InUse(number, last, name, sha256) for kind, number, last, name, sha256 in rows}


def model_of(version: InUse | None, district: str) -> TextModel:
    """The type model of a version; without one, or where its file is not what was stored, the start model."""
    if version is not None:
        path = files.folder(district) / version.name
        try:
            _check(path, version)
            return load(path, district=district)  # for the types of its day: ``_follow_types``
        except (OSError, ValueError, ModelRefused) as fault:
            log.error("type model %s is not used: %s", version.number, type(fault).__name__)
    return start_model(types_in_force(), district=district)


def dispatcher_of(version: InUse | None, district: str) -> Dispatcher:
    """The dispatcher of a version; without one, an empty one."""
    if version is not None:
        path = files.folder(district) / version.name
        try:
            _check(path, version)
            return Dispatcher.from_data(json.loads(path.read_text(encoding="utf-8")), district=district)
        except (OSError, ValueError, KeyError) as fault:
            log.error("dispatch model %s is not used: %s", version.number, type(fault).__name__)
    return Dispatcher(district)


def _check(path: Path, version: InUse) -> None:
    if files.digest(path)[0] != version.sha256:
        raise ValueError("not the file that was stored")


def types_in_force() -> list[EventType]:
    """What the ledger says its types are."""
    ledger = feed.registered()
    return [EventType(one.code, one.path, one.hints) for one in ledger.types()] if ledger else []


def type_names() -> Mapping[str, str]:
    """The types in force by code, for a page: each by its name in the reader's language."""
    ledger = feed.registered()
    return ledger.names() if ledger else {}


def urgent_words() -> tuple[UrgentWord, ...]:
    """The district's own, or the engine's starter list where it has none. One SELECT."""
    own = OwnUrgentWord.objects.values_list("word", "level", "code", "not_in")
    return tuple(UrgentWord(word, level, code, tuple(not_in.split())) for word, level, code, not_in in own) or starter_words()


def lessons_since(versions: dict[str, InUse]) -> list[dict[str, Any]]:
    """The newest lessons that a version in use has not been fitted with, in order. One SELECT."""
    after = min((one.last_lesson_id for one in versions.values()), default=0)
    return list(Lesson.objects.filter(pk__gt=after).order_by("-pk").values(*LESSON)[:AT_ONCE])[::-1]


def words_of(rows: Sequence[dict[str, Any]]) -> Mapping[int, str]:
    """The words of the lessons' cases that are still kept. One SELECT, none for no lessons."""
    ledger = feed.registered()
    refs = sorted({row["case_ref"] for row in rows if not row["is_forgotten"]})
    return ledger.words(refs) if ledger and refs else {}


def _remember(running: Running, rows: Sequence[dict[str, Any]], words: Mapping[int, str]) -> None:
    """Cases whose type a person chose otherwise than suggested, or that nobody compared yet: the nearest of them answers."""
    after = running.in_use[Kind.TYPE].last_lesson_id if Kind.TYPE in running.in_use else 0
    wanted = [r for r in rows if r["id"] > after and r["is_type_taught"] and not r["is_forgotten"] and r["type_place"] != 1]
    said = [Row(str(r["case_ref"]), words.get(r["case_ref"], ""), r["type_code"], is_correction=True) for r in wanted[::-1]]
    assert running.model is not None
    running.memory = Memory.of([row for row in said if row.words.strip()], weigher_for(running.model))


def _learn(running: Running, rows: Sequence[dict[str, Any]], words: Mapping[int, str]) -> None:
    """Dispatches and returns since; where one was taken back or its words erased, the dispatcher is read anew."""
    after = running.in_use[Kind.DEPARTMENT].last_lesson_id if Kind.DEPARTMENT in running.in_use else 0
    wanted = [row for row in rows if row["id"] > after and row["department"]]
    marks = [row["id"] * 2 + row["is_forgotten"] for row in wanted]
    if any(one not in marks for one in running.learned if not marks or one >= min(marks)):
        running.dispatcher, running.learned = dispatcher_of(running.in_use.get(Kind.DEPARTMENT), running.district), ()
    assert running.dispatcher is not None
    for row, mark in zip(wanted, marks, strict=True):
        if mark not in running.learned:
            learn(running.dispatcher, row, words.get(row["case_ref"], ""))
    running.learned = tuple(marks)


def learn(dispatcher: Dispatcher, row: dict[str, Any], words: str) -> None:
    """One confirmed dispatch or return."""
    tell = dispatcher.learn_return if row["is_return"] else dispatcher.learn
    tell(matter_of(row, words), row["department"], day=day_of(row["at"]))


def matter_of(row: dict[str, Any], words: str) -> Matter:
    """A lesson as the engine sees it."""
    return Matter(
        type=row["type_code"],
        street=row["street"],
        grid=row["community"],
        source=row["source"],
        groups=groups_of(row["type_code"]),
        hour=hour_of(row["at"]),
        text=words,
    )


def day_of(at: datetime) -> float:
    """Days since 1970, as the engine counts."""
    return at.timestamp() / 86400


def hour_of(at: datetime) -> int:
    """The hour on the street's own clock."""
    return at.astimezone(ZONE).hour
