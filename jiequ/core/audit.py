"""Who did what to which thing: insert-only rows, sealed into a hash chain per street, whose head is written outside.

* ``record`` goes in unchained, in the transaction of the act: moves of different cases never wait for a common chain head.
* ``seal_pending`` (a job, every 2 s) numbers and chains what is new. Chain 0 is the district's: entries without a street.
* ``write_head`` (a job, hourly) appends each chain's head to JIEQU_VAR/audit-heads/DATE.json. A chain alone cannot show a tail
  cut off or a history rewritten as a whole; a head that lies elsewhere can. Copy that folder to another host.
* ``verify`` recomputes a chain and compares it with every head.

Facts never hold personal data, so erasing a person changes no audit row and breaks no chain: they hold codes, numbers, ids and
dates only, and ``record`` refuses anything else. The person is an id; what it stands for is erased elsewhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet
from django.utils import timezone

from .bulk import Inserter, store
from .chain import GENESIS, chain_of, link
from .db import writing
from .kinds import every
from .models import AuditEntry, AuditSeal
from .verdict import Finding, Verdict, content_of_entry, heads_folder, verify

__all__ = ["Entry", "Finding", "Verdict", "heads_folder", "record", "record_many", "seal_pending", "verify", "write_head"]

MOST_PER_PASS = 5000
LATE_COMMITS_WITHIN = 5000

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PERSONAL_KEY = re.compile(r"(^|_)(name|phone|mobile|words|text|address|email|id_card|password|token|secret|otp)(_|$)")
_CODE = re.compile(r"[A-Za-z0-9_.:/+=-]{0,100}")
_LIKE_A_PHONE_OR_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])(?:\+?86-?)?1[3-9]\d{9}(?![0-9A-Za-z])|(?<!\d)\d{17}[\dXx](?![0-9A-Za-z])"
)


def record(
    *,
    street_id: int | None,
    person_id: int | None,
    action: str,
    object_kind: str,
    object_id: int | str,
    at: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry, in the caller's transaction: one INSERT, no read. ``street_id`` None is the district.

    ``facts``: codes, numbers, ids and dates (or lists and mappings of them). Raises ValueError on anything that could be
    personal data: free text, Chinese, phone and identity numbers, keys such as ``name``.
    """
    facts = dict(facts or {})
    _refuse_personal_data(facts)
    entry = AuditEntry(
        street_id=street_id,
        person_id=person_id,
        action=action,
        object_kind=object_kind,
        object_id=str(object_id),
        at=at,
        facts=facts,
    )
    store([entry])


class Entry(NamedTuple):
    """One entry of ``record_many``; the fields are those of ``record``."""

    street_id: int | None
    person_id: int | None
    action: str
    object_kind: str
    object_id: str
    at: datetime
    facts: dict[str, Any]


def record_many(entries: Iterable[Entry]) -> None:
    """Add many entries at once, in the caller's transaction; the same rules for ``facts`` as in ``record``."""
    rows = list(entries)
    for facts in {id(row.facts): row.facts for row in rows}.values():  # many entries may share theirs
        _refuse_personal_data(facts)
    Inserter(AuditEntry, *Entry._fields)(rows)


def _refuse_personal_data(facts: Mapping[str, Any]) -> None:
    for key, value in facts.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key) or _PERSONAL_KEY.search(key):
            raise ValueError(f"audit facts take no key {key!r}")
        if not _is_impersonal(value):
            raise ValueError(f"audit facts take codes, numbers, ids and dates; {key!r} holds something else")


def _is_impersonal(value: Any) -> bool:
    if isinstance(value, Mapping):
        _refuse_personal_data(value)
        return True
    if isinstance(value, list | tuple):
        return all(_is_impersonal(item) for item in value)
    if isinstance(value, str | int) and _LIKE_A_PHONE_OR_ID_CARD.search(str(value)):
        return False
    if isinstance(value, str):
        return bool(_CODE.fullmatch(value))
    return value is None or isinstance(value, bool | int)


@every("core.audit_seal", seconds=2)
def seal_pending(*, at: datetime, late_commits_within: int | None = LATE_COMMITS_WITHIN) -> int:
    """Number and chain what is not yet sealed, in the order of ids; returns how many. Up to 5,000 a pass.

    Ids are given before commits, so an entry may appear behind the newest seal: the last ``late_commits_within`` ids are
    looked through again. The nightly pass (None) looks through all.
    """
    pending = _unsealed()
    if late_commits_within is not None:
        newest = AuditSeal.objects.aggregate(newest=Max("entry_id"))["newest"] or 0
        pending = pending.filter(id__gt=newest - late_commits_within)
    entries = list(pending.order_by("id")[:MOST_PER_PASS])
    if not entries:
        return 0
    with writing():
        heads = {chain: _head(chain) for chain in {chain_of(entry.street_id) for entry in entries}}
        seals = []
        for entry in entries:
            chain = chain_of(entry.street_id)
            seq, previous = heads[chain]
            digest = link(previous, chain=chain, seq=seq + 1, content=content_of_entry(entry))
            seals.append(AuditSeal(entry_id=entry.pk, chain=chain, seq=seq + 1, hash=digest, sealed_at=at))
            heads[chain] = (seq + 1, digest)
        AuditSeal.objects.bulk_create(seals, batch_size=150)
    return len(seals)


@every("core.audit_seal_all", daily_at="02:50")
def seal_all(*, at: datetime) -> None:
    """The nightly pass: an entry whose transaction took very long is sealed too."""
    seal_pending(at=at, late_commits_within=None)


def _unsealed() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(auditseal=None)


def _head(chain: int) -> tuple[int, str]:
    """Number and hash of a chain's newest seal."""
    newest = AuditSeal.objects.filter(chain=chain).order_by("-seq").values_list("seq", "hash").first()
    return newest or (0, GENESIS)


@every("core.audit_head", seconds=3600, outside=True)
def write_head(*, at: datetime, folder: Path | None = None) -> Path:
    """Append every chain's head to ``DATE.json`` (one JSON object a line), forced to disk; returns the file.

    Printed or copied to another host it is the anchor that ``verify`` compares with.
    """
    folder = folder or heads_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{timezone.localtime(at).date().isoformat()}.json"
    chains = AuditSeal.objects.order_by().values_list("chain", flat=True).distinct()
    lines = []
    for chain in sorted(chains):
        seq, digest = _head(chain)
        lines.append(json.dumps({"at": at.isoformat(), "chain": chain, "seq": seq, "hash": digest}) + "\n")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(descriptor, "".join(lines).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return file
