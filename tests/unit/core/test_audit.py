"""The audit: added to only, sealed per street, and nobody can quietly change history before the last head."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
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
from tests.support.tampering import (
    STREET,
    TAMPERINGS,
    cut_tail,
    delete_middle,
    edit_entry,
    found,
    rewrite,
    sealed_chain,
    unprotected,
)


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


@pytest.fixture
def chain(transactional_db: None, tmp_path: Path) -> Iterator[Path]:
    """Sixty sealed entries, a head written outside after the fiftieth; as the owner of the database, who can drop triggers."""
    with as_owner(), sealed_chain(tmp_path):
        yield tmp_path


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
