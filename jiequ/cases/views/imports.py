"""导入核对: words of other systems that mean nothing here yet, and the page on which one is given its meaning."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from ..access import case_for
from ..models import ImportIssue, IssueKind
from ..offers import target_choices
from ..queries import imports as queries
from ..services.import_issues import map_word
from . import present, reading

NEEDS = queries.REVIEWERS


@needs(*NEEDS)
@require_GET
def issues(request: HttpRequest) -> HttpResponse:
    """The words that wait, the most frequent first."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in IssueKind.values else ""
    number, last = reading.whole(request.GET, "n"), reading.whole(request.GET, "after")
    after = (number, last) if number is not None and last is not None else None
    page = queries.waiting_page(actor_of(request), kind=kind, after=after)
    context = {
        "rows": [_row(issue) for issue in page.rows],
        "next": f"?kind={kind}&n={page.next_after[0]}&after={page.next_after[1]}" if page.next_after else "",
        "kinds": IssueKind.choices,
        "kind": kind,
        "settled": [_row(issue) for issue in queries.settled(actor_of(request))] if after is None else [],
    }
    return render(request, "cases/imports.html", context)


@needs(*NEEDS)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def issue(request: HttpRequest, issue_id: int) -> HttpResponse:
    """One word: which orders carry it, and what it stands for here."""
    by = actor_of(request)
    found = queries.issues_for(by).filter(pk=issue_id).first()
    if found is None:
        raise NotFound("no_such_issue", _("没有这个词，或不属于您的街道。"))
    refusal = None
    if request.method == "POST":
        try:
            target, everywhere = request.POST.get("target", ""), request.POST.get("everywhere") == "on"
            map_word(found, target=target, everywhere=everywhere, by=by, at=clock.now())
            messages.success(request, _("已归类，相关案件会在后台陆续更正。"))
            return redirect("cases:imports")
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    context = {
        "row": _row(found),
        "choices": target_choices(found),
        "samples": [_sample(report, by) for report in queries.samples(found)],
        "is_admin": by.has(Role.SYSTEM_ADMIN),
        "given": request.POST,
        "refusal": refusal,
    }
    return render(request, "cases/import_issue.html", context, status=refusal.status if refusal else 200)


def _row(issue: ImportIssue) -> dict[str, Any]:
    return {
        "issue": issue,
        "kind": _("事件类型") if issue.kind == IssueKind.TYPE else issue.get_kind_display(),
        "street": present.named(issue.street),
        "number": getattr(issue, "number", 0),
    }


def _sample(report: Any, by: Any) -> dict[str, Any]:
    """The source's number; a link where the reader may see the case (an administrator may not)."""
    try:
        case = case_for(by, report.case.number)
    except NotFound:
        return {"ref": report.source_ref, "number": "", "at": report.at}
    return {"ref": report.source_ref, "number": case.number, "at": report.at}
