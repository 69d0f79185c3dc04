"""One's own report: for whoever holds its private link, and for the outside account (a WeChat follower's) it was made by.

Both keys open the same pages; what differs is the address, and that an account's reports make a list (我的上报).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import wants_json
from jiequ.core.once import once
from jiequ.people import entry
from jiequ.people.access import private_link
from jiequ.people.services import end_account_sessions

from .. import services
from ..access import CASE_RELATED
from ..clocks import Clock, load
from ..forms import SCORES
from ..models import Case, Proof, Report
from ..queries.page import reporter_timeline
from . import moves, present, reading
from .own_key import Asked, Key, both, needs_account, private

PAGE = 20
READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])

# -- the pages ---------------------------------------------------------------------------------------------------------


@private_link
@require_GET
@needs_account
def own_list(request: HttpRequest) -> HttpResponse:
    """我的上报: everything the account reported or took over from a private link, newest first."""
    at = clock.now()
    found = _page_of(entry.account_of(request), reading.whole(request.GET, "before"))
    rows = [_row(report, at) for report in found[:PAGE]]
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return private(render(request, "cases/own_list.html", {"rows": rows, "more": more, "now": at}))


def _page_of(account: str, before: int | None) -> list[Report]:
    """One more than a page. One SELECT."""
    found = services.reports_of_account(account).select_related(*(f"case__{name}" for name in CASE_RELATED), "rating")
    return list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])


def _row(report: Report, at: datetime) -> dict[str, Any]:
    windows = services.windows(report.case, report, at=at)
    row = present.own_row(report.case, report, at)
    return row | {"url": reverse("cases:own_mine", args=[report.pk]), "may_rate": bool(windows.rate_until)}


def _mine(request: HttpRequest, asked: Asked) -> HttpResponse:
    """One report of one's own: what happened, what comes next, until when, and who."""
    key = asked.open()
    if asked.account and not key.account:
        services.keep_if_own_browser(key.report, account=asked.account, device=reading.device_of(request), at=clock.now())
    return page(request, key)


mine, own_mine = both(_mine, require_GET)


@private_link
@require_GET
@needs_account
def own_case(request: HttpRequest, number: str) -> HttpResponse:
    """Where a notice leads: the account's own report in the case of that number, else to the list, whoever's the case is."""
    mine = services.reports_of_account(entry.account_of(request))
    report = mine.filter(Q(case__number=number) | Q(origin__number=number)).first()
    return redirect("cases:own_mine", report_id=report.pk) if report else redirect("cases:own_list")


def page(request: HttpRequest, key: Key, refusal: Refusal | None = None) -> HttpResponse:
    """The page of one report, with a refusal in its place."""
    context = _context(request, key) | ({"refusal": refusal} if refusal else {})
    return private(render(request, "cases/mine.html", context, status=refusal.status if refusal else HTTPStatus.OK))


def _context(request: HttpRequest, key: Key) -> dict[str, Any]:
    at, report, case = clock.now(), key.report, key.case
    proofs = list(case.proofs.filter(phase__in=[Proof.Phase.AFTER]).select_related("picture")) if case.ended_at else []
    own = list(report.proofs.select_related("picture"))
    clocks: list[Clock] = list(load(case.clocks).values())
    account = entry.account_of(request)
    shown: dict[str, Any] = {"own": own, "proofs": proofs, "picture_url": lambda pk, size: key.url("my_picture", pk, size)}
    return story(case, report, at, is_rated=hasattr(report, "rating"), **shown) | {
        "report": report,
        "urls": key.all_urls(),
        "token": "" if key.account else key.value,
        "is_new": request.GET.get("new") == "1",
        "link": "" if key.account else request.build_absolute_uri(key.url("mine")),
        "is_kept": bool(account) and services.is_of_account(account, report),
        "may_keep": bool(account) and not key.account and services.may_keep(report, account, reading.device_of(request)),
        "scores": SCORES,
        "given": request.POST,
        "is_reopening": request.path.endswith("/reopen"),
        "clock_lines": present.clock_lines(clocks, for_reporter=True),
        "windows": services.windows(case, report, at=at),
    }


def story(
    case: Case,
    report: Report,
    at: datetime,
    *,
    own: Sequence[Proof] = (),
    proofs: Sequence[Proof] = (),
    picture_url: Callable[[int, str], str] | None = None,
    is_rated: bool = False,
) -> dict[str, Any]:
    """How the case stands and how it came there, as a reporter is told it; with pictures where they can be opened."""
    events = reporter_timeline(case)
    return {
        "case": case,
        "row": present.own_row(case, report, at),
        "now": at,
        "steps": present.steps(case, is_rated=is_rated),
        "timeline": present.reporter_entries(events, own, proofs, picture_url),
        "next": present.what_next(case, at, events),
    }


def _picture(request: HttpRequest, asked: Asked, proof_id: int, variant: str) -> HttpResponse:
    """A photo the reporter sent, or one of what was done."""
    key = asked.open()
    report, case = key.report, key.case
    proof = case.proofs.filter(pk=proof_id).first() or report.proofs.filter(pk=proof_id).first()
    if proof is None or not (proof.report_id == report.pk or (proof.phase == Proof.Phase.AFTER and case.ended_at)):
        raise NotFound("picture_not_found", "")
    return moves.picture_of(request, proof.case, proof.pk, variant)


my_picture, own_my_picture = both(_picture, require_GET)


# -- what can be done there --------------------------------------------------------------------------------------------


def _act(request: HttpRequest, asked: Asked, act: Callable[[HttpRequest, Key, datetime], None]) -> HttpResponse:
    """Do it once, and back to the page; a refusal stands on the page."""

    def run() -> HttpResponse:
        key = asked.open()
        act(request, key, clock.now())
        answer = HttpResponseRedirect(key.url("mine"))
        answer.status_code = 303
        return answer

    try:
        return once(request, run, scope=asked.scope)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        return page(request, asked.open(), refusal)


def _rate(request: HttpRequest, key: Key, at: datetime) -> None:
    solved = request.POST.get("is_solved")
    if solved not in {"yes", "no"}:
        raise Refusal("verdict_missing", _("请选择问题解决了没有。"), facts={"field": "is_solved"})
    services.rate(
        key.case,
        report=key.report,
        is_solved=solved == "yes",
        satisfaction=reading.whole(request.POST, "satisfaction") or 0,
        text=request.POST.get("text", ""),
        by=key.actor,
        at=at,
    )


def _reopen(request: HttpRequest, key: Key, at: datetime) -> None:
    services.reopen(key.case, text=request.POST.get("text", ""), by=key.actor, at=at)


def _rate_once(request: HttpRequest, asked: Asked) -> HttpResponse:
    """评价 one's own closed case."""
    return _act(request, asked, _rate)


def _reopen_once(request: HttpRequest, asked: Asked) -> HttpResponse:
    """The fix did not hold: once, within the window."""
    return _act(request, asked, _reopen)


rate, own_rate = both(_rate_once, require_POST)
reopen, own_reopen = both(_reopen_once, require_POST)


# -- the keys themselves, and what is kept about their holder ----------------------------------------------------------


@private_link
@require_POST
@needs_account
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """A report opened by its link becomes one of the account's own: it is answered there and stays when the link is lost."""
    asked = Asked(request, token=token)
    key = asked.open()
    services.keep_for_account(key.report, account=asked.account, device=reading.device_of(request), at=clock.now())
    return redirect("cases:own_mine", report_id=key.report.pk)


@private_link
@require_POST
@needs_account
def own_leave(request: HttpRequest) -> HttpResponse:
    """This browser is nobody's again; with ``what=all`` every browser the account came in by."""
    account = entry.account_of(request)
    if request.POST.get("what") == "all":
        end_account_sessions(account, at=clock.now())
    entry.leave(request)
    return entry.stay_out(redirect("web:home"))


@private_link
@require_POST
def revoke(request: HttpRequest, token: str) -> HttpResponse:
    """The link is lost or was shared: it stops working. The report stays, and can be found by number and phone."""
    key = Asked(request, token=token).open()
    services.revoke_link(key.report, at=clock.now())
    return private(render(request, "cases/link_gone.html", {"number": key.case.number}))


def _export(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Everything kept about the holder of the key, as a file."""
    report, device = asked.open().report, reading.device_of(request)
    kept = services.export_person(report, device=device, account=asked.account, at=clock.now())
    answer = JsonResponse(kept, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="my-reports.json"'
    return private(answer)


export, own_export = both(_export, require_GET)


def _erase(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Delete what names the holder of the key, by an account all of its reports; asked twice, since it cannot be undone."""
    key, account = asked.open(), asked.account
    if request.method != "POST":
        of_account = services.is_of_account(account, key.report)  # by its link too: then it reaches as far
        context = {"urls": key.all_urls(), "case": key.case, "of_account": of_account, "by_account": bool(key.account)}
        return private(render(request, "cases/erase.html", context))
    services.erase_person(key.report, device=reading.device_of(request), account=account, at=clock.now())
    return private(render(request, "cases/link_gone.html", {"number": key.case.number, "is_erased": True}))


erase, own_erase = both(_erase, READ_AND_POST)
