"""Ways to change history as the database's owner could, with the triggers dropped: for the test and the long benchmark."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from jiequ.core import audit, insert_only
from jiequ.core.chain import GENESIS, link
from jiequ.core.models import AuditEntry, AuditSeal
from jiequ.core.verdict import content_of_entry
from tests.actors import NOW

STREET = 7
ENTRIES, ANCHORED = 60, 50


@contextmanager
def sealed_chain(folder: Path) -> Iterator[None]:
    """ENTRIES sealed entries, a head written to ``folder`` after ANCHORED of them; undone at the end."""
    with transaction.atomic():
        for number in range(1, ENTRIES + 1):
            audit.record(
                street_id=STREET,
                person_id=3,
                action="case.dispatch",
                object_kind="case",
                object_id=number,
                at=NOW + timedelta(seconds=number),
                facts={"number": number},
            )
            if number == ANCHORED:
                audit.seal_pending(at=NOW)
                audit.write_head(at=NOW, folder=folder)
        audit.seal_pending(at=NOW)
        yield
        transaction.set_rollback(True)


@contextmanager
def unprotected() -> Iterator[None]:
    """As the database's owner with the triggers dropped; all of it is undone at the end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            for name in sorted(insert_only._names(connection.vendor)):
                table = name.split("_no_")[0]
                cursor.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))
        yield
        transaction.set_rollback(True)


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def edit_entry(dice: random.Random, seq: int) -> None:
    """Change one column of one entry."""
    column, value = dice.choice(
        [
            ("action", "'case.close'"),
            ("object_id", "'99999'"),
            ("object_kind", "'person'"),
            ("person_id", "4711"),
            ("person_id", "NULL"),
            ("street_id", "NULL"),
            ("facts", "'{\"number\": -1}'"),
            ("at", "'2020-01-01 00:00:00+00'" if connection.vendor == "postgresql" else "'2020-01-01 00:00:00'"),
        ]
    )
    execute(
        f"UPDATE core_auditentry SET {column} = {value} "
        "WHERE id = (SELECT entry_id FROM core_auditseal WHERE chain = %s AND seq = %s)",
        STREET,
        seq,
    )


def edit_seal(dice: random.Random, seq: int) -> None:
    execute("UPDATE core_auditseal SET hash = %s WHERE chain = %s AND seq = %s", f"{dice.getrandbits(256):064x}", STREET, seq)


def swap_entries(dice: random.Random, seq: int) -> None:
    """Let two seals point at each other's entries."""
    other = seq % ANCHORED + 1
    here, there = (AuditSeal.objects.get(chain=STREET, seq=number).entry_id for number in (seq, other))
    for old, new in ((here, -1), (there, here), (-1, there)):
        execute("UPDATE core_auditseal SET entry_id = %s WHERE entry_id = %s", new, old)


def delete_entry(dice: random.Random, seq: int) -> None:
    execute(
        "DELETE FROM core_auditentry WHERE id = (SELECT entry_id FROM core_auditseal WHERE chain = %s AND seq = %s)",
        STREET,
        seq,
    )


def delete_middle(dice: random.Random, seq: int) -> None:
    """Remove entries with their seals."""
    for number in range(seq, seq + dice.randint(1, 3)):
        delete_entry(dice, number)
        execute("DELETE FROM core_auditseal WHERE chain = %s AND seq = %s", STREET, number)


def cut_tail(dice: random.Random, seq: int) -> None:
    """Remove everything from here to the end: the chain that remains is perfect."""
    for number in range(seq, ENTRIES + 1):
        delete_entry(dice, number)
        execute("DELETE FROM core_auditseal WHERE chain = %s AND seq = %s", STREET, number)


def rewrite(dice: random.Random, seq: int) -> None:
    """Change an entry and compute all hashes anew: the chain is perfect again."""
    edit_entry(dice, seq) if dice.random() < 0.5 else delete_and_close_up(seq)
    recompute()


def delete_and_close_up(seq: int) -> None:
    delete_entry(random.Random(0), seq)
    execute("DELETE FROM core_auditseal WHERE chain = %s AND seq = %s", STREET, seq)
    for number in range(seq + 1, ENTRIES + 1):
        execute("UPDATE core_auditseal SET seq = %s WHERE chain = %s AND seq = %s", number - 1, STREET, number)


def recompute() -> None:
    previous = GENESIS
    for seal in AuditSeal.objects.filter(chain=STREET).order_by("seq"):
        previous = link(
            previous, chain=STREET, seq=seal.seq, content=content_of_entry(AuditEntry.objects.get(pk=seal.entry_id))
        )
        execute("UPDATE core_auditseal SET hash = %s WHERE entry_id = %s", previous, seal.entry_id)


TAMPERINGS: list[Callable[[random.Random, int], None]] = [
    edit_entry,
    edit_seal,
    swap_entries,
    delete_entry,
    delete_middle,
    cut_tail,
    rewrite,
]


def found(times: int, folder: Path, tamperings: list[Callable[[random.Random, int], None]]) -> int:
    """How many of ``times`` random tamperings before the head ``verify`` finds."""
    dice, count = random.Random(20260304), 0
    for _ in range(times):
        tamper, seq = dice.choice(tamperings), dice.randint(1, ANCHORED)
        with unprotected():
            tamper(dice, seq)
            count += not audit.verify(STREET, folder=folder).ok
    return count
