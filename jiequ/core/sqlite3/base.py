"""The backend: ``ENGINE = "jiequ.core.sqlite3"``. See DESIGN §1 "default database" and docs/operations.md."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base as django_sqlite3
from django.db.utils import OperationalError

from .lock import FairLock, LockTimeout

FULL = 2
BUSY_SECONDS = 30.0

_READS = re.compile(r"\s*(SELECT|EXPLAIN|PRAGMA|VALUES|ATTACH|DETACH|VACUUM\s+INTO)\b", re.IGNORECASE)
_WITH = re.compile(r"\s*WITH\b", re.IGNORECASE)
_WRITING_WORD = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)


def is_write(sql: str) -> bool:
    """True for every statement that may write. When in doubt, True: a needless lock is only a short wait."""
    if _READS.match(sql):
        return False
    if _WITH.match(sql):
        return bool(_WRITING_WORD.search(sql))
    return True


class DatabaseWrapper(django_sqlite3.DatabaseWrapper):
    """A connection that never writes without its turn."""

    display_name = "SQLite (fair writers)"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fair_lock: FairLock | None = None

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        params.setdefault("timeout", BUSY_SECONDS)
        self.transaction_mode = "IMMEDIATE"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        if not self.is_in_memory_db():
            file = connection.execute("PRAGMA database_list").fetchone()[2]
            if self.fair_lock:
                self.fair_lock.close()
            self.fair_lock = FairLock(file, conn_params["timeout"])
            try:
                self._make_durable(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _make_durable(self, connection: Any) -> None:
        """WAL is kept in the file; ``synchronous`` is set on each connection. Both are read back: no silent fallback."""
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            self._take_turn()
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            finally:
                self._give_turn()
        connection.execute("PRAGMA synchronous = FULL")
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
        if (mode, synchronous) != ("wal", FULL):
            raise ImproperlyConfigured(
                f"SQLite runs with journal_mode={mode} and synchronous={synchronous}; Jiequ needs wal and {FULL} (FULL), "
                "or acknowledged writes could be lost. Put the database on a local disk."
            )

    def create_cursor(self, name: str | None = None) -> Any:
        if self.fair_lock is None:
            return super().create_cursor(name)
        return self.connection.cursor(factory=lambda connection: _FairCursor(connection, self))

    def _take_turn(self) -> None:
        """Queue for writing, unless this connection already has its turn."""
        if self.fair_lock and not self.fair_lock.is_held:
            try:
                self.fair_lock.acquire()
            except LockTimeout:
                seconds = self.fair_lock.timeout_seconds
                raise OperationalError(f"database is locked: the writer in front took over {seconds:.0f} s") from None

    def _give_turn(self) -> None:
        """Let the next one write, unless a transaction is still open here."""
        if self.fair_lock and self.fair_lock.is_held and not (self.connection and self.connection.in_transaction):
            self.fair_lock.release()

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            if self.fair_lock:
                self.fair_lock.close()


class _FairCursor(django_sqlite3.SQLiteCursorWrapper):
    """Takes the turn before a statement that writes and gives it back once no transaction is open.

    Rows of ``… RETURNING`` are read at once: SQLite commits an autocommit statement only when it has been stepped to its end.
    """

    def __init__(self, connection: Any, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper
        self._returned: list[Any] | None = None

    def execute(self, query: str, params: Any = None) -> Any:
        self._returned = None
        if not is_write(query):
            return super().execute(query, params)
        self._wrapper._take_turn()
        try:
            super().execute(query, params)
            if self.description is not None:
                self._returned = super().fetchall()
        finally:
            self._wrapper._give_turn()
        return self

    def executemany(self, query: str, param_list: Any) -> Any:
        self._returned = None
        self._wrapper._take_turn()
        try:
            return super().executemany(query, param_list)
        finally:
            self._wrapper._give_turn()

    def fetchone(self) -> Any:
        if self._returned is None:
            return super().fetchone()
        return self._returned.pop(0) if self._returned else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        if self._returned is None:
            return super().fetchmany(size)
        rows, self._returned = self._returned[:size], self._returned[size:]
        return rows

    def fetchall(self) -> list[Any]:
        if self._returned is None:
            return super().fetchall()
        rows, self._returned = self._returned, []
        return rows

    def __iter__(self) -> Any:
        return self if self._returned is None else iter(self.fetchall())
