"""Health, metrics and logs, as an operator and as a stranger meet them."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from jiequ.core import clock, jobs
from jiequ.core.models import Job
from jiequ.web.ops.logs import JsonLines

pytestmark = pytest.mark.django_db


def metrics(client: Client, **headers: Any) -> Any:
    return client.get("/metrics", **headers)


def test_a_healthy_installation_says_so(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_late_jobs_degrade_but_do_not_take_the_pages_away(client: Client) -> None:
    Job.objects.create(kind="x", due_at=clock.now() - timedelta(minutes=5), run_at=clock.now() + timedelta(hours=1))
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["oldest_due_job_seconds"] >= 300


def test_a_database_of_another_version_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["migrations_lacking"] > 5


def test_metrics_count_jobs_by_kind_and_state(client: Client) -> None:
    now = clock.now()
    jobs.enqueue(jobs.JobSpec("a.kind", {}, now + timedelta(days=1)), jobs.JobSpec("a.kind", {}, now - timedelta(seconds=9)))
    Job.objects.create(kind="b.kind", due_at=now, run_at=now, dead_at=now)
    text = metrics(client).content.decode()
    assert 'jiequ_jobs{kind="a.kind",state="waiting"} 1\n' in text
    assert 'jiequ_jobs{kind="a.kind",state="due"} 1\n' in text
    assert 'jiequ_jobs{kind="b.kind",state="dead"} 1\n' in text
    age = next(line for line in text.splitlines() if line.startswith('jiequ_job_oldest_due_seconds{kind="a.kind"}'))
    assert float(age.split()[1]) >= 9


@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_AUTHORIZATION": "Bearer wrong"},
        {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_a_stranger_reads_no_metrics(client: Client, settings: Any, headers: dict[str, str]) -> None:
    settings.METRICS_TOKEN = "right"
    assert metrics(client, **headers).status_code == 403


def test_the_token_opens_metrics_from_anywhere(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "right"
    headers = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "Bearer right"}
    assert metrics(client, **headers).status_code == 200


def test_without_a_token_set_an_empty_one_opens_nothing(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert metrics(client, HTTP_AUTHORIZATION="Bearer ").status_code == 403


def test_a_request_is_logged_by_its_route_and_never_by_its_address(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cret-" + "t" * 40
    with caplog.at_level(logging.INFO):
        client.get(f"/{secret}?phone=13800138000")
        client.get("/")
    lines = [JsonLines().format(record) for record in caplog.records]
    assert [json.loads(line)["status"] for line in lines if json.loads(line)["event"] == "request"] == [404, 200]
    assert not any(secret in line or "13800138000" in line for line in lines)


def test_an_error_is_logged_with_its_place_and_without_what_people_wrote() -> None:
    try:
        raise ValueError("phone 13800138000 of zhou@example.org, link " + "A" * 43)
    except ValueError as error:
        record = logging.LogRecord(
            "jiequ.x", logging.ERROR, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
        )
    line = json.loads(JsonLines().format(record))
    assert line["error"].startswith("ValueError")
    assert "test_operations.py" in line["where"][0]
    assert not any(word in line["error"] for word in ("13800138000", "zhou@", "AAAA"))
