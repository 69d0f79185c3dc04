"""``./run import orders``: another system's orders become cases. Stopped and run again, nothing comes twice."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from jiequ.cases.import_map import BadRow, ImportMap, MapFault, missing_columns, order_of, read_map
from jiequ.cases.order_files import OrderFile, RawRow, Unreadable, open_orders
from jiequ.cases.services.importing import Importer, Outcome, Row
from jiequ.core import clock
from jiequ.core.cells import plain_cell
from jiequ.core.models import Street
from jiequ.web.cli.order_draft import draft
from jiequ.web.cli.order_units import create_units
from jiequ.web.cli.terminal import speak

BATCH = 1000
"""Rows a transaction: so long others' writes wait for their turn (0.2 s)."""


def main(options: argparse.Namespace) -> int:
    """Exit status 1 with a sentence if the file or the map is not right; rows that were not taken stand in the rejects."""
    speak()
    try:
        file = open_orders(Path(options.file))
        if options.draft:
            return _draft(file, Path(options.draft))
        given = _map(Path(options.map))
        return _import(file, given, options)
    except (Unreadable, MapFault, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1


def _draft(file: OrderFile, target: Path) -> int:
    if target.exists():
        raise Unreadable(_("%(file)s 已经存在，没有覆盖") % {"file": target})
    target.write_text(draft(file), encoding="utf-8")
    print(_("已写好映射的初稿：%(file)s。请逐项核对，再用 --map 和 --check 试一遍") % {"file": target})
    return 0


def _map(path: Path) -> ImportMap:
    try:
        return read_map(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise MapFault(_("%(file)s 不是 UTF-8 编码") % {"file": path.name}) from None


def _import(file: OrderFile, given: ImportMap, options: argparse.Namespace) -> int:
    street_id = _street(options.street)
    faults = missing_columns(given, file.headings)
    importer = Importer(given, at=clock.now(), open_orders=options.open, street_id=street_id, sha256=file.sha256)
    faults += importer.meanings.faults()
    for fault in sorted(faults, key=lambda one: one.line):
        print(fault, file=sys.stderr)
    if faults:
        print(_("映射有 %(count)d 处要改，什么都没有写入。") % {"count": len(faults)}, file=sys.stderr)
        return 1
    if options.create_units and not create_units(file, importer, is_check=options.check, is_sure=options.yes):
        return 1
    rejects = Rejects(Path(options.rejects or f"{file.path}.rejects.csv"), file.headings)
    run = Run(file, importer, rejects, is_check=options.check)
    run.go()
    run.tell()
    return 0


def _street(code: str | None) -> int | None:
    if not code:
        return None
    found = Street.objects.filter(code9=code).values_list("pk", flat=True).first()
    if found is None:
        raise Unreadable(_("没有代码为“%(code)s”的街道") % {"code": code})
    return int(found)


@dataclass
class Rejects:
    """The file of rows that were not taken or need a look: line, why, and the row as it was. Made at the first such row."""

    path: Path
    headings: list[str]
    file: IO[str] | None = None
    count: int = 0

    def add(self, row: RawRow, why: str) -> None:
        """One row; nothing in it can run in a spreadsheet."""
        if self.file is None:
            self.file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self.file).writerow([_("行"), _("原因"), *map(plain_cell, self.headings), _("其余内容")])
        cells = [row.cells.get(heading, "") for heading in self.headings]
        rest = "; ".join(value for key, value in row.cells.items() if key not in self.headings)
        csv.writer(self.file).writerow([row.line, why, *map(plain_cell, cells), plain_cell(rest)])
        self.count += 1

    def close(self) -> None:
        """Nothing to write: an older file of that name goes, so that nobody works through it again."""
        if self.file:
            self.file.close()
        else:
            self.path.unlink(missing_ok=True)


@dataclass
class Run:
    """One run: batches through the importer, what was refused into the rejects, progress on the terminal."""

    file: OrderFile
    importer: Importer
    rejects: Rejects
    is_check: bool = False
    read: int = 0
    refused: int = 0
    sum: Outcome = field(default_factory=Outcome)
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def go(self) -> None:
        """All rows."""
        rows = self.file.rows()
        try:
            while batch := list(islice(rows, BATCH)):
                self._take(batch)
                self._progress()
        finally:
            self.rejects.close()

    def _take(self, batch: list[RawRow]) -> None:
        self.read += len(batch)
        by_line = {raw.line: raw for raw in batch}
        orders = list(self._orders(batch))
        done = self.importer.try_out(orders) if self.is_check else self.importer.store(orders)
        for line, why in (*done.rejects, *done.looks):
            self.rejects.add(by_line[line], why)
        self.refused += len(done.rejects)
        done.rejects, done.looks = [], done.looks[:0]
        self.sum.add(done)

    def _orders(self, batch: list[RawRow]) -> Iterator[Row]:
        for raw in batch:
            try:
                if raw.fault:
                    raise BadRow(raw.fault)
                yield Row(raw.line, order_of(self.importer.given, raw.cells))
            except BadRow as bad:
                self.rejects.add(raw, str(bad))
                self.refused += 1

    def _progress(self) -> None:
        """A line that is written over, twice a second; into a file or a pipe, a line in ten seconds."""
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if now - self.told < (0.5 if is_terminal else 10):
            return
        self.told = now
        words = self._words(now)
        print(f"\r{words}   " if is_terminal else words, end="" if is_terminal else "\n", file=sys.stderr, flush=True)

    def _words(self, now: float) -> str:
        seconds = max(0.001, now - self.began)
        left = max(0, self.file.about_rows - self.read)
        return _("已读 %(read)d 行，约剩 %(left)d 行，每秒 %(rate)d 行，约需 %(seconds)d 秒") % {
            "read": self.read,
            "left": left,
            "rate": self.read / seconds,
            "seconds": left * seconds / max(1, self.read),
        }

    def tell(self) -> None:
        """The end: every row of the file is in one of the counts."""
        if sys.stderr.isatty():
            print(file=sys.stderr)
        counts: dict[str, Any] = {
            "read": self.read, "new": self.sum.new, "known": self.sum.known, "refused": self.refused,
            "seconds": time.monotonic() - self.began,
        }  # fmt: skip
        if self.is_check:
            print(_("检查完：共 %(read)d 行，可新建 %(new)d 件，已有 %(known)d 件，不收 %(refused)d 行。没有写入。") % counts)
        else:
            print(
                _("导入完：共 %(read)d 行，新建 %(new)d 件，已有 %(known)d 件，不收 %(refused)d 行，用 %(seconds).1f 秒。")
                % counts
            )
        if self.sum.entered:
            print(_("其中 %(n)d 件未结的已进入流程。") % {"n": self.sum.entered})
        if self.rejects.count:
            print(_("不收的和要看的 %(n)d 行在 %(file)s。") % {"n": self.rejects.count, "file": self.rejects.path})
        with suppress(Exception):
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        from jiequ.cases.queries.imports import waiting_count

        if waiting := waiting_count(self.importer.given.source):
            print(_("%(n)d 个词还没有对应，案件已在库里；请在“导入核对”页上归类。") % {"n": waiting})
