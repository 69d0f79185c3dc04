"""The administrator's test of another server: its services and its newest requests, kept for mapping and preview."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jiequ.core.db import writing

from .. import foreign
from ..models import Partner, Run
from ..talk import Talk, Trouble
from .pulling import Round, close_round

SAMPLES, MOST_SERVICES = 10, 500


def examine(partner: Partner, *, at: datetime, ended_at: datetime | None = None) -> Run:
    """Read its service list and a page of requests. What was read before stays where it cannot be."""
    this, talk = Round(partner, at), Talk(partner)
    try:
        services = [_service(row) for row in talk.get("services")][:MOST_SERVICES]
        services = [one for one in services if one["code"]]
        this.counts["services"] = len(services)
        samples = [_sample(row) for row in talk.get("requests", page_size=str(SAMPLES))[:SAMPLES]]
        this.counts["samples"] = len(samples)
    except Trouble as trouble:
        this.error, this.detail = trouble.code, trouble.detail
    else:
        with writing():
            Partner.objects.filter(pk=partner.pk).update(services=services, samples=samples, tested_at=at)
    return close_round(this, "test", ended_at or at)


def _service(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": foreign.text(row, "service_code")[:100],
        "name": foreign.text(row, "service_name")[:200],
        "group": foreign.text(row, "group")[:100],
        "is_asking": foreign.text(row, "metadata").lower() == "true",
    }


def _sample(row: dict[str, Any]) -> dict[str, str]:
    return {
        "id": foreign.text(row, "service_request_id")[:100],
        "code": foreign.text(row, "service_code")[:100],
        "name": foreign.text(row, "service_name")[:100],
        "status": foreign.text(row, "status")[:20],
    }
