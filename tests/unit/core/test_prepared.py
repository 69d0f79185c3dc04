"""A prepared query gives what its query set would, again and again; stored rows are what create would have stored."""

from __future__ import annotations

from threading import Barrier, Thread
from types import SimpleNamespace

import pytest
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import CharField, QuerySet
from django.forms.models import model_to_dict

from jiequ.core import prepared
from jiequ.core.bulk import MOST_PARAMS, store
from jiequ.core.models import AuditEntry, Job
from jiequ.core.prepared import Bind, Prepared
from jiequ.people.models import Department, Person
from tests.actors import NOW, World
from tests.statements import statements_of

pytestmark = pytest.mark.django_db

OF_STREET = Prepared(
    lambda: Department.objects.filter(pk__in=Bind("some"), street=Bind("street")).select_related("street").order_by("pk")
)
USERNAMES = Prepared(lambda: Person.objects.filter(username=Bind("name", CharField())).values_list("pk", "username"))
NAMES = Prepared(lambda: Person.objects.filter(username=Bind("name", CharField())).values_list("pk", "name"))


def test_it_gives_what_the_query_set_gives_for_each_value(world: World) -> None:
    ids = list(Department.objects.values_list("pk", flat=True))
    for some in (ids, ids[:1], ids[1:3]):
        for street in (1, 2, 99):
            plain = Department.objects.filter(pk__in=some, street=street).select_related("street").order_by("pk")
            assert _told(OF_STREET(some=some, street=street)) == _told(plain)


def test_a_query_set_can_be_given_and_none_finds_none(world: World) -> None:
    within = Department.objects.filter(kind="office").values("pk")
    street = world.people["lin"].street_id
    plain = Department.objects.filter(kind="office", street=street).select_related("street").order_by("pk")
    assert _told(OF_STREET(some=within, street=street)) == _told(plain)
    assert statements_of(lambda: OF_STREET(some=[], street=street)) == []
    assert OF_STREET.first(some=[], street=street) is None
    assert statements_of(lambda: OF_STREET(some=Department.objects.none().values("pk"), street=street)) == []


def test_it_reads_rows_of_values_and_costs_one_statement(world: World) -> None:
    lin = world.people["lin"]
    assert NAMES(name="lin") == [(lin.pk, lin.name)]
    assert NAMES(name="' OR 1=1 --") == []
    assert len(statements_of(lambda: NAMES(name="lin"))) == 1
    with pytest.raises(KeyError):
        NAMES(nobody="lin")


def test_related_objects_come_with_it(world: World) -> None:
    found = OF_STREET(some=list(Department.objects.values_list("pk", flat=True)), street=world.people["lin"].street_id)
    assert statements_of(lambda: [one.street.name_zh for one in found if one.street]) == []


@pytest.mark.django_db(transaction=True)
def test_readers_at_once_each_get_their_own_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's threads ask at the same time: between a value given and the SQL sent, the others give theirs."""
    assert _asked_at_once(monkeypatch) == {name: [name] for name in ("lin", "he", "chen", "huang")}


@pytest.mark.django_db(transaction=True)
def test_without_a_query_of_ones_own_readers_would_get_each_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: one compiled query for all threads."""
    shared: dict[str, object] = {}
    monkeypatch.setattr(prepared, "connections", {DEFAULT_DB_ALIAS: SimpleNamespace(**{"_jiequ_prepared": shared})})
    NAMES(name="lin")
    assert _asked_at_once(monkeypatch) != {name: [name] for name in ("lin", "he", "chen", "huang")}


def _asked_at_once(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Who was found for whom, when four threads give their value before any of them sends its SQL."""
    names, found = ("lin", "he", "chen", "huang"), dict[str, list[str]]()
    together, execute = Barrier(len(names)), prepared._Compiled._execute

    def after_all(self: prepared._Compiled, *words: object, **named: object) -> object:
        together.wait(timeout=20)
        return execute(self, *words, **named)

    def ask(name: str) -> None:
        try:
            found[name] = [username for _pk, username in USERNAMES(name=name)]
        finally:
            connection.close()

    for name in names:
        USERNAMES(name=name)
    monkeypatch.setattr(prepared._Compiled, "_execute", after_all)
    # a compiler keeps the way it was given: those made before the patch are forgotten
    prepared.connections[DEFAULT_DB_ALIAS].__dict__.get("_jiequ_prepared", {}).clear()
    threads = [Thread(target=ask, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_stored_rows_are_what_bulk_create_stores(world: World) -> None:
    street = world.people["lin"].street_id
    rows = [
        AuditEntry(action=f"x.{n}", object_kind="case", object_id=str(n), facts={"n": n, "列": None}, street_id=street, at=NOW)
        for n in range(3)
    ]
    store(rows)
    AuditEntry.objects.bulk_create(
        AuditEntry(action=f"x.{n}", object_kind="case", object_id=str(n), facts={"n": n, "列": None}, street_id=street, at=NOW)
        for n in range(3)
    )
    ours, theirs = list(AuditEntry.objects.order_by("pk")[:3]), list(AuditEntry.objects.order_by("pk")[3:])
    assert [row.pk for row in rows] == [row.pk for row in ours]
    assert [model_to_dict(row, exclude=["id"]) for row in ours] == [model_to_dict(row, exclude=["id"]) for row in theirs]
    rows[0].facts = {}
    assert not rows[0]._state.adding


def test_a_key_that_is_there_is_left_and_the_others_are_stored() -> None:
    store([Job(kind="core.audit_seal", key="a", args={"first": 1}, due_at=NOW, run_at=NOW)], ignore_conflicts=True)
    more = [Job(kind="core.audit_seal", key=key, args={}, due_at=NOW, run_at=NOW) for key in ("a", "b", "c")]
    assert len(statements_of(lambda: store(more, ignore_conflicts=True))) == 1
    assert dict(Job.objects.values_list("key", "args")) == {"a": {"first": 1}, "b": {}, "c": {}}


def test_many_rows_take_as_few_statements_as_the_database_allows() -> None:
    jobs = [Job(kind="core.audit_seal", key=str(n), args={}, due_at=NOW, run_at=NOW) for n in range(150)]
    columns = len(Job._meta.concrete_fields) - 1
    made = statements_of(lambda: store(jobs, ignore_conflicts=True))
    assert len(made) == -(-150 // (MOST_PARAMS // columns))
    assert Job.objects.count() == 150
    assert statements_of(lambda: store([])) == []


def _told(rows: QuerySet[Department] | list[Department]) -> list[object]:
    return [(row.pk, row.name_zh, row.street and row.street.name_zh) for row in rows]


def test_one_row_is_found_by_a_query_set_of_one_id(world: World) -> None:
    one = Prepared(lambda: Department.objects.filter(pk=Bind("which")))
    office = Department.objects.order_by("pk")[0]
    assert one.first(which=Department.objects.filter(pk=office.pk, kind=office.kind).values("pk")) == office
    assert one(which=Department.objects.filter(pk=office.pk, kind="none").values("pk")) == []
