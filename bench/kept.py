"""The year of cases of ``bench/year.py``, written once a day and kept in the temporary folder for the next run (SQLite only).

A kept file is the database as it was right after the fill. What made it stands in its name, so a changed migration, year or
demonstration makes a new one, and so does another day: the cases lie at distances from now. PostgreSQL fills each time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from django.db import connection, connections
from django.utils import timezone

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(tempfile.gettempdir()) / "jiequ-bench"
MAKERS = (
    *("bench/year.py", "bench/filling.py", "jiequ/*/migrations/*.py", "jiequ/*/*/migrations/*.py"),
    *("jiequ/web/demo/*.py", "jiequ/grid/demo/*.py", "jiequ/cases/catalogue*"),
)


def year_of(cases: int) -> str:
    """``cases`` cases in the demonstration's district; says how they came."""
    from bench import year
    from jiequ.web.demo.base import seed_base

    began, file = time.perf_counter(), _file(cases)
    if connection.vendor == "sqlite" and file.exists():
        _put(file)
        return f"{cases:,} cases, kept from an earlier run"
    seed_base(timezone.now())
    year.fill(cases, timezone.now())
    took = time.perf_counter() - began
    if connection.vendor == "sqlite":
        _keep(file)
    return f"{cases:,} cases written in {took:.0f} s"


def _file(cases: int) -> Path:
    made = hashlib.sha256()
    for pattern in MAKERS:
        for source in sorted(ROOT.glob(pattern)):
            if source.is_file():
                made.update(source.read_bytes())
    return FOLDER / f"year-{cases}-{timezone.localdate():%Y%m%d}-{made.hexdigest()[:12]}.sqlite3"


def _put(file: Path) -> None:
    """The kept file in place of this run's empty database."""
    name = connection.settings_dict["NAME"]
    connections.close_all()
    for rest in ("-wal", "-shm"):
        Path(f"{name}{rest}").unlink(missing_ok=True)
    shutil.copyfile(file, name)


def _keep(file: Path) -> None:
    """A copy for later; what an older day or older code left with as many cases goes."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connections.close_all()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob(f"year-{file.name.split('-')[1]}-*"):
        old.unlink()
    half = file.with_suffix(f".{os.getpid()}")  # two runs at once: the last one whole stays
    shutil.copyfile(name, half)
    half.rename(file)
