"""The review list of imports: words of other systems that mean nothing here yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from jiequ.people.rules import Actor, Role

from ..models import ImportIssue, IssueCase, Report

REVIEWERS = (Role.DISPATCHER, Role.DUTY_LEADER, Role.SYSTEM_ADMIN)
PAGE = 50


def issues_for(actor: Actor) -> QuerySet[ImportIssue]:
    """Those of the actor's streets; the system administrator's are all."""
    found = ImportIssue.objects.select_related("street")
    if actor.has(Role.SYSTEM_ADMIN) or any(seat.role in REVIEWERS and seat.street_id is None for seat in actor.seats):
        return found
    return found.filter(street_id__in=actor.streets(*REVIEWERS))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, the most frequent words first, and where it goes on."""

    rows: list[ImportIssue]
    next_after: tuple[int, int] | None


def waiting_page(actor: Actor, *, kind: str = "", after: tuple[int, int] | None = None, size: int = PAGE) -> Page:
    """Words that wait, by how many cases carry them. Two SELECTs: the counts, the rows."""
    counts = IssueCase.objects.filter(issue__in=issues_for(actor).filter(target="").values("pk"))
    if kind:
        counts = counts.filter(issue__kind=kind)
    counted = counts.order_by().values_list("issue_id").annotate(n=Count("pk")).order_by("-n", "issue_id")
    if after:
        number, pk = after
        counted = counted.filter(Q(n__lt=number) | Q(n=number, issue_id__gt=pk))
    found = list(counted[: size + 1])
    rows = issues_for(actor).in_bulk([pk for pk, _n in found[:size]])
    listed = []
    for pk, number in found[:size]:
        rows[pk].number = number  # type: ignore[attr-defined]
        listed.append(rows[pk])
    last = found[size - 1] if len(found) > size else None
    return Page(listed, (last[1], last[0]) if last else None)


def waiting_count(system: str) -> int:
    """How many words of a source wait."""
    return ImportIssue.objects.filter(system=system, target="").count()


def settled(actor: Actor, *, size: int = 10) -> list[ImportIssue]:
    """The words that were given a meaning last."""
    return list(issues_for(actor).exclude(target="").order_by("-mapped_at", "-pk")[:size])


def samples(issue: ImportIssue, *, size: int = 10) -> list[Report]:
    """A few of the reports that carry the word, newest first, with their cases. Their numbers are the source's own."""
    cases = IssueCase.objects.filter(issue=issue).order_by("-case_id").values_list("case_id", flat=True)[:size]
    return list(Report.objects.filter(case_id__in=list(cases), system=issue.system).select_related("case").order_by("-case_id"))
