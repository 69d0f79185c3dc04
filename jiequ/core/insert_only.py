"""Tables to which rows can only be added, by means of the database: triggers here, and on PostgreSQL the account's rights.

The rights (``REVOKE UPDATE, DELETE``) are set by ``./run migrate`` when DATABASE_OWNER_URL is used. The triggers hold for every
account, in raw SQL too; only the database's owner can drop them, and the sealed chain shows what was done then.
"""

from __future__ import annotations

from typing import Any

TABLES = {"core_auditentry": ("id",), "core_auditseal": ("entry_id", "chain, seq")}
MESSAGE = "audit rows are only ever added"


def protect(connection: Any) -> None:
    """Put the triggers on; those already there are left or renewed. Call again after a migration that remakes a table."""
    with connection.cursor() as cursor:
        for statement in statements(connection.vendor):
            cursor.execute(statement)


def missing(connection: Any) -> list[str]:
    """The triggers that should be there and are not: for ``./run check``."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')",
    }
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        there = {row[0] for row in cursor.fetchall()}
    return sorted(_names(connection.vendor) - there)


def _names(vendor: str) -> set[str]:
    acts = ("update", "delete", "replace") if vendor == "sqlite" else ("change", "truncate")
    return {f"{table}_no_{act}" for table in TABLES for act in acts}


def statements(vendor: str) -> list[str]:
    """The SQL of ``protect``."""
    if vendor == "sqlite":
        return [statement for table, keys in TABLES.items() for statement in _sqlite(table, keys)]
    function = (
        "CREATE OR REPLACE FUNCTION core_insert_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    return [function, *(statement for table in TABLES for statement in _postgresql(table))]


def _sqlite(table: str, keys: tuple[str, ...]) -> list[str]:
    """UPDATE, DELETE, and INSERT OR REPLACE, which deletes without firing a DELETE trigger."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    same = " OR ".join("(" + " AND ".join(f"{name} = NEW.{name}" for name in key.split(", ")) + ")" for key in keys)
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refuse}",
    ]


def _postgresql(table: str) -> list[str]:
    return [
        f"CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION core_insert_only()",
        f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION core_insert_only()",
    ]
