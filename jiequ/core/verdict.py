"""Reading an audit chain again from the beginning: is every entry still what it was when it was sealed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db.models import Min

from .chain import GENESIS, chain_of, content_of, link
from .models import AuditEntry, AuditSeal

AT_ONCE = 900
MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that is wrong: changed, entry_missing, seal_missing, cut_off, rewritten or head_unreadable."""

    kind: str
    seq: int
    entry_id: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``verify`` found in one chain. ``unsealed_tail`` is normal for 2 s; ``unsealed_since`` says since when."""

    chain: int
    sealed: int
    unsealed_tail: int
    unsealed_since: datetime | None
    heads_compared: int
    last_head_seq: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True if nothing was changed, removed or rewritten."""
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        """The finding with the lowest number in the chain."""
        return min(self.findings, key=lambda finding: finding.seq, default=None)


@dataclass(slots=True)
class _Heads:
    """The heads of one chain that were written outside: by number, each (hash, file)."""

    by_seq: dict[int, set[tuple[str, str]]] = field(default_factory=dict)
    unreadable: list[Finding] = field(default_factory=list)


def heads_folder() -> Path:
    """Where heads are written: JIEQU_VAR/audit-heads."""
    return Path(settings.VAR) / "audit-heads"


def verify(street_id: int | None, *, folder: Path | None = None) -> Verdict:
    """Recompute the chain of a street (None: the district's) and compare it with every head in ``folder``.

    Give a ``folder`` brought back from another host to find a rewriting by someone who could write this host's files too.
    """
    chain = chain_of(street_id)
    heads = _read_heads(chain, folder or heads_folder())
    findings = list(heads.unreadable)
    previous, last = GENESIS, 0
    for seal, entry in _sealed(chain):
        if seal.seq != last + 1:
            findings.append(Finding("seal_missing", last + 1))
        if entry is None:
            findings.append(Finding("entry_missing", seal.seq, seal.entry_id))
        elif link(previous, chain=chain, seq=seal.seq, content=content_of_entry(entry)) != seal.hash:
            findings.append(Finding("changed", seal.seq, seal.entry_id))
        findings += _compared(heads.by_seq.get(seal.seq, set()), seal)
        previous, last = seal.hash, seal.seq
        if len(findings) > MOST_FINDINGS:
            break
    else:
        findings += [Finding("cut_off", seq, source=f) for seq in heads.by_seq if seq > last for _, f in heads.by_seq[seq]]
    unsealed = AuditEntry.objects.filter(street_id=street_id, auditseal=None)
    return Verdict(
        chain=chain,
        sealed=AuditSeal.objects.filter(chain=chain).count(),
        unsealed_tail=unsealed.count(),
        unsealed_since=unsealed.aggregate(since=Min("at"))["since"],
        heads_compared=sum(len(hashes) for hashes in heads.by_seq.values()),
        last_head_seq=max(heads.by_seq, default=0),
        findings=tuple(findings[: MOST_FINDINGS + 1]),
    )


def content_of_entry(entry: AuditEntry) -> bytes:
    """The canonical content of a stored entry."""
    return content_of(
        entry_id=entry.pk,
        street_id=entry.street_id,
        person_id=entry.person_id,
        action=entry.action,
        object_kind=entry.object_kind,
        object_id=entry.object_id,
        at=entry.at,
        facts=entry.facts,
    )


def _sealed(chain: int) -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    """Every seal of the chain in order, with its entry if that still exists."""
    seals = AuditSeal.objects.filter(chain=chain).order_by("seq").iterator(chunk_size=AT_ONCE)
    while portion := list(islice(seals, AT_ONCE)):
        entries = AuditEntry.objects.in_bulk([seal.entry_id for seal in portion])
        for seal in portion:
            yield seal, entries.get(seal.entry_id)


def _compared(expected: set[tuple[str, str]], seal: AuditSeal) -> list[Finding]:
    return [Finding("rewritten", seal.seq, seal.entry_id, file) for digest, file in expected if digest != seal.hash]


def _read_heads(chain: int, folder: Path) -> _Heads:
    heads = _Heads()
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                head = json.loads(line)
                here, seq, digest = int(head["chain"]), int(head["seq"]), str(head["hash"])
            except (ValueError, KeyError, TypeError):
                heads.unreadable.append(Finding("head_unreadable", 0, source=file.name))
                continue
            if here == chain:
                heads.by_seq.setdefault(seq, set()).add((digest, file.name))
    return heads
