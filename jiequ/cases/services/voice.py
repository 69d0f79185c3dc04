"""The reporter's side: the private link, reopening, rating; and who may learn who the reporter is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.channels.services import forget, unseal_account, unseal_phone
from jiequ.core import audit, pictures, secrets
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.ids import new_token, token_hash
from jiequ.people.rules import Actor, Role
from jiequ.triage import services as triage

from .. import clocks as c
from ..access import Standing, case_by_id
from ..flow import State
from ..models import Case, CaseEvent, Proof, Rating, Report, Reporter
from . import moving
from .filing import desk
from .intake import ACCOUNT_LOOKUP, LAST4_LOOKUP, NAME_PURPOSE, WORDS_MAX
from .keeping import is_of_account, is_own_browser
from .moving import Change

REVEALERS = (Role.ACCEPTOR, Role.DUTY_LEADER)


def report_of_link(token: str, *, at: datetime) -> Report:
    """The report a private link opens; NotFound when it is unknown, revoked or expired, said alike. One SELECT."""
    report = (
        Report.objects.select_related("case", "rating", "street")
        .filter(token_hash=token_hash(token), token_revoked_at=None, token_expires_at__gt=at)
        .first()
    )
    if report is None:
        raise NotFound("link_gone", _("这个链接已失效。可凭编号和手机号后四位查询，或联系街道。"))
    return report


def report_by_number(number: str, last4: str) -> Report:
    """A report found by the case's number and the phone's last four; the caller throttles. NotFound for any mismatch."""
    blind = secrets.blind(last4.strip(), LAST4_LOOKUP)
    found = Report.objects.select_related("case").filter(
        origin__number=number.strip().upper(), reporter__last4_blind=blind, reporter__erased_at=None
    )
    report = found.order_by("pk").first()
    if report is None:
        raise NotFound("report_not_found", _("没有找到。请核对编号和手机号后四位。"))
    return report


def renew_link(report: Report, *, at: datetime) -> str:
    """A fresh token for a report; the link before it stops working."""
    policy = moving.Policy.of(report.street.settings)
    token = new_token()
    expires = at + timedelta(days=policy.link_days)
    Report.objects.filter(pk=report.pk).update(token_hash=token_hash(token), token_expires_at=expires, token_revoked_at=None)
    return token


def revoke_link(report: Report, *, at: datetime) -> None:
    """The link stops working at once."""
    Report.objects.filter(pk=report.pk, token_revoked_at=None).update(token_revoked_at=at)


def reopen(case: Case, *, text: str, by: Actor, at: datetime, version: int | None = None) -> CaseEvent:
    """重新办理, once, within the window: counts as rework, not as a new success (DOMAIN §2)."""
    moving.need_text(text)
    if len(text) > WORDS_MAX:
        raise Refusal("words_too_long", _("文字请不要超过 2000 字。"), facts={"limit": WORDS_MAX})
    Standing(by, case).check("reopen")
    policy = moving.policy_of(case)
    if case.reopens:
        raise Refusal("reopened_before", _("该案已经重新办理过一次，请作为新的问题上报。"))
    if case.ended_at is None or at > case.ended_at + timedelta(days=policy.reopen_days):
        raise Refusal("window_over", _("已超过可重新办理的期限，请作为新的问题上报。"), facts={"days": policy.reopen_days})
    clocks, calendar = moving.ticking(case)
    limit = policy.desk_limit(is_urgent=case.is_urgent, source=case.source)
    moving.started(clocks, c.ClockKind.DISPATCH, limit, at=at, calendar=calendar, by=by, reason="reopen")
    cleared = dict.fromkeys(("ended_at", "handled_at", "confirmed_at", "checked_at", "lead_id", "handler_id"))
    change = Change(
        fields={"reopens": case.reopens + 1, "closing": "", **cleared},
        clocks=clocks,
        text=text,
        facts={"lead": case.lead_id} | ({"report": by.report_id} if by.report_id else {}),
        notices=[moving.notice(case, "reopened", key=moving.move_key(case), post=desk(case, Role.DISPATCHER))],
        tell="reporter_reopened",
    )
    return moving.make(case, "reopen", change, by=by, at=at, version=version)


def rate(
    case: Case,
    *,
    report: Report,
    is_solved: bool,
    satisfaction: int,
    by: Actor,
    at: datetime,
    text: str = "",
) -> CaseEvent:
    """评价 by the reporter, or taken by phone; once a report, within the window."""
    Standing(by, case).check("rate")
    policy = moving.policy_of(case)
    if not 1 <= satisfaction <= 5:
        raise Refusal("bad_score", _("请打 1 至 5 分。"), facts={"field": "satisfaction"})
    if case.ended_at is None or at > case.ended_at + timedelta(days=policy.rating_days):
        raise Refusal("window_over", _("评价期已过，谢谢您的关注。"), facts={"days": policy.rating_days})
    if report.case_id != case.pk:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    if Rating.objects.filter(report=report).exists():
        raise Refusal("rated_already", _("您已经评价过，谢谢。"))
    with writing():
        Rating.objects.create(
            report=report,
            case=case,
            is_solved=is_solved,
            satisfaction=satisfaction,
            text=text[:500],
            at=at,
            taken_by_id=by.person_id,
        )
        facts = {"solved": is_solved, "satisfaction": satisfaction, "by_phone": by.person_id is not None}
        return moving.make(case, "rate", Change(facts=facts), by=by, at=at)


@dataclass(frozen=True, slots=True)
class Revealed:
    """A reporter in the clear, for the one who asked and no longer than the page is open."""

    name: str
    phone: str


def reveal_reporter(report_id: int, *, reason: str, by: Actor, at: datetime) -> Revealed:
    """Who reported: for an acceptor or duty leader of the street, with a reason, logged.

    Never for a handler or an administrator.
    """
    moving.need_text(reason)
    report = Report.objects.select_related("reporter", "case").filter(pk=report_id).first()
    if report is None:
        raise NotFound("report_not_found", _("没有找到这条上报。"))
    case_by_id(by, report.case_id)
    if not by.has(*REVEALERS, street_id=report.street_id):
        raise Forbidden("not_for_you", _("您的岗位不能查看上报人身份。"))
    reporter = report.reporter
    if reporter is None or reporter.erased_at:
        raise Refusal("no_reporter", _("这条上报没有留下身份，或已按期删除。"))
    with writing():
        audit.record(
            street_id=report.street_id,
            person_id=by.person_id,
            action="reporter.reveal",
            object_kind="report",
            object_id=str(report.pk),
            at=at,
            facts={"case": report.case_id},
        )
        CaseEvent.objects.create(
            case=report.case, move="reveal", state=report.case.state, text=reason, at=at, by_id=by.person_id, by_name=by.name
        )
    name = secrets.unseal(reporter.name_sealed, NAME_PURPOSE) if reporter.name_sealed else ""
    return Revealed(name, unseal_phone(reporter.phone_sealed) if reporter.phone_sealed else "")


def export_person(report: Report, *, device: str = "", account: str = "", at: datetime) -> dict[str, Any]:
    """What is kept about the holder of a private link, as data (PIPL §45). Logged.

    A link alone opens its own report. Name, phone and the other reports of that phone come only to the browser
    (``device``: its cookie) they were made in: a link may be stolen, and anybody can type in somebody else's phone. Whoever is
    signed in as the ``account`` the report was made by ("wechat:17", proven by the caller) gets all of that account's; one
    that took it over by its link elsewhere gets its own reports, and of the name and phone nothing.
    """
    knows_them = _knows_them(report, device, account)
    reports = _same_person(report, device, account)
    audit.record(
        street_id=report.street_id,
        person_id=None,
        action="reporter.export",
        object_kind="report",
        object_id=str(report.pk),
        at=at,
        facts={"reports": len(reports)},
    )
    reporter = report.reporter if knows_them else None
    return {
        "name": secrets.unseal(reporter.name_sealed, NAME_PURPOSE) if reporter and reporter.name_sealed else "",
        "phone": unseal_phone(reporter.phone_sealed) if reporter and reporter.phone_sealed else "",
        "account": unseal_account(reporter.account_sealed)[0] if reporter and reporter.account_sealed else "",
        "note": "" if knows_them else _("称呼、电话和同一电话的其他上报，只在当初上报的浏览器里给出。"),
        "reports": [
            {
                "number": r.case.number,
                "at": r.at.isoformat(),
                "words": r.words,
                "place": r.place_words,
                "lon": r.lon,
                "lat": r.lat,
            }
            for r in reports
        ],
    }


def erase_person(report: Report, *, device: str = "", account: str = "", at: datetime) -> int:
    """Everything that names the holder of a private link goes; cases and the audit chain stay whole.

    Reaches as far as ``export_person`` does. Returns the reports touched. While one of the cases is open the phone is
    still needed to answer it: Refusal then.
    """
    reports = _same_person(report, device, account)
    if any(r.case.ended_at is None for r in reports):
        raise Refusal("case_open", _("还有未办结的上报。办结后即可删除，也可以只撤回链接。"))
    with writing():
        erase_reports(reports, at=at)
        audit.record(
            street_id=report.street_id,
            person_id=None,
            action="reporter.erase",
            object_kind="report",
            object_id=str(report.pk),
            at=at,
            facts={"reports": len(reports)},
        )
    return len(reports)


def erase_reports(reports: list[Report], *, at: datetime) -> None:
    """Empties reporters, words that may name somebody, devices and links, and what their cases took of them."""
    for r in reports:
        if r.reporter and (r.reporter.phone_sealed or r.reporter.account_sealed):
            account, phone = r.reporter.account_sealed, r.reporter.phone_sealed
            forget(
                moving.about(r.case_id),
                account=":".join(unseal_account(account)) if account else "",
                phone=unseal_phone(phone) if phone else "",
            )
    ids = [r.pk for r in reports]
    reporters = [r.reporter_id for r in reports if r.reporter_id]
    Reporter.objects.filter(pk__in=reporters, erased_at=None).update(
        name_sealed="",
        phone_sealed="",
        phone_blind="",
        last4_blind="",
        account_sealed="",
        account_blind="",
        erased_at=at,
    )
    Report.objects.filter(pk__in=ids).update(
        words="", place_words="", sketch=None, device_blind="", token_hash="", token_expires_at=None, lon=None, lat=None
    )
    Rating.objects.filter(report_id__in=ids).update(text="")
    _forget_photos(ids)
    triage.forget({n for r in reports for n in (r.case_id, r.origin_id)})
    moving.forget_words({n for r in reports for n in (r.case_id, r.origin_id)}, report_ids=ids)


def _knows_them(report: Report, device: str, account: str) -> bool:
    """True for the browser the report was made in, and for the account it was made by or taken over with there."""
    by_link = report.reporter is not None and report.reporter.account_by_link
    return is_own_browser(device, report) or (is_of_account(account, report) and not by_link)


def reports_of_account(account: str) -> QuerySet[Report]:
    """What was reported by an account ("wechat:17"), newest first, with the case; for its owner, whom the caller has proven."""
    theirs = Report.objects.filter(reporter__account_blind=secrets.blind(account, ACCOUNT_LOOKUP), reporter__erased_at=None)
    return theirs.select_related("case", "reporter").order_by("-pk")


def _forget_photos(report_ids: list[int]) -> None:
    """What the reporters sent; photos of the work done stay. The files go with the nightly sweep."""
    shown = Proof.objects.filter(report__in=report_ids, phase=Proof.Phase.REPORT)
    picture_ids = [pk for pk in shown.values_list("picture_id", flat=True) if pk is not None]
    shown.delete()
    kept = set(Proof.objects.filter(picture__in=picture_ids).values_list("picture_id", flat=True))
    pictures.forget(pk for pk in picture_ids if pk not in kept)


def _same_person(report: Report, device: str, account: str) -> list[Report]:
    """The link's own report (and what was split off it), those of the same phone made in this very browser, the account's."""
    same = Q(pk=report.pk)
    if report.reporter_id:
        same |= Q(reporter_id=report.reporter_id)
    if report.reporter and report.reporter.phone_blind and is_own_browser(device, report):
        same |= Q(reporter__phone_blind=report.reporter.phone_blind, device_blind=report.device_blind)
    if report.reporter and is_of_account(account, report):
        same |= Q(reporter__account_blind=report.reporter.account_blind)
    return list(Report.objects.select_related("case", "reporter").filter(same).order_by("pk"))


@dataclass(frozen=True, slots=True)
class Windows:
    """Until when a reporter may rate, and ask again; None where they may not."""

    rate_until: datetime | None
    reopen_until: datetime | None


def windows(case: Case, report: Report, *, at: datetime) -> Windows:
    """What is still open to this reporter after the case has ended."""
    policy = moving.policy_of(case)
    if case.state != State.CLOSED or case.ended_at is None:
        return Windows(None, None)
    rate_until = case.ended_at + timedelta(days=policy.rating_days)
    reopen_until = case.ended_at + timedelta(days=policy.reopen_days)
    may_rate = at <= rate_until and not hasattr(report, "rating")
    may_reopen = at <= reopen_until and not case.reopens
    return Windows(rate_until if may_rate else None, reopen_until if may_reopen else None)
