"""The test database itself: what one test commits, the next does not see; on PostgreSQL the application is not the owner."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from jiequ.core.models import AuditEntry, Counter


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_a_committed_row_is_gone_in_the_next_test(time: str) -> None:
    assert not Counter.objects.exists()
    Counter.objects.create(name=time)


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_the_applications_account_cannot_change_the_audit(statement: str) -> None:
    with pytest.raises(ProgrammingError, match="denied|must be owner"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(AuditEntry._meta.db_table))
