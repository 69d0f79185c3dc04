"""导入: orders of another system become cases, a batch a transaction, once each.

A historic order becomes a closed case with one ``imported`` event: no clock starts and nobody is told. An open one waits at the
desk, or, where that was asked for, goes on through ``accept`` and ``dispatch`` like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from jiequ.channels.services import seal_phone
from jiequ.core import audit, secrets
from jiequ.core.bulk import Inserter, new_ids
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.errors import Refusal, plain
from jiequ.core.ids import next_numbers
from jiequ.core.jobs import enqueue
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import case_by_id
from ..flow import Closing, State
from ..import_map import BadRow, ImportMap, Order
from ..models import Case, CaseEvent, ImportIssue, IssueCase, Report, Reporter, Source
from ..policy import Policy
from ..pyramid import Place, group_of
from . import moving, rollups, searching
from .dispatching import dispatch
from .filing import accept
from .import_meaning import WAITING, Filed, Meaning, Meanings
from .intake import LAST4_LOOKUP, NAME_PURPOSE, PHONE_LOOKUP, WORDS_MAX, clean_phone, title_from
from .types import type_for_imports

KEEP, START, SKIP = "keep", "start-clocks", "skip"
OPEN_CHOICES = (KEEP, START, SKIP)
_CLOSED, _REPORTED, _IMPORTED, _SYSTEM = State.CLOSED.value, State.REPORTED.value, Closing.IMPORTED.value, Role.SYSTEM.value
_NAMELESS = frozenset({Source.RESIDENT, Source.CALLER})


@dataclass(frozen=True, slots=True)
class Row:
    """One readable row of a file: its line, and the order in it."""

    line: int
    order: Order


@dataclass(slots=True)
class Outcome:
    """What became of rows: counts, and those that need a look, as (line, why)."""

    new: int = 0
    known: int = 0
    entered: int = 0
    looks: list[tuple[int, str]] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take another's counts and rows in."""
        self.new += other.new
        self.known += other.known
        self.entered += other.entered
        self.looks += other.looks
        self.rejects += other.rejects


@dataclass(slots=True)
class _Made:
    """An order on its way into the tables: what its case's row will hold."""

    row: Row
    meaning: Meaning
    waits: list[tuple[str, str]]
    is_over: bool
    condition_id: int | None
    event_type_id: int | None
    clocks: dict[str, Any]
    pk: int = 0
    number: str = ""

    @property
    def state(self) -> str:
        """As the table has it: what is a plain text costs the database's driver least."""
        return _CLOSED if self.row.order.is_closed else _REPORTED


_CASE = tuple(
    "id number state closing title source imported_from condition_id event_type_id is_confidential street_id community_id"
    " unit_grid_id address lon lat q18 raw_x raw_y raw_system clocks yellow_at due_at promised_at reported_at ended_at"
    " changed_at is_late lead_id first_lead_id".split()
)
_REPORT = tuple(
    "case_id origin_id reporter_id street_id source system source_ref said_hash words place_words lon lat at".split()
)
_REPORTER = tuple("id name_sealed phone_sealed phone_blind last4_blind noticed_at keep_until".split())
_EVENT = tuple("case_id move state facts at by_name by_role".split())


class Importer:
    """One run over a file. ``store`` takes a batch at a time; what was stored before is told as known."""

    def __init__(
        self, given: ImportMap, *, at: datetime, open_orders: str = KEEP, street_id: int | None = None, sha256: str = ""
    ) -> None:
        self.given, self.at, self.open_orders, self.sha256 = given, at, open_orders, sha256
        self.by, self.latest = Actor.system(), at + timedelta(days=1)
        self.meanings = Meanings(given, street_id=street_id, at=at)
        self.issues: dict[tuple[int, str, str], int] = {}
        self.facts: dict[tuple[str, str], dict[str, str]] = {}
        self.kept = {pk: timedelta(days=Policy.of(kept).keep_days) for pk, kept in Street.objects.values_list("pk", "settings")}

    def try_out(self, rows: Sequence[Row]) -> Outcome:
        """What ``store`` would do; nothing is stored."""
        outcome, fresh, _known = self._sorted(rows)
        outcome.new = len(self._made(fresh, outcome))
        return outcome

    def store(self, rows: Sequence[Row]) -> Outcome:
        """Store a batch in one transaction; where the database refuses it, each row by itself, so that one blocks no other."""
        try:
            outcome = self.store_whole(rows)
        except (DatabaseError, ValueError, OverflowError) as error:
            self.issues.clear()
            if len(rows) == 1:
                return Outcome(rejects=[(rows[0].line, _("数据库不接受：%(error)s") % {"error": plain(error)})])
            outcome = Outcome()
            for row in rows:
                outcome.add(self.store([row]))
        return outcome

    def store_whole(self, rows: Sequence[Row]) -> Outcome:
        """All of a batch or, where the database refuses something, nothing."""
        with writing():
            outcome, fresh, known = self._sorted(rows)
            made = self._made(fresh, outcome)
            outcome.new = len(made)
            if made:
                self._write(made)
                self._audit_batch(made, outcome)
        if self.open_orders == START:
            self._enter(known, [(one.row.line, one.pk) for one in made if one.state == State.REPORTED], outcome)
        return outcome

    def _sorted(self, rows: Sequence[Row]) -> tuple[Outcome, list[Row], list[tuple[int, int]]]:
        """The rows that are new, and (line, case) of those that are there and open; a changed one is refused."""
        there = self._there(row.order.number for row in rows)
        outcome, fresh, known = Outcome(), [], []
        for row in rows:
            said_hash, case_id, state = there.get(row.order.number, ("", None, ""))
            if not said_hash:
                there[row.order.number] = (row.order.said_hash, None, "")
                fresh.append(row)
            elif said_hash == row.order.said_hash:
                outcome.known += 1
                if case_id is not None and state == State.REPORTED:
                    known.append((row.line, case_id))
            else:
                outcome.rejects.append((row.line, _("这个单号已经导入，内容和那时不同；没有改动，请核对")))
        return outcome, fresh, known

    def _there(self, numbers: Iterable[str]) -> dict[str, tuple[str, int | None, str]]:
        found = Report.objects.filter(system=self.given.source, source_ref__in=list(numbers)).exclude(source_ref="")
        columns = found.values_list("source_ref", "said_hash", "case_id", "case__state")
        return {number: (said_hash or "-", case_id, state) for number, said_hash, case_id, state in columns}

    # ---- a batch

    def _made(self, rows: Sequence[Row], outcome: Outcome) -> list[_Made]:
        made = []
        for row in rows:
            try:
                made.append(self._one(row))
            except BadRow as bad:
                outcome.rejects.append((row.line, str(bad)))
        return made

    def _one(self, row: Row) -> _Made:
        order = row.order
        if order.created_at > self.latest:
            raise BadRow(_("上报时间在将来"))
        if len(order.words) > WORDS_MAX * 5:
            raise BadRow(_("文字超过 %(most)d 字") % {"most": WORDS_MAX * 5})
        if not order.is_closed and self.open_orders == SKIP:
            raise BadRow(_("还没有办结，按要求不导入"))
        meaning, waits = self.meanings.of(order)
        condition = meaning.condition
        return _Made(
            row=row,
            meaning=meaning,
            waits=waits,
            is_over=self._is_over(order, meaning.place.street_id) and _names_somebody(order),
            condition_id=condition.id if condition else None,
            event_type_id=condition.event_type_id if condition else None,
            clocks=self._clocks(order),
        )

    def _clocks(self, order: Order) -> dict[str, Any]:
        """The columns of the order's own limit, where it is open, in the loop and not over; else of no clock at all."""
        if order.is_closed or self.open_orders != START or order.due_at is None or order.due_at <= self.at:
            return {"clocks": {}}
        outer = c.start_until(c.ClockKind.OUTER, order.due_at, at=self.at, by=self.by.name)
        return moving.clock_fields({c.ClockKind.OUTER: outer}, at=self.at)

    def _write(self, made: Sequence[_Made]) -> None:
        self._file_waiting(made)
        self._number(made)
        self._write_cases(made)
        self._write_rest(made)

    def _write_cases(self, made: Sequence[_Made]) -> None:
        Inserter(Case, *_CASE)(self._case(one) for one in made)
        rollups.count_in_places(
            Place(one.meaning.place.street_id, group_of(one.state), one.event_type_id, one.meaning.place.q18)
            for one in made
            if one.meaning.place.q18 is not None
        )

    def _write_rest(self, made: Sequence[_Made]) -> None:
        """Reports with their reporters, events, audit rows, what waits for a meaning, timers."""
        reporters = self._reporters(made)
        Inserter(Report, *_REPORT)(self._report(one, reporters.get(one.pk)) for one in made)
        Inserter(CaseEvent, *_EVENT)(self._event(one) for one in made)
        audit.record_many(self._audit_entry(one) for one in made)
        self._write_issues(made)
        self._set_timers(made)
        searching.index_later(made[0].pk, made[-1].pk, at=self.at)

    def _file_waiting(self, made: Sequence[_Made]) -> None:
        waiting = [one for one in made if one.meaning.condition == WAITING]
        if waiting:
            condition = type_for_imports(at=self.at)
            for one in waiting:
                one.condition_id, one.event_type_id = condition.pk, condition.edition.event_type_id

    def _number(self, made: Sequence[_Made]) -> None:
        """Ids, and numbers by street and year of the order: one statement each."""
        groups: defaultdict[tuple[str, int], list[_Made]] = defaultdict(list)
        for one, pk in zip(made, new_ids(Case, len(made)), strict=True):
            one.pk = pk
            prefix = self.meanings.streets_by_id[one.meaning.place.street_id].prefix
            groups[prefix, one.row.order.created_at.astimezone(ZONE).year].append(one)
        for (prefix, year), group in groups.items():
            for one, number in zip(group, next_numbers(prefix, year, len(group)), strict=True):
                one.number = number

    def _case(self, one: _Made) -> tuple[Any, ...]:
        order, place, condition, clocks = one.row.order, one.meaning.place, one.meaning.condition, one.clocks
        has_point = place.lon is not None
        lead_id = one.meaning.department_id if order.is_closed else None
        return (
            *(one.pk, one.number, one.state, _IMPORTED if order.is_closed else ""),
            *(_title(order, condition, may_quote=not one.is_over), one.meaning.source, self.given.source),
            *(one.condition_id, one.event_type_id, bool(condition and condition.is_confidential)),
            *(place.street_id, place.community_id, place.unit_grid_id, "" if one.is_over else order.place),
            *(place.lon, place.lat, place.q18),
            *((order.x, order.y, self.given.coordinates) if has_point else (None, None, "")),
            *(clocks["clocks"], clocks.get("yellow_at"), clocks.get("due_at"), clocks.get("promised_at")),
            *(order.created_at, _ended_at(order), self.at),
            *(order.is_closed and _is_late(order), lead_id, lead_id),
        )

    def _is_over(self, order: Order, street_id: int) -> bool:
        """True if what names the reporter would be forgotten already: it is not taken in at all."""
        last = order.closed_at or order.created_at
        return order.is_closed and last + self.kept[street_id] < self.at

    def _reporters(self, made: Sequence[_Made]) -> dict[int, int]:
        """A row for each reporter named; case → reporter."""
        named = [one for one in made if (one.row.order.name or one.row.order.phone) and not one.is_over]
        found = dict(zip((one.pk for one in named), new_ids(Reporter, len(named)), strict=True)) if named else {}
        Inserter(Reporter, *_REPORTER)(self._reporter(one, found[one.pk]) for one in named)
        return found

    def _reporter(self, one: _Made, pk: int) -> tuple[Any, ...]:
        order = one.row.order
        phone = _phone(order.phone)
        last = order.closed_at or order.created_at if order.is_closed else self.at
        return (
            pk,
            secrets.seal(order.name[:40], NAME_PURPOSE) if order.name else "",
            seal_phone(phone) if phone else "",
            secrets.blind(phone, PHONE_LOOKUP) if phone else "",
            secrets.blind(phone[-4:], LAST4_LOOKUP) if phone else "",
            order.created_at,
            (last + self.kept[one.meaning.place.street_id]).date(),
        )

    def _report(self, one: _Made, reporter_id: int | None) -> tuple[Any, ...]:
        order, place = one.row.order, one.meaning.place
        words, place_words = ("", "") if one.is_over else (order.words, order.place)
        return (
            *(one.pk, one.pk, reporter_id, place.street_id, one.meaning.source, self.given.source, order.number),
            *(order.said_hash, words, place_words, place.lon, place.lat, order.created_at),
        )

    def _event(self, one: _Made) -> tuple[Any, ...]:
        order = one.row.order
        facts: dict[str, Any] = {"system": self.given.source, "ref": order.number, "said": order.said}
        if self.given.name:
            facts["name"] = self.given.name
        if order.is_closed:
            facts |= {"closed": order.closed_at.isoformat() if order.closed_at else None, "on_time": order.on_time}
        return one.pk, "imported", one.state, facts, self.at, self.by.name, _SYSTEM

    def _audit_entry(self, one: _Made) -> audit.Entry:
        key = (one.meaning.source, one.state)
        facts = self.facts.setdefault(key, {"source": str(key[0]), "state": str(key[1])})
        return audit.Entry(one.meaning.place.street_id, None, "case.imported", "case", str(one.pk), self.at, facts)

    def _audit_batch(self, made: Sequence[_Made], outcome: Outcome) -> None:
        facts = {
            "file": grouped(self.sha256),
            "new": len(made),
            "known": outcome.known,
            "rejected": len(outcome.rejects),
            "first": made[0].number,
            "last": made[-1].number,
        }
        audit.record(
            street_id=None,
            person_id=None,
            action="import.batch",
            object_kind="import",
            object_id=self.given.source,
            at=self.at,
            facts=facts,
        )

    def _write_issues(self, made: Sequence[_Made]) -> None:
        waits = [(one.meaning.place.street_id, kind, value, one.pk) for one in made for kind, value in one.waits]
        for street_id, kind, value in sorted({wait[:3] for wait in waits} - self.issues.keys()):
            issue, _is_new = ImportIssue.objects.get_or_create(
                street_id=street_id, system=self.given.source, kind=kind, value=value, defaults={"seen_at": self.at}
            )
            self.issues[street_id, kind, value] = issue.pk
        Inserter(IssueCase, "issue_id", "case_id")((self.issues[wait[:3]], wait[3]) for wait in waits)

    def _set_timers(self, made: Sequence[_Made]) -> None:
        calendar = calendar_for()
        specs = [
            spec
            for one in made
            for clock in c.load(one.clocks["clocks"]).values()
            for spec in moving.clock_timers(one.pk, clock, calendar, street_id=one.meaning.place.street_id)
        ]
        if specs:
            enqueue(*specs)

    # ---- open orders that go on

    def _enter(self, known: Iterable[tuple[int, int]], made: Iterable[tuple[int, int]], outcome: Outcome) -> None:
        """Accept and dispatch each open case that still stands where the import left it; who cannot go on waits at the desk."""
        for line, case_id in (*known, *made):
            case = case_by_id(self.by, case_id)
            if case.state != State.REPORTED or case.imported_from != self.given.source:
                continue
            try:
                self._enter_one(case, line, outcome)
            except Refusal as refusal:
                outcome.looks.append((line, _("已导入，留在待受理：%(why)s") % {"why": refusal.message}))

    def _enter_one(self, case: Case, line: int, outcome: Outcome) -> None:
        event = case.events.filter(move="imported").first()
        unit = (event.facts.get("said") or {}).get("unit", "") if event else ""
        department_id = self.meanings.department_of(case.street_id, unit)
        with writing():
            accept(case, by=self.by, at=self.at)
            outcome.entered += 1
            try:
                if department_id is not None:
                    with writing():
                        dispatch(case_by_id(self.by, case.pk), lead_id=department_id, by=self.by, at=self.at)
            except Refusal as refusal:
                outcome.looks.append((line, _("已导入并立案，等分流：%(why)s") % {"why": refusal.message}))


def _names_somebody(order: Order) -> bool:
    return order.source in _NAMELESS or bool(order.name or order.phone)


def _title(order: Order, condition: Filed | None, *, may_quote: bool) -> str:
    named = condition.name_zh if condition else ""
    quoted = title_from(order.words) if may_quote else ""
    return (named or order.type_words or quoted)[:40] or str(_("待核对的上报"))


def _ended_at(order: Order) -> datetime | None:
    """When it was closed; where the source does not say, the moment of its report: an ended case has an end, and what names
    its reporter is kept no longer for a date that nobody knows. The event says that it is not known."""
    return (order.closed_at or order.created_at) if order.is_closed else None


def _is_late(order: Order) -> bool:
    if order.on_time is not None:
        return not order.on_time
    return bool(order.closed_at and order.due_at and order.closed_at > order.due_at)


def _phone(given: str) -> str:
    """The phone, or none: a bad one does not cost the order."""
    try:
        return clean_phone(given)
    except Refusal:
        return ""


def grouped(digest: str) -> str:
    """A hash as the audit takes it: in groups, so that no part looks like a phone or an identity number."""
    return "-".join(digest[i : i + 8] for i in range(0, len(digest), 8))
