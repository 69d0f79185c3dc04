"""What every change of a map does: audit row, new token, index forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from jiequ.core import audit
from jiequ.core.ids import new_token
from jiequ.people.rules import Actor

from ..models import MapVersion
from ..queries import forget


def changed(street_id: int, at: datetime) -> None:
    """Gives the street's map a new token, in the caller's transaction: every process reloads within a second."""
    row = MapVersion(street_id=street_id, token=new_token(), changed_at=at)
    MapVersion.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["street"], update_fields=["token", "changed_at"]
    )
    forget()
    transaction.on_commit(forget)


def record(
    by: Actor,
    street_id: int,
    at: datetime,
    action: str,
    kind: str,
    object_id: int | str,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """The audit row of a change to the map: ids, codes and counts only."""
    audit.record(
        street_id=street_id,
        person_id=by.person_id,
        action=f"grid.{action}",
        object_kind=kind,
        object_id=object_id,
        at=at,
        facts=facts,
    )
