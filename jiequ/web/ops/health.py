"""``/healthz``: can this process serve pages? ``/metrics``: what an operator should be woken for."""

from __future__ import annotations

import hmac
from functools import cache
from ipaddress import ip_address

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from jiequ.core import clock, jobs
from jiequ.core.errors import Forbidden
from jiequ.people.access import public

from . import metrics

LATE_SECONDS = 120


@public
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while pages can be served, else 503. Late jobs make it "degraded", not down: taking pages away helps nobody."""
    found = health()
    return JsonResponse(found, status=503 if found["status"] == "down" else 200, headers={"Cache-Control": "no-store"})


def health() -> dict[str, object]:
    """What ``/healthz`` says; nothing in it helps a stranger."""
    try:
        lacking = len(_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())
        waiting = jobs.oldest_age_seconds(clock.now())
    except DatabaseError:
        return {"status": "down", "database": "unreachable"}
    if lacking:
        return {"status": "down", "database": "of another version", "migrations_lacking": lacking}
    is_late = waiting > LATE_SECONDS
    return {
        "status": "degraded" if is_late else "ok",
        "database": "ok",
        "jobs": "late" if is_late else "ok",
        "oldest_due_job_seconds": round(waiting),
    }


@cache
def _known_migrations() -> set[tuple[str, str]]:
    """The migrations of this code, read from its folders once."""
    return set(MigrationLoader(None).disk_migrations)


@public
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for the holder of JIEQU_METRICS_TOKEN or for a direct request from this computer."""
    if not may_scrape(request):
        raise Forbidden("metrics_closed", "metrics need the token of JIEQU_METRICS_TOKEN")
    return HttpResponse(metrics.text(clock.now()), content_type="text/plain; version=0.0.4; charset=utf-8")


def may_scrape(request: HttpRequest) -> bool:
    """A proxy on this computer also connects from loopback, so a forwarded request needs the token."""
    expected, given = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
    if given:
        return bool(expected) and hmac.compare_digest(given.encode(), f"Bearer {expected}".encode())
    is_forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return not is_forwarded and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
