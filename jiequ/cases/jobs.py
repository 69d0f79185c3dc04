"""What the loop does by itself: clock marks, telling reporters, resuming, following the calendar, forgetting."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q

from jiequ.channels.services import Notice, send
from jiequ.core.calendar import calendar_for, on_change
from jiequ.core.errors import Refusal
from jiequ.core.jobs import JobSpec, enqueue, every, job
from jiequ.core.models import Street
from jiequ.people.rules import Actor, Role

from . import clocks as c
from . import jobs_hooks
from .access import case_by_id
from .flow import ENDED, State
from .models import Case, CaseEvent, Report, Reporter, Source
from .policy import Policy
from .services import (
    asking,
    forget_lots,
    import_issues,
    knowing,
    moving,
    rollups,
    saving,
    searching,
    speaking,
    sweep_readings,
    telling,
)
from .services.voice import erase_reports

__all__ = ["jobs_hooks"]  # its jobs are registered with these
RECOMPUTE, RECOUNT = "cases.recompute", "cases.recount"
FORGET, FORGET_NAMELESS = "cases.forget_more", "cases.forget_more_nameless"
_BATCH = 200


@job(moving.MARK)
def clock_mark(*, case_id: int, clock: str, mark: str, due: str, at: datetime) -> None:
    """A clock reaches yellow, red or half as long again. A clock that was stopped, paused or moved meanwhile says nothing."""
    case = case_by_id(Actor.system(), case_id)
    kind = c.ClockKind(clock)
    ticking = c.load(case.clocks).get(kind)
    if ticking is None or not ticking.is_running or ticking.due_at.isoformat() != due:
        return
    CaseEvent.objects.create(case=case, move="light", state=case.state, facts={"clock": clock, "mark": mark, "due": due}, at=at)
    notices = [n for n in (_told_at(case, kind, mark, due),) if n]
    if kind in {c.ClockKind.HANDLE, c.ClockKind.OUTER} and mark == "red":
        Case.objects.filter(pk=case.pk).update(is_late=True)
        speaking.urge(case, by=Actor.system(), at=at, cause="clock")
        enqueue(
            JobSpec(
                moving.TELL,
                {"case_id": case.pk, "template": "reporter_late", "event_id": 0},
                run_at=at,
                key=f"tell:late:{case.pk}:{kind}:{due}",
                street_id=case.street_id,
            )
        )
    send(notices, at=at)


def _told_at(case: Case, kind: c.ClockKind, mark: str, due: str) -> Notice | None:
    """The escalation ladder (DOMAIN §3): at yellow who does the work, at red who answers for it, later the leader."""
    template = "due_soon" if mark == "yellow" else "overdue"
    key = f"case:{case.pk}:mark:{kind}:{mark}:{due}"
    due_at = datetime.fromisoformat(due)
    if mark == "leader":
        return moving.notice(case, template, key=key, post=(Role.LEADER, case.street_id, None), due_at=due_at)
    if kind in {c.ClockKind.ACCEPT, c.ClockKind.DISPATCH, c.ClockKind.CHECK, c.ClockKind.VERIFY}:
        if mark == "yellow":
            return None
        return moving.notice(case, template, key=key, post=(Role.DUTY_LEADER, case.street_id, None), due_at=due_at)
    if mark == "yellow" and case.handler_id:
        return moving.notice(case, template, key=key, person_id=case.handler_id, due_at=due_at)
    if case.lead_id:
        post = (Role.DEPARTMENT_LEAD, case.street_id, case.lead_id)
        return moving.notice(case, template, key=key, post=post, due_at=due_at)
    return moving.notice(case, template, key=key, post=(Role.DUTY_LEADER, case.street_id, None), due_at=due_at)


@job(moving.TELL)
def tell_reporters(*, case_id: int, template: str, event_id: int, at: datetime) -> None:
    """Every reporter of the case who left an account or a phone is told in their language; others see it behind their link."""
    case = case_by_id(Actor.system(), case_id)
    where = Report.objects.filter(Q(case=case) | Q(origin=case))  # merged since: its own reporters, not the other case's
    if template in {"reporter_merged", "reporter_unmerged"}:
        where = where.filter(origin=case)
    named = where.exclude(reporter=None).exclude(reporter__phone_sealed="", reporter__account_sealed="")
    reports = named.select_related("reporter")
    shown = case.merged_into if template == "reporter_merged" and case.merged_into else case
    send(telling.notices_for(case, shown, template, reports, event_id=event_id), at=at)


@job(asking.RESUME)
def resume_case(*, case_id: int, version: int, at: datetime) -> None:
    """A suspension's time is over; a case resumed by hand before then, or suspended anew, is left alone.

    ``version``: the case's after the suspension. A resumption that was undone has raised it since; the suspension stands.
    """
    case = case_by_id(Actor.system(), case_id)
    last = case.events.filter(move="suspend").order_by("-pk").values_list("facts__version", flat=True).first()
    if case.state == State.SUSPENDED and last == version:
        asking.resume(case, by=Actor.system(), at=at)


@on_change
def calendar_changed(first: date, last: date, edition: int, at: datetime) -> None:
    """The day table changed: open clocks are worked out again, a batch a job, and the change stands in their history."""
    enqueue(JobSpec(RECOMPUTE, {"after": 0, "edition": edition}, run_at=at, key=f"recompute:{edition}:0"))


@job(RECOMPUTE, promise_seconds=3600)
def recompute(*, after: int, edition: int, at: datetime) -> None:
    """One batch of open cases by id, and the next batch's job."""
    cases = list(
        Case.objects.filter(pk__gt=after).exclude(state__in=list(ENDED)).select_related("street").order_by("pk")[:_BATCH]
    )
    for case in cases:
        _recompute(case, at=at, edition=edition)
    if len(cases) == _BATCH:
        last = cases[-1].pk
        key = f"recompute:{edition}:{last}"
        enqueue(JobSpec(RECOMPUTE, {"after": last, "edition": edition}, run_at=at, key=key))


def _recompute(case: Case, *, at: datetime, edition: int, tries: int = 3) -> None:
    """One case by the new table; one that moves meanwhile is read again, so that it holds up no other."""
    calendar = calendar_for()
    clocks = c.load(case.clocks)
    fresh = {kind: c.recompute(clock, at=at, calendar=calendar, reason=f"calendar {edition}") for kind, clock in clocks.items()}
    changed = [kind for kind in clocks if fresh[kind] != clocks[kind]]
    if not changed:
        return
    fields = moving.clock_fields(fresh, at=at)
    if not moving.store_clocks(case, fields):
        if tries <= 1:
            raise Refusal("moved_on", "the case moved while its clocks were worked out again")
        _recompute(case_by_id(Actor.system(), case.pk), at=at, edition=edition, tries=tries - 1)
        return
    facts = {"clocks": changed, "edition": edition}
    event = CaseEvent.objects.create(case=case, move="recompute", state=case.state, facts=facts, at=at)
    specs = [spec for kind in changed for spec in moving.clock_timers(case.pk, fresh[kind], calendar, street_id=case.street_id)]
    if case.promised_at is not None and fields.get("promised_at", case.promised_at) != case.promised_at:
        specs.append(moving.tell_job(case, "reporter_promise_changed", event, at=at, undo_seconds=0))
    enqueue(*specs)


@every("cases.rollups", daily_at="03:20")
def recount_rollups(*, at: datetime) -> None:
    """The map's counts are counted anew; what differs is logged as an error and put right, empty rows go. A job a street."""
    night = moving.local_day(at)
    enqueue(
        *(
            JobSpec(RECOUNT, {"street_id": pk}, run_at=at, key=f"recount:{night}:{pk}", street_id=pk)
            for pk in Street.objects.values_list("pk", flat=True)
        )
    )


@job(RECOUNT, promise_seconds=3600)
def recount_street(*, street_id: int, at: datetime) -> None:
    """One street; its writers wait for the fraction of a second that takes."""
    rollups.recount(repair=True, street_id=street_id)


@job(import_issues.APPLY, promise_seconds=3600)
def apply_import(*, issue_id: int, at: datetime, turn: int = 0) -> None:
    """One batch of the cases that wait for a word's meaning, and the next batch's job."""
    if import_issues.apply_some(issue_id, at=at):
        args = {"issue_id": issue_id, "turn": turn + 1}
        enqueue(JobSpec(import_issues.APPLY, args, run_at=at, key=f"{import_issues.APPLY}:{issue_id}:{turn + 1}"))


@every("cases.sweep_desk", seconds=60)
def sweep_desk(*, at: datetime) -> None:
    """Who read what is gone a minute after they closed it; how a lot went, after a day."""
    sweep_readings(at=at)
    forget_lots(at=at)


@job(searching.INDEX_TEXTS, promise_seconds=24 * 3600)
def index_texts(*, after: int, at: datetime, until: int = 0) -> None:
    """Cases without a search text get one, a batch a job: those from before there was one, and rows put in from outside."""
    last = searching.index_missing(after=after, size=_BATCH, until=until)
    if last is not None:
        args = {"after": last, "until": until}
        enqueue(JobSpec(searching.INDEX_TEXTS, args, run_at=at, key=f"index-texts:{last}:{until}"))


@every("cases.known", daily_at="04:20", outside=True)
def learn_what_is_common(*, at: datetime) -> None:
    """How common each n-gram of the newest reports is, so that what is rare decides; a second of counting."""
    knowing.learn_weights(at=at)


@every("cases.sweep_filters", daily_at="03:10")
def sweep_filters(*, at: datetime) -> None:
    """Saved filters that were removed a month ago."""
    saving.sweep(at=at)


@every("cases.forget", daily_at="02:30")
def forget_reporters(*, at: datetime) -> None:
    """The nightly anonymising job: an identity goes a street's ``keep_days`` after the last of its cases has ended.

    So do the words, browser and link of whoever left no name: words may say who somebody is.
    """
    _forget_some(after=0, at=at)
    _forget_nameless(at=at)


@job(FORGET, promise_seconds=3600)
def forget_more(*, after: int, at: datetime) -> None:
    """The next batch of the same night."""
    _forget_some(after=after, at=at)


def _forget_some(*, after: int, at: datetime) -> None:
    today = moving.local_day(at)
    due = Reporter.objects.filter(erased_at=None, keep_until__lt=today, pk__gt=after).order_by("pk")
    reporters = list(due.prefetch_related("reports__case", "reports__street")[:_BATCH])
    for reporter in reporters:
        reports = list(reporter.reports.all())
        keep_until = _keep_until(reports, today)
        if keep_until < today:
            erase_reports(reports, at=at)
        else:
            Reporter.objects.filter(pk=reporter.pk).update(keep_until=keep_until)
    if len(reporters) == _BATCH:
        last = reporters[-1].pk
        enqueue(JobSpec(FORGET, {"after": last}, run_at=at, key=f"forget:{today}:{last}"))


@job(FORGET_NAMELESS, promise_seconds=3600)
def forget_more_nameless(*, at: datetime) -> None:
    """The next batch of the same night."""
    _forget_nameless(at=at)


def _forget_nameless(*, at: datetime) -> None:
    nameless = Report.objects.filter(reporter=None, source__in=[Source.RESIDENT, Source.CALLER])
    telling = nameless.exclude(words="", place_words="", device_blind="", token_hash="").select_related("case", "reporter")
    for street in Street.objects.order_by("pk"):
        before = at - timedelta(days=Policy.of(street.settings).keep_days + 1)
        reports = list(telling.filter(street=street, case__ended_at__lt=before).order_by("pk")[:_BATCH])
        erase_reports(reports, at=at)
        if len(reports) == _BATCH:
            key = f"forget:{street.pk}:{reports[-1].pk}"
            enqueue(JobSpec(FORGET_NAMELESS, {}, run_at=at, key=key))


def _keep_until(reports: list[Report], today: date) -> date:
    """The last day on which the reporter of these reports is still known; while one is open, a day to look again."""
    last = date.min
    for report in reports:
        if report.case.ended_at is None:
            return today + timedelta(days=30)
        kept = timedelta(days=Policy.of(report.street.settings).keep_days)
        last = max(last, moving.local_day(report.case.ended_at) + kept)
    return last
