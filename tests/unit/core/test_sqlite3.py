"""The SQLite backend: durable, and nobody writes without a turn."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from jiequ.core.db import writing
from jiequ.core.models import Counter
from jiequ.core.sqlite3.base import DatabaseWrapper, is_write
from jiequ.core.sqlite3.lock import FairLock, LockTimeout
from tests.support.processes import at_once, living

pytestmark = pytest.mark.sqlite


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        ("SELECT 1", False),
        ("  select * from t", False),
        ("PRAGMA synchronous", False),
        ("EXPLAIN QUERY PLAN DELETE FROM t", False),
        ("VACUUM INTO 'copy'", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) UPDATE t SET x = 1", True),
        ("INSERT INTO t VALUES (1) RETURNING id", True),
        ("UPDATE t SET x = 1", True),
        ("DELETE FROM t", True),
        ("CREATE TABLE t (x)", True),
        ("BEGIN IMMEDIATE", True),
        ("SAVEPOINT s", True),
        ("VACUUM", True),
    ],
)
def test_every_statement_that_may_write_is_known(sql: str, writes: bool) -> None:
    assert is_write(sql) is writes


@pytest.fixture
def held(transactional_db: None) -> Iterator[Any]:
    """Says whether anybody holds the write lock of the test database."""
    name = connection.settings_dict["NAME"]

    def is_held() -> bool:
        probe = FairLock(name, 0.0)
        try:
            probe.acquire()
        except LockTimeout:
            return True
        else:
            return False
        finally:
            probe.close()

    yield is_held
    connection.close()


class TestDurability:
    @pytest.mark.django_db
    def test_the_database_is_in_wal_mode_with_full_synchronous(self) -> None:
        with connection.cursor() as cursor:
            values = [
                cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert values == ["wal", 2, 1]

    @pytest.mark.django_db
    def test_a_database_that_cannot_be_durable_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wrapper = DatabaseWrapper(connection.settings_dict | {"NAME": tmp_path / "x.sqlite3"}, "other")

        class NeverSyncing(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> Any:
                return super().execute(sql.replace("= FULL", "= OFF"), *args)

        real = sqlite3.dbapi2.connect
        monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda **kwargs: real(**kwargs, factory=NeverSyncing))
        with pytest.raises(ImproperlyConfigured, match="synchronous=0"):
            wrapper.connect()

    @pytest.mark.django_db
    def test_a_transaction_begins_immediate_and_reading_begins_none(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            list(Counter.objects.all())
        assert not [query for query in queries if "BEGIN" in query["sql"]]
        assert connection.transaction_mode == "IMMEDIATE"


class TestTurns:
    def test_an_autocommit_write_takes_its_turn_and_gives_it_back(self, held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = []
        acquire = FairLock.acquire
        monkeypatch.setattr(FairLock, "acquire", lambda lock: (taken.append(1), acquire(lock))[1])
        Counter.objects.filter(name="x").update(value=1)
        assert (len(taken), held()) == (1, False)

    def test_reading_takes_no_turn(self, held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FairLock, "acquire", lambda lock: pytest.fail("a reader queued with the writers"))
        assert list(Counter.objects.all()) == []

    def test_rows_returned_by_an_autocommit_insert_are_committed_when_they_are_read(self, held: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO core_counter (name, value) VALUES ('a', 1), ('b', 2), ('c', 3) RETURNING name, value")
            assert not held()
            assert cursor.fetchone() == ("a", 1)
            assert cursor.fetchmany(1) == [("b", 2)]
            assert list(cursor) == [("c", 3)]
            assert cursor.fetchone() is None

    def test_a_transaction_holds_its_turn_from_begin_to_commit(self, held: Any) -> None:
        with writing():
            assert held()
            with writing():
                Counter.objects.create(name="a")
            assert held()
        assert not held()

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_a_rolled_back_transaction_gives_its_turn_back(self, held: Any, error: type[BaseException]) -> None:
        def fail() -> None:
            with writing():
                Counter.objects.create(name="a")
                raise error

        with pytest.raises(error):
            fail()
        assert not held()

    def test_a_begin_that_fails_gives_its_turn_back(self, held: Any) -> None:
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.05
        try:
            other.execute("BEGIN IMMEDIATE")  # someone who bypasses the lock
            with pytest.raises(OperationalError, match="locked"), writing():
                pytest.fail("began")
            assert not held()
        finally:
            other.close()
            connection.settings_dict["OPTIONS"].pop("timeout")

    def test_closing_in_the_middle_gives_the_turn_back(self, held: Any) -> None:
        transaction.set_autocommit(False)
        Counter.objects.create(name="a")
        assert held()
        connection.close()
        assert not held()

    def test_a_transaction_without_autocommit_holds_its_turn_until_commit(self, held: Any) -> None:
        transaction.set_autocommit(False)
        try:
            Counter.objects.create(name="a")
            assert held()
            transaction.commit()
            assert not held()
        finally:
            transaction.set_autocommit(True)

    def test_a_failing_statement_gives_its_turn_back(self, held: Any) -> None:
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("INSERT INTO nowhere VALUES (1)")
        assert not held()

    def test_waiting_ends_with_a_clear_error(self, held: Any) -> None:
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.05
        lock = FairLock(connection.settings_dict["NAME"], 1.0)
        lock.acquire()
        try:
            with pytest.raises(OperationalError, match="the writer in front took over"):
                Counter.objects.create(name="a")
        finally:
            lock.close()
            connection.settings_dict["OPTIONS"].pop("timeout")
            connection.close()

    @pytest.mark.django_db
    def test_a_memory_database_needs_no_lock(self) -> None:
        wrapper = DatabaseWrapper(connection.settings_dict | {"NAME": ":memory:"}, "memory")
        with wrapper.cursor() as cursor:
            cursor.execute("CREATE TABLE t (x)")
        assert wrapper.fair_lock is None


class TestProcesses:
    def test_a_forked_child_cannot_undo_its_parents_lock(self, held: Any) -> None:
        lock = FairLock(connection.settings_dict["NAME"], 1.0)
        lock.acquire()
        pid = os.fork()
        if pid == 0:
            lock.release()
            lock.close()
            os._exit(0)
        os.waitpid(pid, 0)
        assert held()
        lock.release()
        assert not held()
        lock.close()

    def test_a_killed_writer_leaves_no_lock_behind(self, held: Any) -> None:
        def write_for_ever(tell: Any) -> None:
            with writing():
                Counter.objects.create(name="half")
                tell(b"!")
                time.sleep(60)

        with living(write_for_ever) as child:
            assert os.read(child.pipe, 1) == b"!"
            assert held()
        os.close(child.pipe)
        assert not held()
        assert not Counter.objects.exists()

    def test_the_second_in_the_queue_writes_before_the_one_that_just_wrote(self, tmp_path: Path) -> None:
        first, second = (FairLock(str(tmp_path / "db"), 30.0) for _ in range(2))
        order: list[str] = []
        first.acquire()

        def write_second() -> None:
            second.acquire()
            order.append("second")
            second.release()

        waiting = threading.Thread(target=write_second)
        waiting.start()
        probe = os.open(tmp_path / "db-queue", os.O_RDWR)
        while not _is_locked(probe):
            time.sleep(0.001)
        first.release()
        first.acquire()
        order.append("first again")
        first.release()
        waiting.join()
        os.close(probe)
        assert order == ["second", "first again"]

    @pytest.mark.django_db(transaction=True)
    def test_busy_writers_never_see_database_is_locked(self) -> None:
        results = at_once(4, lambda number: _write(number, times=100))
        assert results == [100] * 4
        assert dict(Counter.objects.values_list("name", "value"))["shared"] == 400

    @pytest.mark.django_db(transaction=True)
    def test_the_broken_twin_with_deferred_transactions_and_no_lock_does(self) -> None:
        def write(number: int) -> int:
            connection.transaction_mode = "DEFERRED"
            connection.ensure_connection()
            connection.transaction_mode = "DEFERRED"
            connection.fair_lock = None
            return _write(number, times=100)

        Counter.objects.create(name="shared")
        assert sum(result for result in at_once(4, write) if isinstance(result, int)) < 400


def _is_locked(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _write(number: int, *, times: int) -> int:
    """Read, then write, in a transaction; returns how many of ``times`` were not refused ("database is locked")."""
    done = 0
    for _ in range(times):
        with suppress(OperationalError), transaction.atomic():
            row, _created = Counter.objects.get_or_create(name="shared")
            Counter.objects.filter(pk=row.pk).update(value=row.value + 1)
            done += 1
    connections.close_all()
    return done
