"""A report that was made without an account is taken over by one: its holder opened the private link while signed in."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from jiequ.channels.services import forget, seal_account
from jiequ.core import audit, secrets
from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.errors import Refusal

from ..models import Report, Reporter
from .intake import ACCOUNT_LOOKUP, DEVICE_LOOKUP, Contact, new_reporter
from .moving import Policy, about


def is_of_account(account: str, report: Report) -> bool:
    """True if the report is answered to this account."""
    blind = report.reporter.account_blind if report.reporter else ""
    return bool(account and blind) and blind == secrets.blind(account, ACCOUNT_LOOKUP)


def is_own_browser(device: str, report: Report) -> bool:
    """True if the report was made in the browser that holds this device cookie."""
    return bool(device and report.device_blind) and report.device_blind == secrets.blind(device, DEVICE_LOOKUP)


def _is_free(report: Report) -> bool:
    return report.reporter is None or not report.reporter.account_blind


def may_keep(report: Report, account: str, device: str) -> bool:
    """True if whoever holds the link may make the report their account's: it is no account's yet, or another holder of the
    link took it over although it was made in this very browser (``device``: its cookie)."""
    if not account or is_of_account(account, report) or (report.reporter and report.reporter.erased_at):
        return False
    return _is_free(report) or is_own_browser(device, report)


def keep_if_own_browser(report: Report, *, account: str, device: str, at: datetime) -> bool:
    """Takes the report over without a word where the browser that opens the link is the one it was made in, and no account
    has it yet; whoever was merely sent the link is asked first."""
    if not _is_free(report) or not is_own_browser(device, report) or not may_keep(report, account, device):
        return False
    keep_for_account(report, account=account, device=device, at=at)
    return True


def keep_for_account(report: Report, *, account: str, device: str, at: datetime) -> None:
    """The report is the account's own from now on. Refusal where it is another's."""
    if is_of_account(account, report):
        return
    if not may_keep(report, account, device):
        raise Refusal("kept_by_another", _("这条上报已经在另一个微信号的“我的上报”里。"))
    with writing():
        if not _take(report, account, device, at):
            raise Refusal("kept_by_another", _("这条上报已经在另一个微信号的“我的上报”里。"))
        audit.record(
            street_id=report.street_id,
            person_id=None,
            action="reporter.account_kept",
            object_kind="report",
            object_id=str(report.pk),
            at=at,
        )


def _take(report: Report, account: str, device: str, at: datetime) -> bool:
    """One conditional change: two who take at once do not both have it. A link may be stolen: whoever merely holds it is
    not told the name and phone its sender left (``voice.export_person``)."""
    before = report.reporter
    if before is None:
        fresh = new_reporter(Contact(account=account), at=at, policy=Policy.of(report.street.settings))
        assert fresh is not None
        store([fresh])
        taken = Report.objects.filter(pk=report.pk, reporter=None).update(reporter=fresh)
        if taken:
            report.reporter = fresh
        return bool(taken)
    fields = {
        "account_sealed": seal_account(account),
        "account_blind": secrets.blind(account, ACCOUNT_LOOKUP),
        "account_by_link": not is_own_browser(device, report),
    }
    if not _unchanged(before).update(**fields):
        return False
    for name, value in fields.items():
        setattr(before, name, value)
    return True


def forget_account(account: str, *, at: datetime) -> int:
    """The account ("wechat:17") is nobody's way any more: reports that were answered to it are its no longer, and what was on
    its way to it is taken back. Words, phone and private link stay: they were given by hand. Returns how many reporters."""
    theirs = Reporter.objects.filter(account_blind=secrets.blind(account, ACCOUNT_LOOKUP))
    cases = set(Report.objects.filter(reporter__in=theirs).values_list("case_id", flat=True))
    with writing():
        for case_id in cases:
            forget(about(case_id), account=account)
        return theirs.update(account_sealed="", account_blind="", account_by_link=False)


def _unchanged(before: Reporter) -> QuerySet[Reporter]:
    return Reporter.objects.filter(pk=before.pk, account_blind=before.account_blind, erased_at=None)
