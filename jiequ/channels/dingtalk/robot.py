"""The robot's own address: one call, its answer as one word."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import httpx
from django.conf import settings

from . import rules

SECONDS = 8.0


class Said(StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    LIMITED = "limited"
    REFUSED = "refused"
    LATER = "later"


def say(body: dict[str, object], *, at: datetime) -> tuple[Said, str]:
    """Post one message; what became of it and a class of failure, never the other side's words. Raises nothing."""
    query = {"access_token": settings.DINGTALK_TOKEN}
    if settings.DINGTALK_SECRET:
        stamp = int(at.timestamp() * 1000)
        query |= {"timestamp": str(stamp), "sign": rules.sign(settings.DINGTALK_SECRET, stamp)}
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            answer = client.post(f"{settings.DINGTALK_API}/robot/send", params=query, json=body)
        if answer.status_code != 200:
            return Said.LATER, f"http_{answer.status_code}"
        code = int(answer.json()["errcode"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Said.LATER, type(error).__name__
    if code == 0:
        return Said.TAKEN, ""
    if code == rules.LIMITED:
        return Said.LIMITED, "limited"
    return (Said.REFUSED if code in rules.FOR_GOOD else Said.LATER), f"errcode_{code}"
