"""In: an order becomes a case once; a repeat is known; another content for its number waits for the desk's decision.

The order's row and the case are one transaction, and the row's unique constraint decides between two who bring the same order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.cases import services as cases
from jiequ.cases.access import case_by_id
from jiequ.cases.import_map import BadRow, order_of
from jiequ.cases.import_map import Order as Told
from jiequ.cases.models import Case, Report
from jiequ.cases.models import Source as CaseSource
from jiequ.cases.services.import_meaning import Meaning, Meanings
from jiequ.cases.words import masked
from jiequ.channels.services import Notice, send
from jiequ.core import secrets
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale, Taken
from jiequ.core.worktime import Limit, Unit
from jiequ.people.rules import Actor, Role

from .. import purposes
from ..models import Order, Source
from .sources import given_of, record, require

LATEST = timedelta(minutes=5)
MOST_FIELDS, DEEPEST = 200, 20
KEPT_OF_A_CELL = 4000
PRIVATE = frozenset({"contact_name", "contact_phone"})


class Reader:
    """A source's map and the look-ups of its words, read once for many orders. MapFault for a map that cannot be used."""

    def __init__(self, source: Source, *, at: datetime) -> None:
        self.source = source
        self.given = given_of(source)
        self.meanings = Meanings(self.given, street_id=source.system.street_id, at=at)

    def read(self, cells: Mapping[str, str], *, at: datetime) -> tuple[Told, Meaning, list[tuple[str, str]]]:
        """The order, what its words mean here, and the (kind, word) pairs that wait. BadRow with the reason."""
        told = order_of(self.given, cells)
        if told.created_at > at + LATEST:
            raise BadRow(_("来电时间在将来"))
        if told.is_closed:
            raise BadRow(_("这张工单已经办结，请用导入（./run import orders）"))
        if told.due_at is not None and told.due_at <= told.created_at:
            raise BadRow(_("办理时限早于来电时间"))
        if told.due_at is None and told.limit_days is not None:
            told = told._replace(due_at=limit_of(told, at=at))
        meaning, waits = self.meanings.of(told)
        return told, meaning, waits

    def number_of(self, cells: Mapping[str, str]) -> str:
        """The order's number as far as it can be made out."""
        return cells.get(self.given.columns["number"], "").strip()[:100]


def limit_of(told: Told, *, at: datetime) -> datetime:
    """When an order of its kind has to be answered, in work days from the call: for orders without a printed limit.

    One that comes when its days are over counts from its coming: it is not lost for having been on its way.
    """
    limit = Limit(told.limit_days or 0, Unit.WORK_DAY)
    due = calendar_for(told.created_at).add(told.created_at, limit).at
    return due if due > at else calendar_for(at).add(at, limit).at


def flattened(given: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """An object as cells: what lies inside is named with a point (``caller.phone``). Refusal for too much or too deep."""
    if prefix.count(".") > DEEPEST:
        raise Refusal("too_deep", _("一张工单里最多套 %(most)d 层。") % {"most": DEEPEST})
    cells: dict[str, str] = {}
    for key, value in given.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            cells |= flattened(value, f"{name}.")
        elif isinstance(value, list):
            cells[name] = json.dumps(value, ensure_ascii=False)
        elif isinstance(value, bool):
            cells[name] = "1" if value else "0"
        else:
            cells[name] = "" if value is None else str(value).replace("\0", "").strip()
    if len(cells) > MOST_FIELDS:
        raise Refusal("too_many_fields", _("一张工单最多 %(most)d 项。") % {"most": MOST_FIELDS})
    return cells


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an order: ``outcome`` is new, known, update or refused; ``row`` its line in the log."""

    outcome: str
    row: Order
    case: Case | None = None

    @property
    def reason(self) -> str:
        """Why not, in words."""
        return self.row.reason


def receive(reader: Reader, cells: Mapping[str, str], *, at: datetime, file: str = "", line: int = 0) -> Received:
    """Take one order, once. Nothing is raised for a bad one: it stands in the log with its reason."""
    row = Order(
        source=reader.source,
        number=reader.number_of(cells),
        said_hash=_hash_of(reader, cells),
        content_sealed=_sealed(cells),
        file=file[:200],
        line=line,
        first_at=at,
        last_at=at,
    )
    known = _known(row, at=at)
    if known is not None and known.state != Order.State.REFUSED:
        outcome = "known" if known.state in {Order.State.TAKEN, Order.State.SETTLED} else "update"
        return Received(outcome, known, known.case)
    return _take(reader, row if known is None else known, cells, at=at)


def _hash_of(reader: Reader, cells: Mapping[str, str]) -> str:
    """What the map reads of the order, whatever else the hotline sends beside it; all of it where it cannot be read."""
    try:
        return order_of(reader.given, cells).said_hash
    except BadRow:
        return hashlib.sha256(json.dumps(dict(cells), sort_keys=True).encode()).hexdigest()


def _sealed(cells: Mapping[str, str]) -> str:
    kept = {name[:100]: value[:KEPT_OF_A_CELL] for name, value in cells.items()}
    return secrets.seal(json.dumps(kept, ensure_ascii=False), purposes.ORDER)


def content_of(row: Order) -> dict[str, str]:
    """The cells of an order as they came; nothing once they are forgotten."""
    return dict(json.loads(secrets.unseal(row.content_sealed, purposes.ORDER))) if row.content_sealed else {}


def _known(row: Order, *, at: datetime) -> Order | None:
    same = Order.objects.filter(source=row.source, number=row.number, said_hash=row.said_hash)
    if not same.update(times=F("times") + 1, last_at=at):
        return None
    return same.select_related("case").get()


def _take(reader: Reader, row: Order, cells: Mapping[str, str], *, at: datetime) -> Received:
    """Store the order with its case, or the refusal, or another content for a number that is there."""
    try:
        told, meaning, waits = reader.read(cells, at=at)
    except BadRow as bad:
        return _refused(row, str(bad))
    row.due_at = told.due_at
    try:
        with writing():
            return _stored(reader, row, told, meaning, waits, at=at)
    except (IntegrityError, Taken):  # somebody brought this number a moment ago, or it came before with another content
        return _beside(row, at=at)
    except Refusal as refusal:
        return _refused(row, str(refusal))


def _stored(
    reader: Reader, row: Order, told: Told, meaning: Meaning, waits: list[tuple[str, str]], *, at: datetime
) -> Received:
    system = reader.source.system
    account = _account(reader, told, meaning, row.said_hash)
    done = cases.report_from_outside(system, street_id=meaning.place.street_id, account=account, at=at)
    row.state, row.case, row.reason = Order.State.TAKEN, done.case, ""
    row.save()
    if done.is_new:
        cases.put_to_review(done.case, waits, system=system.name, at=at)
        _send_on(done.case, meaning, at=at)
    return Received("new" if done.is_new else "known", row, done.case)


def _account(reader: Reader, told: Told, meaning: Meaning, said_hash: str) -> cases.Account:
    place = cases.Place(
        told.x or None,
        told.y or None,
        str(reader.given.coordinates),
        community_id=meaning.place.community_id,
        words=told.place,
    )
    return cases.Account(
        source=CaseSource.HOTLINE,
        words=(told.words or told.type_words)[:2000],
        place=place,
        contact=_contact(told),
        condition_id=meaning.condition.id if meaning.condition else None,
        seen_at=told.created_at,
        outer_due_at=told.due_at,
        system=reader.source.system.name,
        source_ref=told.number,
        said_hash=said_hash,
    )


def _contact(told: Told) -> cases.Contact | None:
    """Who called; a phone that is none does not cost the order."""
    try:
        phone = cases.clean_phone(told.phone)
    except Refusal:
        phone = ""
    return cases.Contact(name=told.name, phone=phone) if told.name or phone else None


def _send_on(case: Case, meaning: Meaning, *, at: datetime) -> None:
    """A trusted source's order whose unit is known goes on to it; what cannot go on waits at the desk."""
    if case.accepted_at is None or meaning.department_id is None:
        return
    by = Actor.system()
    try:
        with writing():
            cases.dispatch(case_by_id(by, case.pk), lead_id=meaning.department_id, by=by, at=at)
    except Refusal:
        return


def _refused(row: Order, reason: str) -> Received:
    row.state, row.reason = Order.State.REFUSED, reason[:300]
    try:
        with writing():
            row.save()
    except IntegrityError:  # the same bad order came twice at once
        row = Order.objects.get(source=row.source, number=row.number, said_hash=row.said_hash)
    return Received("refused", row)


def _beside(row: Order, *, at: datetime) -> Received:
    """The number is there: with this very content (a race), or with another, which the desk is told of."""
    same = Order.objects.filter(source=row.source, number=row.number, said_hash=row.said_hash)
    if found := same.exclude(state=Order.State.REFUSED).select_related("case").first():
        return Received("known" if found.state == Order.State.TAKEN else "update", found, found.case)
    report = Report.objects.filter(system=row.source.system.name, source_ref=row.number).select_related("case").first()
    row.state, row.case = Order.State.UPDATE, report.case if report else None
    row.reason = _("这个单号先前来过，内容不同；受理台决定是否采纳")
    try:
        with writing():
            row.save()
            if row.case is not None:
                send([_told_desk(row, row.case)], at=at)
    except IntegrityError:
        return Received("update", same.select_related("case").get(), row.case)
    return Received("update", row, row.case)


def _told_desk(row: Order, case: Case) -> Notice:
    return Notice(
        template="hotline_changed",
        facts={"number": case.number},
        about=f"case:{case.pk}",
        key=f"hotline:changed:{row.source_id}:{row.said_hash[:32]}:{case.pk}",
        to_post=(Role.ACCEPTOR.value, case.street_id, None),
        street_id=case.street_id,
    )


def try_again(row: Order, *, by: Actor, at: datetime) -> Received:
    """A refused order once more, by the map as it is now."""
    require(by)
    if row.state != Order.State.REFUSED or not row.content_sealed:
        raise Refusal("not_refused", _("这张工单没有被拒收，或内容已按期删除。"))
    record(by, at, "hotline.tried_again", row.source, order=row.pk)
    return _take(Reader(row.source, at=at), row, content_of(row), at=at)


def decide(row: Order, *, is_taken: bool, text: str, by: Actor, at: datetime) -> None:
    """The desk's word on another content for a number: noted on the case (and the limit follows), or left as it was."""
    if row.case_id is None or not by.has(Role.ACCEPTOR, Role.DUTY_LEADER, street_id=row.case.street_id if row.case else None):
        raise NotFound("no_such_update", _("没有这条改动，或不属于您的街道。"))
    state = Order.State.SETTLED if is_taken else Order.State.DISMISSED
    with writing():
        open_ones = Order.objects.filter(pk=row.pk, state=Order.State.UPDATE)
        if not open_ones.update(state=state, decided_at=at, decided_by=by.person_id):
            raise Stale("decided_already", _("这条改动已经有人处理，请刷新。"))
        if is_taken:
            _settle(row, text, by=by, at=at)


def _settle(row: Order, text: str, *, by: Actor, at: datetime) -> None:
    said = changes_of(row)
    lines = [f"{one.label}：{one.after}" for one in said if one.after and not one.is_private]
    words = masked("\n".join([_("热线改了工单："), *lines, *([text.strip()] if text.strip() else [])]))[:1900]
    case = case_by_id(by, row.case_id or 0)
    cases.note(case, text=words, by=by, at=at)
    if row.due_at is not None and "outer" in case.clocks:
        cases.move_outer_due(case_by_id(by, case.pk), outer_due_at=row.due_at, by=by, at=at, text=text)


@dataclass(frozen=True, slots=True)
class Changed:
    """A field of an order that another content says otherwise."""

    label: str
    before: str
    after: str
    is_private: bool = False


def changes_of(row: Order) -> list[Changed]:
    """What the map reads otherwise than in the content that was taken, by the source's own field names.

    Who called is only told to have changed; phones and long numbers in other fields are hidden.
    """
    first = Order.objects.filter(source=row.source, number=row.number, state=Order.State.TAKEN).first()
    before, after = content_of(first) if first else {}, content_of(row)
    found = []
    for name, column in given_of(row.source).order:
        was, now = before.get(column, ""), after.get(column, "")
        if was != now:
            hide = _hidden if name in PRIVATE else masked
            found.append(Changed(column, hide(was), hide(now), is_private=name in PRIVATE))
    return found


def _hidden(text: str) -> str:
    return "＊＊＊" if text else ""
