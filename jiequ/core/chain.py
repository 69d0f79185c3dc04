"""The arithmetic of the audit chain. Pure: no database, no clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
DISTRICT = 0


def chain_of(street_id: int | None) -> int:
    """The number of a street's chain; entries without a street go to the district's."""
    return DISTRICT if street_id is None else street_id


def content_of(
    *,
    entry_id: int,
    street_id: int | None,
    person_id: int | None,
    action: str,
    object_kind: str,
    object_id: str,
    at: datetime,
    facts: Mapping[str, Any],
) -> bytes:
    """Everything an audit entry says, in one canonical form (JSON, sorted keys, UTC to the microsecond)."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    said = [entry_id, street_id, person_id, action, object_kind, object_id, moment, facts]
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def link(previous_hash: str, *, chain: int, seq: int, content: bytes) -> str:
    """The hash of one entry's place: SHA-256 over the hash before it, the chain, the number and the content."""
    return hashlib.sha256(f"{previous_hash}:{chain}:{seq}:".encode() + content).hexdigest()
