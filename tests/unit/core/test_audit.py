"""The audit: added to only, sealed per street, and nobody can quietly change history before the last head."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from jiequ.core import audit, insert_only
from jiequ.core.chain import GENESIS, link
from jiequ.core.db import writing
from jiequ.core.models import AuditEntry, AuditSeal
from jiequ.core.verdict import content_of_entry
from jiequ.web.cli.migrate import as_owner
from tests.actors import NOW

STREET = 7
ENTRIES, ANCHORED = 60, 50


def record(street_id: int | None = STREET, number: int = 1, /, **facts: Any) -> None:
    audit.record(
        street_id=street_id,
        person_id=3,
        action="case.dispatch",
        object_kind="case",
        object_id=number,
        at=NOW + timedelta(seconds=number),
        facts=facts,
    )


@pytest.mark.django_db
class TestRecording:
    def test_recording_is_one_insert_and_no_read(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            record(department_id=4, reason="outside_duty", due_at="2026-03-04T10:00:00+08:00")

    @pytest.mark.parametrize(
        "facts",
        [
            {"name": "x"},
            {"reporter_phone": 1},
            {"words": "a"},
            {"note": "周大明住在三楼"},
            {"note": "lives on the third floor"},
            {"number": "13800138000"},
            {"number": 13800138000},
            {"card": "11010519491231002X"},
            {"list": ["fine", "不"]},
            {"deep": {"address": "x"}},
            {"ratio": 0.5},
            {"Key": 1},
        ],
    )
    def test_facts_take_nothing_that_could_be_personal(self, facts: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="audit facts take"):
            record(**facts)
        assert not AuditEntry.objects.exists()

    def test_facts_take_codes_numbers_ids_and_dates(self) -> None:
        facts = {
            "from": "accepted",
            "to": None,
            "ids": [1, 2],
            "case": "LG-2026-000123",
            "ok": True,
            "seconds": 86400,
            "f": {"a": 1},
        }
        record(**facts)
        assert AuditEntry.objects.get().facts == facts

    def test_an_act_that_is_rolled_back_leaves_no_entry(self) -> None:
        def act() -> None:
            with writing():
                record()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            act()
        assert not AuditEntry.objects.exists()


@pytest.mark.django_db
class TestInsertOnly:
    @pytest.mark.parametrize("model", [AuditEntry, AuditSeal])
    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_the_orm_can_neither_change_nor_remove_a_row(self, model: Any, change: str) -> None:
        record()
        audit.seal_pending(at=NOW)
        rows = model.objects.all()
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(
                **({"action": "x"} if model is AuditEntry else {"hash": "x"})
            ) if change == "update" else rows._raw_delete("default")
        assert model.objects.count() == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE core_auditentry SET action = 'x'",
            "DELETE FROM core_auditentry",
            "UPDATE core_auditseal SET hash = 'x'",
            "DELETE FROM core_auditseal",
        ],
    )
    def test_raw_sql_cannot_either(self, sql: str) -> None:
        record()
        audit.seal_pending(at=NOW)
        with pytest.raises(DatabaseError, match="only ever added|denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    @pytest.mark.sqlite
    @pytest.mark.parametrize("table", ["core_auditentry", "core_auditseal"])
    def test_insert_or_replace_is_no_way_around(self, table: str) -> None:
        record()
        audit.seal_pending(at=NOW)
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")

    def test_every_trigger_is_there_and_a_dropped_one_is_missed(self) -> None:
        assert insert_only.missing(connection) == []
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER core_auditentry_no_update")
            assert insert_only.missing(connection) == ["core_auditentry_no_update"]
            insert_only.protect(connection)
            assert insert_only.missing(connection) == []


@pytest.mark.django_db
class TestSealing:
    def test_entries_are_numbered_per_street_and_the_district_has_its_own_chain(self) -> None:
        for number, street in enumerate([7, 8, 7, None, 7]):
            record(street, number)
        assert audit.seal_pending(at=NOW) == 5
        assert audit.seal_pending(at=NOW) == 0
        assert list(AuditSeal.objects.order_by("chain", "seq").values_list("chain", "seq")) == [
            (0, 1),
            (7, 1),
            (7, 2),
            (7, 3),
            (8, 1),
        ]
        assert all(audit.verify(street).ok for street in (7, 8, None))

    def test_the_unsealed_tail_is_told_and_is_no_fault(self) -> None:
        record(STREET, 1)
        audit.seal_pending(at=NOW)
        record(STREET, 2)
        record(STREET, 3)
        verdict = audit.verify(STREET)
        assert (verdict.ok, verdict.sealed, verdict.unsealed_tail) == (True, 1, 2)
        assert verdict.unsealed_since == NOW + timedelta(seconds=2)

    def test_an_entry_committed_late_is_sealed_behind_newer_ones(self) -> None:
        record(STREET, 1)
        late = AuditEntry.objects.get()
        record(STREET, 2)
        AuditSeal.objects.create(
            entry_id=late.pk + 1,
            chain=STREET,
            seq=1,
            hash=link(GENESIS, chain=STREET, seq=1, content=content_of_entry(AuditEntry.objects.get(pk=late.pk + 1))),
            sealed_at=NOW,
        )
        assert audit.seal_pending(at=NOW) == 1
        assert AuditSeal.objects.get(entry_id=late.pk).seq == 2
        assert audit.verify(STREET).ok

    def test_beyond_the_window_the_nightly_pass_seals_it(self) -> None:
        record(STREET, 1)
        first = AuditEntry.objects.get().pk
        record(STREET, 2)
        AuditSeal.objects.create(entry_id=first + 1, chain=STREET, seq=1, hash="0" * 64, sealed_at=NOW)
        assert audit.seal_pending(at=NOW, late_commits_within=1) == 0
        audit.seal_all(at=NOW)
        assert AuditSeal.objects.count() == 2

    def test_heads_are_appended_to_the_days_file(self, tmp_path: Path) -> None:
        record(7)
        record(8)
        audit.seal_pending(at=NOW)
        file = audit.write_head(at=NOW, folder=tmp_path)
        audit.write_head(at=NOW, folder=tmp_path)
        assert file.name == "2026-03-04.json"
        heads = [json.loads(line) for line in file.read_text().splitlines()]
        assert [(head["chain"], head["seq"]) for head in heads] == [(7, 1), (8, 1)] * 2
        assert audit.verify(7, folder=tmp_path).heads_compared == 1

    def test_an_unreadable_head_is_a_finding(self, tmp_path: Path) -> None:
        (tmp_path / "2026-03-04.json").write_text("not json\n")
        assert [finding.kind for finding in audit.verify(7, folder=tmp_path).findings] == ["head_unreadable"]


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


@pytest.fixture
def chain(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """Sixty sealed entries, a head written outside after the fiftieth; as the owner of the database, who can drop triggers."""
    with as_owner(), transaction.atomic():
        for number in range(1, ENTRIES + 1):
            record(STREET, number, number=number)
            if number == ANCHORED:
                audit.seal_pending(at=NOW)
                audit.write_head(at=NOW, folder=tmp_path)
        audit.seal_pending(at=NOW)
        yield tmp_path
        transaction.set_rollback(True)


def found(times: int, folder: Path, tamperings: list[Callable[[random.Random, int], None]]) -> int:
    """How many of ``times`` random tamperings before the head are found."""
    dice, count = random.Random(20260304), 0
    for _ in range(times):
        tamper, seq = dice.choice(tamperings), dice.randint(1, ANCHORED)
        with unprotected():
            tamper(dice, seq)
            count += not audit.verify(STREET, folder=folder).ok
    return count


def test_an_honest_chain_is_found_in_order(chain: Path) -> None:
    verdict = audit.verify(STREET, folder=chain)
    assert (verdict.ok, verdict.first_bad, verdict.sealed, verdict.heads_compared, verdict.last_head_seq) == (
        True,
        None,
        60,
        1,
        50,
    )


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_each_way_of_tampering_before_the_last_head_is_found(chain: Path, tamper: Any) -> None:
    assert found(10, chain, [tamper]) == 10


def test_random_tamperings_before_the_last_head_are_all_found(chain: Path) -> None:
    """The short form; ``./run bench reliability`` does 1,000."""
    assert found(100, chain, TAMPERINGS) == 100


def test_the_broken_twin_without_a_head_outside_misses_a_cut_tail_and_a_rewriting(chain: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert found(20, nowhere, [cut_tail, rewrite]) == 0
    assert found(20, nowhere, [edit_entry, delete_middle]) == 20


def test_the_first_bad_place_is_named(chain: Path) -> None:
    with unprotected():
        edit_entry(random.Random(1), 20)
        edit_entry(random.Random(2), 30)
        bad = audit.verify(STREET, folder=chain).first_bad
    assert bad is not None
    assert (bad.kind, bad.seq) == ("changed", 20)
