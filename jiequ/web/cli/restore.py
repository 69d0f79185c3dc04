"""``./run restore``: a backup into an empty place, then proof: integrity, rows counted, pictures counted, audit chains."""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils.translation import gettext as _

from jiequ.channels.arrivals import router
from jiequ.core.verdict import heads_folder
from jiequ.web.cli import audit_check, backup, postgresql, ready
from jiequ.web.cli.migrate import as_owner, grant
from jiequ.web.cli.terminal import speak


class Refused(Exception):
    """Why nothing was restored, or why what was restored cannot be trusted."""


def main(options: argparse.Namespace) -> int:
    """Restore and prove; exit status 1 with a sentence otherwise."""
    speak()
    folder = Path(options.backup).resolve()
    try:
        manifest = read_manifest(folder)
        refuse_unless_empty()
        put_back(folder, manifest)
        prove(manifest)
    except (Refused, postgresql.Unusable, sqlite3.Error, OSError) as fault:
        print(_("没有恢复：%(fault)s") % {"fault": fault}, file=sys.stderr)
        return 1
    print(_("已恢复 %(made_at)s 的备份，数据完整。") % {"made_at": manifest["made_at"]})
    if pending := ready.pending_migrations():
        print(_("备份来自较早的版本，还要运行 ./run migrate（%(count)d 步）。") % {"count": pending})
    return audit_check.main(options)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the backup says of itself; refuses one that is not whole or was changed."""
    file = folder / "manifest.json"
    if not file.exists():
        raise Refused(_("%(folder)s 不是完整的备份（没有 manifest.json）") % {"folder": folder})
    manifest: dict[str, Any] = json.loads(file.read_text())
    for copied in filter(None, (manifest, manifest.get("inbox"))):
        database = folder / copied["database"]
        if not database.exists() or backup.sha256(database) != copied["sha256"]:
            raise Refused(_("备份里的数据库和清单对不上，它被改动或损坏了"))
    is_sqlite = manifest["database"] == backup.SQLITE_FILE
    if is_sqlite != (connection.vendor == "sqlite"):
        raise Refused(_("备份和 DATABASE_URL 不是同一种数据库"))
    return manifest


def refuse_unless_empty() -> None:
    """Nothing is ever overwritten: an old database or pictures have to be moved away by hand first."""
    if connection.vendor == "sqlite":
        for file in (Path(connections[alias].settings_dict["NAME"]) for alias in connections):
            if any(file.with_name(file.name + end).exists() for end in ("", "-wal", "-journal")):
                raise Refused(_("%(place)s 已经有内容，请先移走（不会覆盖任何东西）") % {"place": file})
    elif not postgresql.is_empty():
        raise Refused(_("%(place)s 已经有内容，请先移走（不会覆盖任何东西）") % {"place": connection.settings_dict["NAME"]})
    for place in (Path(settings.MEDIA_ROOT), heads_folder()):
        if any(backup.files_under(place)):
            raise Refused(_("%(place)s 已经有内容，请先移走（不会覆盖任何东西）") % {"place": place})


def put_back(folder: Path, manifest: dict[str, Any]) -> None:
    """Databases, pictures, heads. A file gets its name only when it is whole."""
    source = folder / manifest["database"]
    if connection.vendor == "sqlite":
        _put_file(source, Path(connection.settings_dict["NAME"]))
        if inbox := manifest.get("inbox"):
            _put_file(folder / inbox["database"], Path(connections[router.ALIAS].settings_dict["NAME"]))
    else:
        postgresql.restore(source)
        with as_owner():
            grant()
    backup.copy_files(folder / "media", Path(settings.MEDIA_ROOT), None)
    backup.copy_files(folder / "audit-heads", heads_folder(), None)


def _put_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.copy(source, partial)
    partial.rename(target)


def prove(manifest: dict[str, Any]) -> None:
    """Integrity and the counts of the manifest."""
    pictures = sum(1 for _file in backup.files_under(Path(settings.MEDIA_ROOT)))
    if pictures != manifest["pictures"]:
        facts = {"found": pictures, "expected": manifest["pictures"]}
        raise Refused(_("照片文件是 %(found)d 个，备份时是 %(expected)d 个") % facts)
    if connection.vendor != "sqlite":
        return
    _prove_file(Path(connection.settings_dict["NAME"]), manifest["rows"])
    if inbox := manifest.get("inbox"):
        _prove_file(Path(connections[router.ALIAS].settings_dict["NAME"]), inbox["rows"])


def _prove_file(file: Path, rows: dict[str, int]) -> None:
    if found := backup.damage(file):
        raise Refused(_("恢复出来的数据库不完整：%(found)s") % {"found": found})
    if backup.count_rows(file) != rows:
        raise Refused(_("恢复出来的行数和备份时不同"))
