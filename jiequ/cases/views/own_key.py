"""Which report of one's own is asked for: by its private link, or as one of those of the account this browser came in by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.errors import NotFound, Unauthenticated
from jiequ.core.http import wants_json
from jiequ.people import entry, ways_in
from jiequ.people.access import private_link
from jiequ.people.rules import Actor

from .. import services
from ..access import case_by_id
from ..models import Case, Report

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


@dataclass(frozen=True, slots=True)
class Asked:
    """A report asked for and not opened yet: by a link's token, or by its number among the account's own."""

    request: HttpRequest
    token: str = ""
    report_id: int = 0

    @property
    def account(self) -> str:
        """The account this browser came in by; whoever holds a link may have one too."""
        return entry.account_of(self.request)

    @property
    def scope(self) -> str:
        """Within which repeated forms are the same."""
        return f"link:{self.token[:16]}" if self.token else f"account:{self.account}"

    def open(self) -> Key:
        """The report as it is now. NotFound for a link that is revoked or over, and for anybody else's report, told like one
        that never was."""
        if self.token:
            report: Report | None = services.report_of_link(self.token, at=clock.now())
        else:
            report = services.reports_of_account(self.account).filter(pk=self.report_id).first()
        if report is None:
            raise NotFound("report_not_found", _("没有找到这条上报。"))
        actor = Actor.resident(report.pk, language=get_language() or report.language)
        case = case_by_id(actor, report.case_id)
        return Key(report, case, actor, self.token or report.pk, "" if self.token else self.account)


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


def both(view: View, method: Callable[[View], View]) -> tuple[View, View]:
    """The page behind either key: by the private link, and as one of the account's own. ``view`` takes the request, what was
    ``Asked`` for, and whatever else stands in the address."""

    @wraps(view)
    def linked(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, Asked(request, token=token), *args, **kwargs)

    @wraps(view)
    def own(request: HttpRequest, report_id: int, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, Asked(request, report_id=report_id), *args, **kwargs)

    return private_link(method(linked)), private_link(method(needs_account(own)))


def private(answer: HttpResponse) -> HttpResponse:
    """A page whose address or session is its key: nobody keeps it, nobody is told where the reader came from."""
    answer["Cache-Control"] = "private, no-store"
    answer["Referrer-Policy"] = "same-origin"
    return answer
