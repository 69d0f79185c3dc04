"""Numbers for people and tokens for machines."""

from __future__ import annotations

import hashlib
import secrets

from django.db import connection

from .models import Counter

_NEXT = (
    f"INSERT INTO {Counter._meta.db_table} (name, value) VALUES (%s, %s) "  # the table's name, no input
    f"ON CONFLICT (name) DO UPDATE SET value = {Counter._meta.db_table}.value + EXCLUDED.value RETURNING value"
)


def next_value(name: str, count: int = 1) -> int:
    """The next number under ``name``, from 1; of ``count`` taken at once, the last. One statement, inside the transaction that
    uses the number.

    On PostgreSQL the row stays locked until that transaction ends, so take the number late. A rolled-back number is given
    again; a number that was ever shown is never given twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [name, count])
        return int(cursor.fetchone()[0])


def next_number(prefix: str, year: int) -> str:
    """A number for people: ``LG-2026-000123``. It grants nothing; gaps are allowed."""
    return f"{prefix}-{year}-{next_value(f'{prefix}-{year}'):06d}"


def next_numbers(prefix: str, year: int, count: int) -> list[str]:
    """``count`` numbers in a row, by one statement."""
    last = next_value(f"{prefix}-{year}", count)
    return [f"{prefix}-{year}-{value:06d}" for value in range(last - count + 1, last + 1)]


def new_token() -> str:
    """256 random bits, url-safe (43 characters): a private link. Store only its ``token_hash``."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored and looked up in place of a token: SHA-256, 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()
