"""Which tables lie in the inbox's own database (alias ``arrivals``): on SQLite a file of its own, so that a callback never
queues behind the writers of cases; on PostgreSQL the same server by a connection of its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings

ALIAS = "arrivals"
OWN = frozenset({"arrivals.arrival", "arrivals.nonce"})


def is_own_file() -> bool:
    """True if the inbox has a database of its own, which is migrated and backed up beside the main one."""
    return settings.DATABASES[ALIAS]["NAME"] != settings.DATABASES["default"]["NAME"]


class ArrivalsRouter:
    """Named in DATABASE_ROUTERS."""

    def db_for_read(self, model: Any, **_hints: Any) -> str | None:
        """The inbox's tables are read where they are."""
        return ALIAS if model._meta.label_lower in OWN else None

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **_hints: Any) -> bool | None:
        """No key points from one database into the other."""
        return None if (one._meta.label_lower in OWN) == (other._meta.label_lower in OWN) else False

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: Any) -> bool | None:
        """Two files: each makes its own tables. One database: the default alias makes all of them."""
        if not is_own_file():
            return None if db != ALIAS else False
        return (f"{app_label}.{model_name}" in OWN) == (db == ALIAS)
