"""``./run backup``: the database as it was at one moment, the pictures, and the audit's heads, in one dated folder.

The folder gets its name only when it is whole, so the newest folder is always a good one. Keys are not in it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.db.backends.sqlite3._functions import register
from django.utils.translation import gettext as _

from jiequ.channels.arrivals import router
from jiequ.core import clock
from jiequ.core.verdict import heads_folder
from jiequ.web.cli import postgresql
from jiequ.web.cli.terminal import speak

SQLITE_FILE, DUMP_FILE, INBOX_FILE = "database.sqlite3", "database.dump", "arrivals.sqlite3"
NAME = "%Y-%m-%dT%H%M%SZ"


class BackupFailed(Exception):
    """What went wrong, in a sentence for the operator."""


@dataclass(frozen=True)
class Backup:
    """One whole backup: its folder, when it was made, and what its manifest says."""

    folder: Path
    made_at: datetime
    manifest: dict[str, Any]


def main(options: argparse.Namespace) -> int:
    """Make one; exit status 1 with a sentence if it is not whole."""
    speak()
    target = Path(options.to).resolve() if options.to else settings.BACKUPS
    try:
        backup = make(target, at=clock.now())
    except (BackupFailed, postgresql.Unusable, OSError, sqlite3.Error) as fault:
        print(_("备份没有完成：%(fault)s") % {"fault": fault}, file=sys.stderr)
        return 1
    print(_("备份完成：%(folder)s") % {"folder": backup.folder})
    print(_("密钥（JIEQU_DATA_KEYS、JIEQU_BLIND_KEY、JIEQU_SECRET_KEY）不在备份里，请另外保管；没有它们，加密的内容打不开。"))
    for old in backups_in(target)[options.keep :] if options.keep > 0 else []:
        shutil.rmtree(old.folder)
        print(_("已删除旧备份：%(folder)s") % {"folder": old.folder})
    return 0


def make(target: Path, *, at: datetime) -> Backup:
    """A new backup under ``target``. The database comes first: each picture it names is then still among the files. Before it
    comes the inbox of callbacks: what is done in its copy is then in the database's, and nothing falls between the two."""
    folder = target / at.astimezone(UTC).strftime(NAME)
    partial = folder.with_name(folder.name + ".partial")
    if folder.exists():
        raise BackupFailed(_("%(folder)s 已经存在") % {"folder": folder})
    earlier = backups_in(target)
    partial.mkdir(parents=True, mode=0o700)
    try:
        manifest = _copy_all(partial, earlier[0].folder if earlier else None, at)
        (partial / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
        _sync(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Backup(folder, at, manifest)


def _copy_all(folder: Path, earlier: Path | None, at: datetime) -> dict[str, Any]:
    file = folder / (SQLITE_FILE if connection.vendor == "sqlite" else DUMP_FILE)
    inbox = _copy_inbox(folder) if router.is_own_file() else {}
    if connection.vendor == "sqlite":
        copy_sqlite(Path(connection.settings_dict["NAME"]), file)
        counts = count_rows(file)
    else:
        postgresql.dump(file)
        counts = {}
    copy_files(settings.MEDIA_ROOT, folder / "media", earlier / "media" if earlier else None)
    copy_files(heads_folder(), folder / "audit-heads", None)
    return {
        "made_at": at.astimezone(UTC).isoformat(),
        "database": file.name,
        "sha256": sha256(file),
        "rows": counts,
        "inbox": inbox,
        "pictures": sum(1 for _file in files_under(folder / "media")),
    }


def _copy_inbox(folder: Path) -> dict[str, Any]:
    """The second database; an installation that was not migrated yet has none."""
    source, file = Path(connections[router.ALIAS].settings_dict["NAME"]), folder / INBOX_FILE
    if not source.exists():
        return {}
    copy_sqlite(source, file)
    return {"database": file.name, "sha256": sha256(file), "rows": count_rows(file)}


def copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online copy (never a file copy), proved whole. Writers go on meanwhile."""
    if not source.exists():
        raise BackupFailed(_("数据库 %(file)s 不存在") % {"file": source})
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reader, closing(sqlite3.connect(target)) as copy:
        reader.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    found = damage(target)
    if found:
        raise BackupFailed(_("复制出来的数据库不完整：%(found)s") % {"found": found})


def damage(file: Path) -> str:
    """What SQLite finds wrong in a file, pages and constraints; nothing if it is whole."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        register(reader)  # constraints use functions that Django brings
        found = [str(line) for (line,) in reader.execute("PRAGMA integrity_check(5)")]
        found += [f"foreign key of {row[0]} row {row[1]}" for row in reader.execute("PRAGMA foreign_key_check").fetchmany(5)]
    return "; ".join(line for line in found if line != "ok")


def count_rows(file: Path) -> dict[str, int]:
    """Rows of every table of an SQLite file: what a restore is compared with."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        names = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        plain = [name for name in sorted(names) if not name.startswith("sqlite_")]
        return {name: reader.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0] for name in plain}


def copy_files(source: Path, target: Path, earlier: Path | None) -> None:
    """Copy a folder; a file that the backup before holds already (they are named by content) is linked to that one."""
    for file in files_under(source):
        name = file.relative_to(source)
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        same = earlier / name if earlier else None
        try:
            if same and same.stat().st_size == file.stat().st_size:
                os.link(same, copy)
                continue
        except OSError:
            pass
        shutil.copy2(file, copy)


def files_under(folder: Path) -> Iterator[Path]:
    """Every file under a folder; none if there is no such folder."""
    for place, _folders, names in os.walk(folder):
        for name in names:
            yield Path(place) / name


def sha256(file: Path) -> str:
    """The file's hash, hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    """On the disk, not only in memory, before the folder gets its name."""
    for file in files_under(folder):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def backups_in(target: Path) -> list[Backup]:
    """Whole backups, newest first."""
    found = []
    for file in target.glob("*/manifest.json"):
        if file.parent.suffix == ".partial":
            continue
        try:
            manifest = json.loads(file.read_text())
            found.append(Backup(file.parent, datetime.fromisoformat(manifest["made_at"]), manifest))
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)
