"""A backup taken while others write is whole, and comes back; what is not whole, or not empty, is refused."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from jiequ.channels.arrivals.services import incoming_of, receive
from jiequ.core import audit
from jiequ.core.models import Counter, Street
from jiequ.core.verdict import heads_folder
from jiequ.web.cli import backup
from tests.environment import ON_POSTGRESQL

ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def installation(settings: Any, tmp_path: Path) -> Path:
    """A street with a sealed audit, a head outside, two pictures; returns the folder for backups."""
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "var" / "media"
    street = Street.objects.create(code9="990106001", prefix="LG", name_zh="示例街道")
    for number in range(3):
        audit.record(street_id=street.pk, person_id=None, action="x.y", object_kind="x", object_id=str(number), at=AT, facts={})
    audit.seal_all(at=AT + timedelta(minutes=1))
    audit.write_head(at=AT + timedelta(minutes=2))
    (tmp_path / "var" / "media" / "ab").mkdir(parents=True)
    (tmp_path / "var" / "media" / "ab" / "one.jpg").write_bytes(b"1" * 100)
    (tmp_path / "var" / "media" / "two.jpg").write_bytes(b"2" * 100)
    assert list(heads_folder().iterdir())
    return tmp_path / "backups"


def elsewhere(tmp_path: Path) -> dict[str, str]:
    """The settings of an empty installation on another disk."""
    env = {"JIEQU_VAR": str(tmp_path / "elsewhere")}
    if not ON_POSTGRESQL:
        return env | {"DATABASE_URL": f"sqlite:///{tmp_path / 'elsewhere' / 'jiequ.sqlite3'}"}
    import psycopg

    name = "jiequ_restored"
    with psycopg.connect(host=connection.settings_dict["HOST"], user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} OWNER jiequ_owner")
    ours = f"/{connection.settings_dict['NAME']}?"
    urls = {key: os.environ[key].replace(ours, f"/{name}?") for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    return env | urls


def cli(env: dict[str, str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jiequ.web.cli", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=os.environ | env, capture_output=True, text=True)


def test_a_backup_comes_back_into_an_empty_place_and_is_proved(installation: Path, tmp_path: Path) -> None:
    folder = backup.make(installation, at=AT).folder
    env = elsewhere(tmp_path)
    done = cli(env, "restore", folder)
    assert done.returncode == 0, done.stderr
    assert "已封 3 条" in done.stdout
    assert (tmp_path / "elsewhere" / "media" / "ab" / "one.jpg").read_bytes() == b"1" * 100
    again = cli(env, "restore", folder)
    assert again.returncode == 1
    assert "不会覆盖" in again.stderr


@pytest.mark.sqlite
def test_the_inbox_of_callbacks_comes_back_too(installation: Path, tmp_path: Path) -> None:
    push = incoming_of("play", "wx1", {"FromUserName": "a", "CreateTime": "1772589600", "MsgType": "text", "MsgId": "1"})
    receive(push, timestamp="1772589600", nonce="1", at=AT)
    folder = backup.make(installation, at=AT).folder
    env = elsewhere(tmp_path)
    assert cli(env, "restore", folder).returncode == 0
    with closing(sqlite3.connect(tmp_path / "elsewhere" / "jiequ-arrivals.sqlite3")) as inbox:
        assert inbox.execute("SELECT channel, state FROM arrivals_arrival").fetchall() == [("play", "waiting")]
    inbox_copy = folder / backup.INBOX_FILE
    inbox_copy.write_bytes(inbox_copy.read_bytes()[:-1] + b"x")
    shutil.rmtree(tmp_path / "elsewhere")
    assert "改动或损坏" in cli(env, "restore", folder).stderr


def test_what_comes_back_still_only_grows(installation: Path, tmp_path: Path) -> None:
    env = elsewhere(tmp_path)
    assert cli(env, "restore", backup.make(installation, at=AT).folder).returncode == 0
    code = (
        "import django; django.setup()\nfrom jiequ.core.models import AuditEntry\nfrom jiequ.web.cli import checks\n"
        "from jiequ.core import clock\nprint([f.words for f in checks.audit_rights(clock.now())])\n"
        "AuditEntry.objects.all().delete()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | env, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert "denied" in done.stderr or "only ever added" in done.stderr


def test_a_backup_that_was_changed_is_refused(installation: Path, tmp_path: Path) -> None:
    folder = backup.make(installation, at=AT).folder
    file = folder / json.loads((folder / "manifest.json").read_text())["database"]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = cli(elsewhere(tmp_path), "restore", folder)
    assert done.returncode == 1
    assert "改动或损坏" in done.stderr


def test_a_backup_that_was_broken_off_is_none(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_paths: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(backup, "copy_files", full)
    with pytest.raises(OSError, match="no space"):
        backup.make(installation, at=AT)
    assert not backup.backups_in(installation)
    assert not list(installation.iterdir())


def test_pictures_of_the_backup_before_are_linked_and_the_newest_comes_first(installation: Path) -> None:
    first, second = backup.make(installation, at=AT), backup.make(installation, at=AT + timedelta(days=1))
    assert [found.folder for found in backup.backups_in(installation)] == [second.folder, first.folder]
    one, two = (found.folder / "media" / "two.jpg" for found in (first, second))
    assert one.stat().st_ino == two.stat().st_ino


def test_only_the_newest_are_kept(installation: Path) -> None:
    for day in range(3):
        backup.make(installation, at=AT + timedelta(days=day))
    env = {"JIEQU_VAR": str(installation.parent / "var")}
    assert cli(env, "backup", "--to", installation, "--keep", "2").returncode == 0
    assert len(backup.backups_in(installation)) == 2


@pytest.mark.sqlite
def test_a_copy_taken_between_writes_holds_every_acknowledged_row_and_a_plain_file_copy_does_not(tmp_path: Path) -> None:
    """Broken twin: copying the file leaves behind what still lies in the write-ahead log."""
    source = Path(connection.settings_dict["NAME"])
    connection.ensure_connection()
    connection.connection.execute("PRAGMA wal_autocheckpoint = 0")
    Counter.objects.bulk_create(Counter(name=f"row {number}") for number in range(50))

    def rows(file: Path) -> int:
        with closing(sqlite3.connect(file)) as reader:
            return int(reader.execute("SELECT COUNT(*) FROM core_counter WHERE name LIKE 'row %'").fetchone()[0])

    backup.copy_sqlite(source, tmp_path / "good")
    shutil.copy(source, tmp_path / "bad")
    assert rows(tmp_path / "good") == 50
    assert rows(tmp_path / "bad") < 50


@pytest.mark.postgresql
def test_a_pg_dump_older_than_the_server_is_refused(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 12.3'\n")
    old.chmod(0o755)
    monkeypatch.setenv("JIEQU_POSTGRESQL_PROGRAMS", str(old.parent))
    with pytest.raises(backup.postgresql.Unusable, match="12"):
        backup.make(installation, at=AT)
