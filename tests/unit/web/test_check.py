"""``./run check`` tells each planted fault, and nothing when there is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from jiequ.core import jobs
from jiequ.core.models import Job
from jiequ.web.cli import checks
from jiequ.web.cli.migrate import as_owner

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)


def words(found: Any) -> str:
    return " | ".join(finding.words for finding in found)


@pytest.mark.parametrize(("hours", "fires"), [(1, False), (25, False), (26, False), (26.1, True), (48, True), (24 * 30, True)])
def test_a_backup_older_than_26_hours_is_told(settings: Any, tmp_path: Path, hours: float, fires: bool) -> None:
    settings.BACKUPS = tmp_path
    (tmp_path / "x").mkdir()
    made_at = (AT - timedelta(hours=hours)).isoformat()
    (tmp_path / "x" / "manifest.json").write_text(json.dumps({"made_at": made_at}))
    assert ("26 小时" in words(checks.backups(AT))) is fires


def test_no_backup_and_a_broken_manifest_are_told(settings: Any, tmp_path: Path) -> None:
    settings.BACKUPS = tmp_path
    assert "没有一份完整的备份" in words(checks.backups(AT))
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.json").write_text("{")
    assert "没有一份完整的备份" in words(checks.backups(AT))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SECRET_KEY", "short", "JIEQU_SECRET_KEY"),
        ("SECRET_KEY", "a" * 60, "JIEQU_SECRET_KEY"),
        ("DATA_KEYS", "k1:" + "00" * 32, "演示用的密钥"),
    ],
)
def test_weak_keys_are_told(settings: Any, name: str, value: str, told: str) -> None:
    settings.SECRET_KEY, settings.DATA_KEYS = "abcdefghijklmnopqrstuvwxyz0123456789" * 2, "k1:" + "1f" * 32
    assert not words(checks.keys(AT))
    setattr(settings, name, value)
    assert told in words(checks.keys(AT))


@pytest.mark.parametrize(
    ("base", "hosts", "proxies", "told"),
    [
        ("https://a.example", ["a.example"], ["127.0.0.1"], ""),
        ("http://a.example", ["a.example"], [], "https"),
        ("https://a.example", ["*"], ["127.0.0.1"], "有 *"),
        ("https://a.example", ["b.example"], ["127.0.0.1"], "没有 a.example"),
        ("https://a.example", ["a.example"], [], "JIEQU_TRUSTED_PROXIES"),
    ],
)
def test_addresses_that_do_not_fit_are_told(settings: Any, base: str, hosts: list[str], proxies: list[str], told: str) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS, settings.TRUSTED_PROXIES = base, hosts, proxies
    found = words(checks.addresses(AT))
    assert told in found
    assert bool(found) is bool(told)


@pytest.mark.django_db
def test_a_database_of_another_version_stops_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    found = words(checks.findings(AT))
    assert "./run migrate" in found
    assert "./run init" not in found


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_database_that_could_lose_acknowledged_writes_is_told() -> None:
    assert not checks.database(AT)
    connection.connection.execute("PRAGMA synchronous = NORMAL")
    try:
        assert "synchronous=1" in words(checks.database(AT))
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
def test_an_account_that_may_change_the_audit_is_told() -> None:
    assert not words(checks.audit_rights(AT))
    with as_owner():
        assert "可以修改 core_auditentry" in words(checks.audit_rights(AT))


@pytest.mark.django_db
def test_jobs_that_nobody_works_and_jobs_given_up_are_told() -> None:
    assert "任务" not in words(checks.work(AT))
    jobs.enqueue(jobs.JobSpec("a.kind", {}, AT - timedelta(minutes=9)))
    Job.objects.create(kind="b.kind", due_at=AT, run_at=AT, dead_at=AT)
    found = words(checks.work(AT))
    assert "等了 9 分钟" in found
    assert "1 个任务多次失败" in found


@pytest.mark.django_db
def test_an_installation_without_street_and_administrators_is_told() -> None:
    found = words(checks.people(AT))
    assert "还没有街道" in found
    assert found.count("没有在任的") == 3


def test_the_notice_of_next_year_is_asked_for_from_november(db: None) -> None:
    assert "2027" not in words(checks.work_calendar(datetime(2026, 10, 31, 2, tzinfo=UTC)))
    assert "2027" in words(checks.work_calendar(datetime(2026, 11, 1, 2, tzinfo=UTC)))
