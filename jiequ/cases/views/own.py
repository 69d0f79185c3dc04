"""One's own report: for whoever holds its private link, and for the outside account (a WeChat follower's) it was made by.

Both keys open the same pages; what differs is the address, and that an account's reports make a list (我的上报).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal, Unauthenticated
from jiequ.core.http import wants_json
from jiequ.core.once import once
from jiequ.people import entry, ways_in
from jiequ.people.access import private_link
from jiequ.people.rules import Actor
from jiequ.people.services import end_account_sessions

from .. import services
from ..access import CASE_RELATED, case_by_id
from ..clocks import Clock, load
from ..forms import SCORES
from ..models import Case, Proof, Report
from ..queries.page import reporter_timeline
from . import moves, present, reading

PAGE = 20
View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Key:
    """A report opened: by its private link's token, or (``account``) as one of an account's own."""

    report: Report
    case: Case
    actor: Actor
    value: str | int
    account: str = ""

    def url(self, name: str, *args: object) -> str:
        """The address of one of this report's pages."""
        return reverse(f"cases:{'own_' if self.account else ''}{name}", args=[self.value, *args])

    def all_urls(self) -> dict[str, str]:
        """What its templates lead to."""
        return {name: self.url(name) for name in ("mine", "rate", "reopen", "export", "erase")}


def by_link(request: HttpRequest, token: str) -> Key:
    """By the private link; NotFound once it is revoked or over."""
    report = services.report_of_link(token, at=clock.now())
    return _key(report, token)


def by_account(request: HttpRequest, report_id: int) -> Key:
    """As one of the account's own this browser came in by; NotFound for anybody else's, told like one that never was."""
    account = entry.account_of(request)
    report = services.reports_of_account(account).filter(pk=report_id).first() if account else None
    if report is None:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    return _key(report, report.pk, account)


def _key(report: Report, value: str | int, account: str = "") -> Key:
    actor = Actor.resident(report.pk, language=get_language() or report.language)
    return Key(report, case_by_id(actor, report.case_id), actor, value, account)


def needs_account(view: View) -> View:
    """Whoever came in by no account is led round by the channel whose browser it is, or told where to open the page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if entry.account_of(request):
            return view(request, *args, **kwargs)
        if wants_json(request):
            raise Unauthenticated("link_no_account", _("请从街道的公众号菜单打开“我的上报”。"))
        round_about = ways_in.round_by_channel(request, request.get_full_path()) if request.method == "GET" else None
        return round_about or (redirect("cases:own_list") if kwargs else _away(request))

    return wrapped


def _away(request: HttpRequest) -> HttpResponse:
    """The list's page for a stranger. Of a report nothing is said, not even whether there is one: its pages lead here."""
    context = {"way_in": ways_in.at_home(request, reverse("cases:own_list"))}
    return private(render(request, "cases/own_away.html", context, status=HTTPStatus.UNAUTHORIZED))


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


@private_link
@require_GET
def mine(request: HttpRequest, token: str) -> HttpResponse:
    """One report, for whoever holds its link: what happened, what comes next, until when, and who."""
    key = by_link(request, token)
    if account := entry.account_of(request):
        services.keep_if_own_browser(key.report, account=account, device=reading.device_of(request), at=clock.now())
    return page(request, key)


@private_link
@require_GET
@needs_account
def own_mine(request: HttpRequest, report_id: int) -> HttpResponse:
    """The same for the account's own."""
    return page(request, by_account(request, report_id))


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
    events = reporter_timeline(case)
    proofs = list(case.proofs.filter(phase__in=[Proof.Phase.AFTER]).select_related("picture")) if case.ended_at else []
    own = list(report.proofs.select_related("picture"))
    clocks: list[Clock] = list(load(case.clocks).values())
    account = entry.account_of(request)
    return {
        "report": report,
        "case": case,
        "row": present.own_row(case, report, at),
        "now": at,
        "urls": key.all_urls(),
        "token": "" if key.account else key.value,
        "is_new": request.GET.get("new") == "1",
        "link": "" if key.account else request.build_absolute_uri(key.url("mine")),
        "is_kept": bool(account) and services.is_of_account(account, report),
        "may_keep": bool(account) and not key.account and services.may_keep(report, account, reading.device_of(request)),
        "scores": SCORES,
        "given": request.POST,
        "is_reopening": request.path.endswith("/reopen"),
        "steps": present.steps(case, is_rated=hasattr(report, "rating")),
        "timeline": present.reporter_entries(events, own, proofs, lambda pk, size: key.url("my_picture", pk, size)),
        "next": present.what_next(case, at, events),
        "clock_lines": present.clock_lines(clocks, for_reporter=True),
        "windows": services.windows(case, report, at=at),
    }


@private_link
@require_GET
def my_picture(request: HttpRequest, token: str, proof_id: int, variant: str) -> HttpResponse:
    """A photo the reporter sent, or one of what was done."""
    return _picture(request, by_link(request, token), proof_id, variant)


@private_link
@require_GET
@needs_account
def own_my_picture(request: HttpRequest, report_id: int, proof_id: int, variant: str) -> HttpResponse:
    """The same for the account's own."""
    return _picture(request, by_account(request, report_id), proof_id, variant)


def _picture(request: HttpRequest, key: Key, proof_id: int, variant: str) -> HttpResponse:
    report, case = key.report, key.case
    proof = case.proofs.filter(pk=proof_id).first() or report.proofs.filter(pk=proof_id).first()
    if proof is None or not (proof.report_id == report.pk or (proof.phase == Proof.Phase.AFTER and case.ended_at)):
        raise NotFound("picture_not_found", "")
    return moves.picture_of(request, proof.case, proof.pk, variant)


# -- what can be done there --------------------------------------------------------------------------------------------


@private_link
@require_POST
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """评价 one's own closed case."""
    return _act(request, lambda: by_link(request, token), _rate, scope=f"link:{token[:16]}")


@private_link
@require_POST
@needs_account
def own_rate(request: HttpRequest, report_id: int) -> HttpResponse:
    """The same for the account's own."""
    return _act(request, lambda: by_account(request, report_id), _rate, scope=_scope(request))


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


@private_link
@require_POST
def reopen(request: HttpRequest, token: str) -> HttpResponse:
    """The fix did not hold: once, within the window."""
    return _act(request, lambda: by_link(request, token), _reopen, scope=f"link:{token[:16]}")


@private_link
@require_POST
@needs_account
def own_reopen(request: HttpRequest, report_id: int) -> HttpResponse:
    """The same for the account's own."""
    return _act(request, lambda: by_account(request, report_id), _reopen, scope=_scope(request))


def _reopen(request: HttpRequest, key: Key, at: datetime) -> None:
    services.reopen(key.case, text=request.POST.get("text", ""), by=key.actor, at=at)


Act = Callable[[HttpRequest, Key, datetime], None]


def _scope(request: HttpRequest) -> str:
    return f"account:{entry.account_of(request)}"


def _act(request: HttpRequest, open_key: Callable[[], Key], act: Act, *, scope: str) -> HttpResponse:
    """Do it once (``scope``: within which repeated forms are the same), and back to the page; a refusal stands on the page."""

    def run() -> HttpResponse:
        key = open_key()
        act(request, key, clock.now())
        answer = HttpResponseRedirect(key.url("mine"))
        answer.status_code = 303
        return answer

    try:
        return once(request, run, scope=scope)
    except Refusal as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY or wants_json(request):
            raise
        return page(request, open_key(), refusal)


# -- the keys themselves, and what is kept about their holder ----------------------------------------------------------


@private_link
@require_POST
@needs_account
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """A report opened by its link becomes one of the account's own: it is answered there and stays when the link is lost."""
    key, account = by_link(request, token), entry.account_of(request)
    services.keep_for_account(key.report, account=account, device=reading.device_of(request), at=clock.now())
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
    key = by_link(request, token)
    services.revoke_link(key.report, at=clock.now())
    return private(render(request, "cases/link_gone.html", {"number": key.case.number}))


@private_link
@require_GET
def export(request: HttpRequest, token: str) -> HttpResponse:
    """Everything kept about the holder of the link, as a file."""
    return _export(request, by_link(request, token))


@private_link
@require_GET
@needs_account
def own_export(request: HttpRequest, report_id: int) -> HttpResponse:
    """Everything kept about the account's holder."""
    return _export(request, by_account(request, report_id))


def _export(request: HttpRequest, key: Key) -> HttpResponse:
    kept = services.export_person(
        key.report, device=reading.device_of(request), account=entry.account_of(request), at=clock.now()
    )
    answer = JsonResponse(kept, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = 'attachment; filename="my-reports.json"'
    return private(answer)


@private_link
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Delete what names the holder of the link; asked twice, since it cannot be undone."""
    return _erase(request, by_link(request, token))


@private_link
@require_http_methods(["GET", "HEAD", "POST"])
@needs_account
def own_erase(request: HttpRequest, report_id: int) -> HttpResponse:
    """The same for the account's holder: all of its reports."""
    return _erase(request, by_account(request, report_id))


def _erase(request: HttpRequest, key: Key) -> HttpResponse:
    account = entry.account_of(request)
    if request.method != "POST":
        of_account = services.is_of_account(account, key.report)  # by its link too: then it reaches as far
        context = {"urls": key.all_urls(), "case": key.case, "of_account": of_account, "by_account": bool(key.account)}
        return private(render(request, "cases/erase.html", context))
    services.erase_person(key.report, device=reading.device_of(request), account=account, at=clock.now())
    return private(render(request, "cases/link_gone.html", {"number": key.case.number, "is_erased": True}))


def private(answer: HttpResponse) -> HttpResponse:
    """A page whose address or session is its key: nobody keeps it, nobody is told where the reader came from."""
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "same-origin"
    return answer
