"""The long forms of the reliability proofs of core; the short forms run in ``./run test`` (docs/reliability.md names both).

Row 1 kills a writing process; row 2 counts the syncs of a commit; row 5 lets 20 writers meet; row 6 walks cases at random; row
8 plants a poison row; rows 9 and 10 send notices under kill -9; row 31 tampers with the audit. Beside each the twin that is
broken on purpose (that of row 6 is in tests/unit/cases/test_walk.py).
Run: ``./run bench reliability [--database sqlite] [--scale 1.0] [--only 1 9]``; both databases unless one is named.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.database import begin, machine_line, on_each

Proof = Callable[[float], bool]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1.0: 100 kills, 1,000 walks, 10,000 notices, 1,000 tamperings, 1 minute"
    )
    parser.add_argument("--only", nargs="*", type=int, default=[], help="rows of RELIABILITY.md")
    options = parser.parse_args()
    if not options.database:
        return on_each("bench.reliability", sys.argv[1:])
    database = begin(options.database)
    print(machine_line(), flush=True)
    broken = []
    for row, proof in PROOFS.items():
        if not options.only or row in options.only:
            began = time.monotonic()
            holds = proof(options.scale)
            broken += [] if holds else [row]
            print(f"    {'holds' if holds else 'BROKEN'} ({time.monotonic() - began:.0f} s)", flush=True)
            database.reset()
    print(f"{options.database}: " + (f"broken rows: {broken}" if broken else "every promise held"))
    return 1 if broken else 0


def row_1(scale: float) -> bool:
    """Acknowledged writes and kill -9."""
    from tests import database
    from tests.crash import storms

    found = storms.storm_of_writes(storms.commit_then_acknowledge, kills=int(100 * scale), seed=11)
    database.reset()
    twin = storms.storm_of_writes(storms.acknowledge_then_commit, kills=int(20 * scale) + 5, seed=12)
    print(
        f"row 1: {found.kills} kills, {found.acknowledged} acknowledged, lost {found.lost}, half-written {found.halves}, "
        f"integrity {found.integrity}; twin (answers first): lost {twin.lost} in {twin.kills} kills"
    )
    return (found.lost, found.halves, found.integrity) == (0, 0, "ok") and twin.lost > 0


def row_2(scale: float) -> bool:
    """Syncs to disk per commit (SQLite; strace where it is installed), and the same with synchronous=OFF."""
    from django.db import connection

    if connection.vendor != "sqlite" or not shutil.which("strace"):
        print("row 2: left out (needs SQLite and strace)")
        return True
    commits = int(50 * scale) + 10
    real, twin = syncs("FULL", commits), syncs("OFF", commits)
    print(f"row 2: {real} syncs in {commits} commits with synchronous=FULL; twin (OFF): {twin}")
    return real >= commits and twin == 0


def syncs(mode: str, commits: int) -> int:
    """fsync and fdatasync calls of a process during ``commits`` commits; begin-up and close are not counted."""
    program = (
        "import os, django; django.setup()\n"
        "from django.db import connection\n"
        "from jiequ.core import ids\n"
        "ids.next_value('synced')\n"
        f"connection.cursor().execute('PRAGMA synchronous = {mode}')\n"
        "os.close(os.open('/dev/null', os.O_RDONLY)); os.write(2, b'BEGIN-COUNTING')\n"
        f"[ids.next_value('synced') for _ in range({commits})]\n"
        "os.write(2, b'END-COUNTING'); os._exit(0)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        command = ["strace", "-f", "-e", "trace=fsync,fdatasync,write", "-o", str(trace), sys.executable, "-c", program]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=os.environ)
        during = trace.read_text(errors="replace").split("BEGIN-COUNTING", 1)[1].split("END-COUNTING", 1)[0]
    return during.count("fsync(") + during.count("fdatasync(")


def row_5(scale: float) -> bool:
    """Twenty writers for a while: refusals and waits."""
    from bench.sqlite_writers import with_lock, write
    from tests.support.processes import at_once

    start, seconds = time.time() + 1.0, 60.0 * scale
    shares = at_once(20, lambda number: (with_lock(), write(number, start, start + seconds))[1])
    waits = sorted(wait for share in shares for wait in share.waits_ms)
    p99, refused = waits[int(len(waits) * 0.99)], sum(share.refused for share in shares)
    print(
        f"row 5: 20 writers, {seconds:.0f} s, {len(waits)} commits, refused {refused}, p50 {waits[len(waits) // 2]:.0f} ms, "
        f"p99 {p99:.0f} ms, longest {waits[-1]:.0f} ms"
    )
    return refused == 0 and p99 < 1000


def row_6(scale: float) -> bool:
    """Random walks of a case: after each step clocks, proofs and the one lead are looked at."""
    from django.db import transaction

    from tests.actors import make_world
    from tests.casework import Casework, make_condition
    from tests.walks import TRIES, Walk

    work, made, broken = Casework(make_world(), make_condition()), 0, []
    walks = max(1, int(1000 * scale))
    for seed in range(walks):
        with transaction.atomic():
            walk = Walk(work, seed)
            try:
                for _ in range(45):
                    walk.step()
            except AssertionError as fault:
                broken.append((seed, str(fault)[:120]))
            made += len(walk.done)
            transaction.set_rollback(True)
    print(f"row 6: {walks} walks of 45 tries out of {len(TRIES)} moves, {made} made; promises broken: {broken or 'none'}")
    return not broken


def row_8(scale: float) -> bool:
    """One poison row in a thousand."""
    from jiequ.core import clock, jobs, kinds
    from jiequ.core.models import Counter, Job

    kinds.KINDS.clear()
    jobs.job("note")(lambda *, number, at: Counter.objects.create(name=f"{number}"))
    jobs.job("poison")(lambda *, number, at: 1 // 0)
    now, rows = clock.now(), int(1000 * scale)
    jobs.enqueue(*(jobs.JobSpec("poison" if n == 1 else "note", {"number": n}, now) for n in range(rows)))
    began, cpu = time.perf_counter(), time.process_time()
    while jobs.work_once(at=now):
        pass
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    done, left = Counter.objects.count(), Job.objects.get()
    print(
        f"row 8: {rows} rows with one poisoned: {done} done, the poison visible as {left.last_error!r}; "
        f"{rows / wall:.0f} jobs/s, {used / rows * 1e6:.0f} µs CPU a job"
    )
    return done == rows - 1 and left.failures == 1


def row_9(scale: float) -> bool:
    """Notices under kill -9, one and two workers, and effects in the database."""
    from tests import database
    from tests.crash import storms

    holds = True
    for workers in (1, 2):
        many = int(5000 * scale)
        sent = storms.storm_of_notices(storms.by_lease, notices=many, workers=workers, most_told=40, seed=90 + workers)
        rate = sent.duplicates * 1000 / sent.notices
        print(
            f"row 9: {sent.notices} notices, {workers} workers, {sent.kills} kills: lost {sent.lost}, "
            f"sent twice {rate:.1f} per 1,000"
        )
        holds = holds and sent.lost == 0
        database.reset()
    inside = storms.storm_of_notices(storms.effects_by_lease, notices=int(2000 * scale), workers=2, most_told=2, seed=93)
    done = storms.effects()
    print(f"row 9: {inside.notices} effects in the database, {inside.kills} kills: once each {set(done.values()) == {1}}")
    holds = holds and len(done) == inside.notices and set(done.values()) == {1}
    database.reset()
    twin = storms.storm_of_notices(storms.mark_then_send, notices=int(1000 * scale), workers=1, most_told=10, seed=94)
    print(f"row 9: twin (mark, then send): lost {twin.lost} of {twin.notices} in {twin.kills} kills")
    return holds and twin.lost > 0


def row_31(scale: float) -> bool:
    """Random tamperings of the audit before the last head; and how fast a chain is verified."""
    from jiequ.web.cli.migrate import as_owner
    from tests.support import tampering

    times = int(1000 * scale)
    with tempfile.TemporaryDirectory() as folder, as_owner(), tampering.sealed_chain(Path(folder)):
        found = tampering.found(times, Path(folder), tampering.TAMPERINGS)
        nowhere = Path(folder) / "nowhere"
        missed = 50 - tampering.found(50, nowhere, [tampering.cut_tail, tampering.rewrite])
    sealed, per_second = verified_per_second(int(20_000 * scale))
    print(
        f"row 31: {times} tamperings, found {found}; twin (no head outside): missed {missed} of 50 cut tails and rewritings; "
        f"{sealed} entries verified at {per_second:.0f}/s"
    )
    return found == times and missed == 50


def verified_per_second(entries: int) -> tuple[int, float]:
    """How fast an honest chain is verified."""
    from jiequ.core import audit
    from jiequ.core.models import AuditEntry
    from tests.actors import NOW

    rows: list[Any] = [
        AuditEntry(street_id=1, person_id=1, action="case.accept", object_kind="case", object_id=str(n), at=NOW, facts={"n": n})
        for n in range(entries)
    ]
    AuditEntry.objects.bulk_create(rows, batch_size=1000)
    while audit.seal_pending(at=NOW, late_commits_within=None):
        pass
    began = time.perf_counter()
    verdict = audit.verify(1)
    if not verdict.ok or verdict.sealed != entries:
        raise SystemExit("wrong: an honest chain was not found in order")
    return entries, entries / (time.perf_counter() - began)


PROOFS: dict[int, Proof] = {1: row_1, 2: row_2, 5: row_5, 6: row_6, 8: row_8, 9: row_9, 31: row_31}


if __name__ == "__main__":
    sys.exit(main())
