"""归类: a foreign word is given its meaning once, and a job puts right every case that carries it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal, Stale
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.grid.models import Community
from jiequ.people.models import Department
from jiequ.people.rules import Actor, Role

from ..flow import State
from ..import_map import TypeTarget
from ..models import Case, CaseEvent, FilingCondition, ImportIssue, IssueCase, IssueKind, TypeEdition
from ..queries.imports import REVIEWERS
from ..queries.types import in_force
from ..type_rules import IMPORTED_CODE
from . import rollups, searching

APPLY = "cases.apply_import"
BATCH = 200


def put_to_review(case: Case, waits: Iterable[tuple[str, str]], *, system: str, at: datetime) -> None:
    """Words of an order, as (kind, word), that mean nothing here yet: on the review list, the case beside them.

    In the caller's transaction.
    """
    for kind, value in waits:
        seen = {"seen_at": at}
        issue, _is_new = ImportIssue.objects.get_or_create(
            street_id=case.street_id, system=system, kind=kind, value=value, defaults=seen
        )
        IssueCase.objects.get_or_create(issue=issue, case=case)


def map_word(issue: ImportIssue, *, target: str, everywhere: bool = False, by: Actor, at: datetime) -> int:
    """Give a word its meaning; returns how many lists (streets) that settled. A job does the cases.

    ``everywhere``: the same word of the same source in every street too; the system administrator only. A department or
    community that a street does not have leaves that street's word as it is.
    """
    _check_may(issue, everywhere=everywhere, by=by)
    found = _found(issue, target)
    if found is None or (issue.kind == IssueKind.TYPE and not found.edition.event_type.is_active):
        raise Refusal("no_such_target", _("请从列表里选择。"), facts={"field": "target"})
    issues = [issue]
    if everywhere:
        alike = ImportIssue.objects.filter(system=issue.system, kind=issue.kind, value=issue.value, target="")
        issues += [other for other in alike.exclude(pk=issue.pk) if _found(other, target) is not None]
    with writing():
        for one in issues:
            _map_one(one, target, by=by, at=at, must=one is issue)
    return len(issues)


def _check_may(issue: ImportIssue, *, everywhere: bool, by: Actor) -> None:
    is_admin = by.has(Role.SYSTEM_ADMIN)
    if not is_admin and (everywhere or not by.has(*REVIEWERS, street_id=issue.street_id)):
        raise Forbidden("not_your_list", _("只有派遣员、值班长和系统管理员能归类，各街道归各街道的。"))


def _map_one(issue: ImportIssue, target: str, *, by: Actor, at: datetime, must: bool) -> None:
    free = ImportIssue.objects.filter(pk=issue.pk, target="")
    if not free.update(target=target, mapped_at=at, mapped_by=by.person_id):
        if must:
            raise Stale("mapped_already", _("这个词已经有人归类了，请刷新。"))
        return
    audit.record(
        street_id=issue.street_id,
        person_id=by.person_id,
        action="import.mapped",
        object_kind="import_issue",
        object_id=issue.pk,
        at=at,
        facts={"kind": issue.kind, "target": target.replace("|", ".")},
    )
    enqueue(JobSpec(APPLY, {"issue_id": issue.pk}, run_at=at, key=f"{APPLY}:{issue.pk}:0", street_id=issue.street_id))


def apply_some(issue_id: int, *, at: datetime) -> bool:
    """Put a batch of the waiting cases right; True if some are left. In the caller's transaction."""
    issue = ImportIssue.objects.get(pk=issue_id)
    found = _found(issue, issue.target) if issue.target else None
    if found is None:
        return False
    waiting = list(IssueCase.objects.filter(issue=issue).order_by("pk")[:BATCH])
    cases = list(Case.objects.filter(pk__in=[w.case_id for w in waiting]).select_related("event_type").order_by("pk"))
    changed = [case for case in cases if _put_right(case, issue, found, at=at)]
    _record(issue, changed, at=at)
    searching.reindex(case.pk for case in changed)
    IssueCase.objects.filter(pk__in=[w.pk for w in waiting]).delete()
    ImportIssue.objects.filter(pk=issue.pk).update(applied=F("applied") + len(changed))
    return len(waiting) == BATCH


def _put_right(case: Case, issue: ImportIssue, found: Any, *, at: datetime) -> bool:
    """One case, if nobody has settled the matter by hand meanwhile."""
    values = _values(case, issue, found)
    same = Case.objects.filter(pk=case.pk, version=case.version)
    if not values or not same.update(version=F("version") + 1, changed_at=at, **values):
        return False
    before = rollups.place_of(case)
    case.event_type_id = values.get("event_type_id", case.event_type_id)
    rollups.moved(before, rollups.place_of(case))
    return True


def _values(case: Case, issue: ImportIssue, found: Any) -> dict[str, Any]:
    if issue.kind == IssueKind.TYPE:
        is_waiting = case.condition_id is None if case.state == State.REPORTED else _is_placeholder(case)
        if not is_waiting:
            return {}
        edition = found.edition
        kept = {"condition_id": found.pk, "event_type_id": edition.event_type_id, "title": edition.name_zh[:40]}
        return kept | {"is_confidential": case.is_confidential or edition.is_confidential}
    if issue.kind == IssueKind.UNIT:
        is_free = case.lead_id is None and case.state == State.CLOSED
        return {"lead_id": found.pk, "first_lead_id": found.pk} if is_free else {}
    return {"community_id": found.pk} if case.community_id is None else {}


def _is_placeholder(case: Case) -> bool:
    return case.event_type is not None and case.event_type.code == IMPORTED_CODE


def _record(issue: ImportIssue, cases: list[Case], *, at: datetime) -> None:
    facts = {"kind": issue.kind, "value": issue.value, "target": issue.target}
    CaseEvent.objects.bulk_create(
        CaseEvent(case=case, move="mapped", state=case.state, facts=facts, at=at, by_role=Role.SYSTEM) for case in cases
    )
    told = {"kind": issue.kind, "issue": issue.pk}
    audit.record_many(audit.Entry(c.street_id, None, "case.mapped", "case", str(c.pk), at, told) for c in cases)


def _found(issue: ImportIssue, target: str) -> Any:
    """The filing condition, department or community that ``target`` names in the issue's street; None if there is none."""
    if issue.kind == IssueKind.TYPE:
        return _condition(target)
    if issue.kind == IssueKind.UNIT:
        named = Department.objects.filter(key=target, is_active=True)
        return named.filter(street_id=issue.street_id).first() or named.filter(street=None).first()
    return Community.objects.filter(code12=target, street_id=issue.street_id, retired_at=None).first()


def _condition(target: str) -> FilingCondition | None:
    try:
        wanted = TypeTarget.stored(target)
    except ValueError:
        return None
    rows = FilingCondition.objects.filter(
        edition__in=TypeEdition.objects.filter(in_force(), event_type__kind=wanted.kind, event_type__code=wanted.code)
    )
    if wanted.key:
        rows = rows.filter(key=wanted.key)
    return rows.select_related("edition__event_type").order_by("position").first()
