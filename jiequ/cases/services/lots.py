"""Several cases accepted or dispatched at once: one form, each case a move and a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.models import Department
from jiequ.people.rules import Actor

from ..access import case_by_id
from ..models import Case, CaseEvent, Lot, LotItem
from ..offers import own_departments, suggested
from . import moving
from .dispatching import accept_dispatch, dispatch
from .filing import accept
from .undoing import undo

MOST_AT_ONCE = 50
KEPT_FOR = timedelta(days=1)
_Departments = dict[int, list[Department]]


def open_lot(
    *, move: str, cases: Mapping[int, int], values: Mapping[str, int | None], back_to: str, key: str, by: Actor, at: datetime
) -> Lot:
    """Write down what is to be done: ``cases`` with the version each was shown in. The same ``key`` gives the same lot."""
    known = Lot.objects.filter(person_id=by.person_id or 0, key=key).first()
    if known is not None:
        return known
    if move not in AT_ONCE:
        raise Refusal("not_at_once", _("这一步不能几件一起办。"), facts={"move": move})
    if not cases:
        raise Refusal("nothing_chosen", _("请先勾选要办的案件。"), facts={"field": "cases"})
    if len(cases) > MOST_AT_ONCE:
        raise Refusal("too_many_cases", _("一次最多办 50 件，请分几次。"), facts={"limit": MOST_AT_ONCE})
    seen = set(Case.objects.visible_to(by).filter(pk__in=list(cases)).values_list("pk", flat=True))
    if seen != set(cases):
        raise NotFound("case_not_found", _("没有找到这个案件，或您无权查看。"))
    with writing():
        lot, is_new = Lot.objects.get_or_create(
            person_id=by.person_id or 0, key=key,
            defaults={"move": move, "values": dict(values), "back_to": back_to[:300], "made_at": at},
        )  # fmt: skip
        if is_new:
            LotItem.objects.bulk_create(LotItem(lot=lot, case_id=pk, version=version) for pk, version in cases.items())
    return lot


def lot_of(lot_id: int, *, by: Actor) -> Lot:
    """A lot of one's own; NotFound for any other."""
    lot = Lot.objects.filter(pk=lot_id, person_id=by.person_id).first() if by.person_id else None
    if lot is None:
        raise NotFound("lot_not_found", _("没有找到这一批，或不是您办的。"))
    return lot


def work_lot(lot: Lot, *, by: Actor, now: Callable[[], datetime], until: datetime | None = None) -> int:
    """Move the cases that still wait, one transaction each, until ``until``, but one at least; how many are left.

    A refused one keeps its sentence and holds up no other. Two requests on one lot share the work.
    """
    waiting = list(lot.items.filter(state=LotItem.State.WAITING))
    departments: _Departments = {}
    for done, item in enumerate(waiting):
        at = now()
        if done and until is not None and at > until:
            return len(waiting) - done
        _settle(item, at=at, act=lambda item=item, at=at: AT_ONCE[lot.move](lot, item, departments, by, at))  # type: ignore[misc]
    return 0


def _settle(item: LotItem, *, at: datetime, act: Callable[[], CaseEvent]) -> None:
    mine = LotItem.objects.filter(pk=item.pk, state=LotItem.State.WAITING)
    try:
        with writing():
            if not mine.update(state=LotItem.State.DONE, done_at=at):
                return
            LotItem.objects.filter(pk=item.pk).update(event_id=act().pk)
    except Refusal as refusal:
        mine.update(state=LotItem.State.REFUSED, sentence=str(refusal)[:300], done_at=at)


def _accept(lot: Lot, item: LotItem, _departments: _Departments, by: Actor, at: datetime) -> CaseEvent:
    case = case_by_id(by, item.case_id)
    return accept(case, condition_id=_condition(lot, case), by=by, at=at, version=item.version)


def _dispatch(lot: Lot, item: LotItem, departments: _Departments, by: Actor, at: datetime) -> CaseEvent:
    case = case_by_id(by, item.case_id)
    lead, *assist = _route(lot, case, departments)
    return dispatch(case, lead_id=lead, assist_ids=assist, by=by, at=at, version=item.version)


def _accept_dispatch(lot: Lot, item: LotItem, departments: _Departments, by: Actor, at: datetime) -> CaseEvent:
    case = case_by_id(by, item.case_id)
    lead, *assist = _route(lot, case, departments)
    condition_id = _condition(lot, case)
    return accept_dispatch(case, lead_id=lead, assist_ids=assist, condition_id=condition_id, by=by, at=at, version=item.version)


def _condition(lot: Lot, case: Case) -> int | None:
    """What was chosen for all; None leaves the case the type it has."""
    chosen: int | None = lot.values.get("condition_id")
    return None if chosen == case.condition_id else chosen


def _route(lot: Lot, case: Case, departments: _Departments) -> Sequence[int]:
    """The department chosen for all, else what the catalogue suggests for this case."""
    if lead := lot.values.get("lead_id"):
        return [lead]
    if case.street_id not in departments:
        departments[case.street_id] = own_departments(case.street_id)
    found = suggested(case, departments[case.street_id])
    if not found:
        raise Refusal("lead_missing", _("这个类型没有设定负责部门，请选择主办部门。"), facts={"field": "lead_id"})
    return found


AT_ONCE: dict[str, Callable[[Lot, LotItem, _Departments, Actor, datetime], CaseEvent]] = {
    "accept": _accept,
    "dispatch": _dispatch,
    "accept_dispatch": _accept_dispatch,
}
"""The moves that can be made for several cases at once."""


def undo_lot(lot: Lot, *, by: Actor, now: Callable[[], datetime]) -> None:
    """Take back every case of the lot that can still be taken back; the others say why they stand."""
    for item in lot.items.filter(state=LotItem.State.DONE, event_id__isnull=False):
        at = now()
        try:
            with writing():
                LotItem.objects.filter(pk=item.pk).update(state=LotItem.State.UNDONE, done_at=at)
                undo(item.event_id or 0, by=by, at=at)
        except Refusal as refusal:
            LotItem.objects.filter(pk=item.pk).update(sentence=str(refusal)[:300])


def undo_lot_until(items: Sequence[LotItem]) -> datetime | None:
    """Until when all that went can be taken back: the first one's time; None if nothing went. ``items`` with their streets."""
    ends = [
        item.done_at + timedelta(seconds=moving.policy_of(item.case).undo_seconds)
        for item in items
        if item.state == LotItem.State.DONE and item.done_at
    ]
    return min(ends, default=None)


def forget_lots(*, at: datetime) -> int:
    """Lots are notes of the hour, not a record: the cases' timelines are."""
    return Lot.objects.filter(made_at__lt=at - KEPT_FOR).delete()[0]
