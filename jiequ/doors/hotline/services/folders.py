"""Files: a folder is looked through, each whole file is claimed by a rename, read, and moved away: taken, or refused with why.

``in`` is where a hotline (or a person) lays files down. A file is left alone until it has been quiet for ten seconds, and a
JSON that does not end properly for ten minutes. Whoever reads a folder holds its lock, so that a file is never read by two; a
reader that dies leaves its file in ``working``, and the next one begins it again: orders that were stored are known then.
"""

from __future__ import annotations

import csv
import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from jiequ.cases.import_map import MapFault, missing_columns
from jiequ.cases.order_files import OrderFile, RawRow, Unreadable, open_orders
from jiequ.core.cells import plain_cell
from jiequ.core.errors import Refusal

from ..models import Source
from . import messages
from .letters import folder_of
from .receiving import Reader, flattened, receive

QUIET_SECONDS, TORN_SECONDS = 10.0, 600.0
LARGEST = 64 << 20
ENDINGS = frozenset({".csv", ".xlsx", ".json", ".jsonl", ".ndjson", ".txt"})
IN, WORKING, TAKEN, REJECTS = "in", "working", "taken", "rejects"


@dataclass(slots=True)
class Taken:
    """What became of one file: counts by outcome, and rows that were not taken, as (line, why)."""

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    rejects: list[tuple[RawRow, str]] = field(default_factory=list)
    why: str = ""

    def add(self, outcome: str) -> None:
        """One row more of that outcome."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1


class _Torn(Exception):
    """The file is still being written."""


def waiting(source: Source, *, now: float | None = None) -> bool:
    """True if there is a file to read; only names and times are looked at."""
    folder = folder_of(source)
    return folder is not None and any(True for _file in _files(folder, now=now))


def take_folder(source: Source, *, at: datetime, now: float | None = None) -> list[Taken]:
    """Every whole file of the source's own folder, in the order of their names; nothing while another reads it."""
    folder = folder_of(source)
    return [] if folder is None else list(take_all(source, folder, at=at, now=now))


def take_all(source: Source, folder: Path, *, at: datetime, now: float | None = None) -> Iterator[Taken]:
    """Every whole file under ``folder``/in."""
    for name in (IN, WORKING, TAKEN, REJECTS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with _lock(folder) as is_ours:
        if not is_ours:
            return
        for file in list(_files(folder, now=now)):
            if (done := _take(source, file, folder, at=at, now=now)) is not None:
                yield done


def take_file(source: Source, file: Path, *, at: datetime) -> Taken:
    """One file that somebody named, now; it goes to ``taken`` or ``rejects`` beside it. Unreadable if it is still written."""
    folder = file.parent
    for name in (WORKING, TAKEN, REJECTS):
        (folder / name).mkdir(exist_ok=True)
    with _lock(folder) as is_ours:
        done = _take(source, file, folder, at=at, now=float("inf")) if is_ours and file.is_file() else None
    if done is None:
        raise Unreadable(_("%(file)s 还在写入、已被取走，或正在被读取") % {"file": file.name})
    return done


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """The folder's lock; it goes with the process that holds it."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _files(folder: Path, *, now: float | None) -> Iterator[Path]:
    """Those that a dead reader left, then those that are whole by their looks."""
    now = time.time() if now is None else now
    for place in (WORKING, IN):
        for file in sorted((folder / place).glob("*")) if (folder / place).is_dir() else ():
            if file.name.startswith(".") or file.suffix.lower() not in ENDINGS or file.is_symlink() or not file.is_file():
                continue
            if place == WORKING or now - file.stat().st_mtime >= QUIET_SECONDS:
                yield file


def _take(source: Source, file: Path, folder: Path, *, at: datetime, now: float | None) -> Taken | None:
    """One file: claimed, read, moved. None if it is not whole: it goes back to where it was."""
    claimed = folder / WORKING / file.name
    came_from = file if file.parent.name != WORKING else folder / IN / file.name
    os.replace(file, claimed)
    try:
        done = _read(source, claimed, at=at, now=now)
    except _Torn:
        os.replace(claimed, came_from)
        return None
    _move_away(claimed, folder, done, at=at)
    return done


def _read(source: Source, file: Path, *, at: datetime, now: float | None) -> Taken:
    done = Taken(file.name)
    before = file.stat()
    try:
        if before.st_size > LARGEST:
            raise Unreadable(_("文件太大，最多 %(most)d MB") % {"most": LARGEST >> 20})
        found = open_orders(file)
        rows = list(found.rows())
        _refuse_torn(file, before, found, rows, now=now)
        _take_rows(source, found, rows, done, at=at)
    except (Unreadable, MapFault) as fault:
        if file.stat().st_mtime != before.st_mtime:
            raise _Torn from None
        done.why = str(fault)
    return done


def _refuse_torn(file: Path, before: os.stat_result, found: OrderFile, rows: list[RawRow], *, now: float | None) -> None:
    """_Torn for a file that changed while it was read, or a JSON that ends in the middle and is young."""
    after = file.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _Torn
    is_young = (time.time() if now is None else now) - after.st_mtime < TORN_SECONDS
    if is_young and found.kind in {"json", "jsonl"} and rows and rows[-1].fault:
        raise _Torn


def _take_rows(source: Source, found: OrderFile, rows: list[RawRow], done: Taken, *, at: datetime) -> None:
    kind = messages.kind_of(found.path.name)
    take: Callable[[Mapping[str, str], int], tuple[str, str]]
    if kind == "orders":
        reader = Reader(source, at=at)
        if found.kind in {"csv", "xlsx"} and (faults := missing_columns(reader.given, found.headings)):
            raise Unreadable("；".join(map(str, faults)))

        def take(cells: Mapping[str, str], line: int) -> tuple[str, str]:
            got = receive(reader, cells, at=at, file=found.path.name, line=line)
            return got.outcome, got.reason
    else:

        def take(cells: Mapping[str, str], line: int) -> tuple[str, str]:
            return messages.take(source, kind, cells, at=at)

    for row in rows:
        outcome, why = ("refused", row.fault) if row.fault else _one(take, row)
        done.add(outcome)
        if outcome in {"refused", "update"}:
            done.rejects.append((row, why))


def _one(take: Callable[[Mapping[str, str], int], tuple[str, str]], row: RawRow) -> tuple[str, str]:
    try:
        return take(flattened(messages.opened(row.cells)), row.line)
    except Refusal as refusal:
        return "refused", str(refusal)


def _move_away(file: Path, folder: Path, done: Taken, *, at: datetime) -> None:
    """Away from where it would be read again, with a rejects file where rows were not taken. The reasons first: a reader that
    dies in between begins anew and writes them once more."""
    stamp = at.strftime("%Y%m%dT%H%M%S")
    if done.why:
        (folder / REJECTS / f"{stamp}-{file.name}.reason.txt").write_text(done.why + "\n", encoding="utf-8")
        os.replace(file, _free(folder / REJECTS / f"{stamp}-{file.name}"))
        return
    if done.rejects:
        _write_rejects(folder / REJECTS / f"{stamp}-{file.name}.csv", done.rejects)
    os.replace(file, _free(folder / TAKEN / f"{stamp}-{file.name}"))


def _free(path: Path) -> Path:
    """The name, or with a number where one of that name lies there."""
    found, number = path, 1
    while found.exists():
        found, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return found


def _write_rejects(path: Path, rejects: Iterable[tuple[RawRow, str]]) -> None:
    """Line, why, and the row as it was; nothing in it can run in a spreadsheet."""
    rows = list(rejects)
    headings = list(dict.fromkeys(name for row, _why in rows for name in row.cells))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_("行"), _("原因"), *map(plain_cell, headings)])
        for row, why in rows:
            writer.writerow([row.line, why, *(plain_cell(row.cells.get(name, "")) for name in headings)])


def forget_files(source: Source, *, before: float) -> int:
    """Files that were read and are older than that moment (epoch seconds) go; returns how many."""
    folder, gone = folder_of(source), 0
    for place in (TAKEN, REJECTS) if folder is not None else ():
        for file in (folder / place).glob("*") if folder is not None and (folder / place).is_dir() else ():
            if file.is_file() and file.stat().st_mtime < before:
                file.unlink(missing_ok=True)
                gone += 1
    return gone
