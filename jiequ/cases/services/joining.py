"""并案, 撤销并案 and 拆分: two reports of one matter, or one report of two."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor, Role

from .. import clocks as c
from ..access import Standing, case_for
from ..flow import ENDED, MOVES, State
from ..models import Case, CaseEvent, Proof, Report, Source, Task, TaskKind
from ..policy import Policy
from . import moving, searching, speaking
from .intake import Account, Place, Reported, add_photos, add_report, check_words, report_case
from .moving import Change, End


def me_too(case: Case, *, account: Account, by: Actor, at: datetime) -> Reported:
    """Another voice on a matter that is already known: a report of its own in the same case, told like the first reporter.

    Every third voice (a street's setting) urges whoever has the case (督办 by a repeated report, DOMAIN §2), and so does
    any voice on a matter that has been open for some days (another setting) and is not being urged. A voice past the
    limits is kept and marked, but neither counts nor urges: a machine must not hurry a department.
    """
    check_words(account, may_be_empty=True)
    policy = moving.policy_of(case)
    with moving.writing():
        report, token = add_report(case, account, by=by, at=at, policy=policy, is_first=False)
        add_photos(case, report, account, phase=Proof.Phase.REPORT, by=by, at=at)
        searching.add(case.pk, [account.words, account.place.words])
        voiced = Actor.resident(report.pk, language=by.language) if _is_resident(by) else by
        change = Change(fields={"voices": F("voices") + 1}, facts={"report": report.pk})
        if account.is_suspect:
            change = Change(facts={"report": report.pk, "suspect": True})
        moving.make(case, "me_too", change, by=voiced, at=at)
        if account.is_suspect:
            return Reported(case, report, token, is_new=False)
        case.refresh_from_db(fields=["voices"])
        if case.state in MOVES["urge"].sources and _urges(case, policy, at=at):
            speaking.urge(case, by=Actor.system(), at=at, cause="repeat")
    return Reported(case, report, token, is_new=False)


def _urges(case: Case, policy: Policy, *, at: datetime) -> bool:
    """True if this voice hurries whoever has the case: the n-th one, or one after days without an end."""
    if case.voices % policy.repeat_urge == 0:
        return True
    is_old = at - case.reported_at >= timedelta(days=policy.repeat_urge_days)
    return is_old and not case.tasks.filter(kind=TaskKind.URGE, state=Task.State.OPEN).exists()


def _is_resident(by: Actor) -> bool:
    return by.person_id is None and by.has(Role.RESIDENT)


def merge(case: Case, *, into: str, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """This case becomes part of another of the street; its reporters are told and go on following the other's timeline."""
    target = case_for(by, into.strip())
    if target.pk == case.pk or target.street_id != case.street_id or target.state in ENDED:
        raise Refusal("bad_target", _("只能并入本街道另一个未办结的案件。"), facts={"field": "into"})
    clocks, calendar = moving.ticking(case)
    for kind, clock in clocks.items():
        if clock.is_running:
            clocks[kind] = c.pause(clock, at=at, calendar=calendar, by=by.name, reason="merge")
    change = Change(
        fields={"merged_into": target, "state_before": case.state},
        clocks=clocks,
        text=text,
        ends=[End({"kind__in": list(TaskKind)}, Task.State.WITHDRAWN, "merge")],
        notices=moving.tell_lead(case, "merged"),
        tell="reporter_merged",
    )
    with moving.writing():
        voices = _held(case, target)[case.pk]
        moved = list(Report.objects.filter(case=case).values_list("pk", flat=True))
        change.facts = {"into": target.number, "reports": moved}
        event = moving.make(case, "merge", change, by=by, at=at, version=version)
        Report.objects.filter(case=case).update(case=target)
        arrival = Change(fields={"voices": F("voices") + voices}, facts={"from": case.number, "reports": len(moved)})
        moving.make(target, "me_too", arrival, by=Actor.system(), at=at)
        searching.reindex([case.pk, target.pk])
    return event


def _held(*cases: Case) -> dict[int, int]:
    """The voices of each; until the end nobody else adds one or moves them. The smaller case first, so that two who merge a
    pair from both sides wait for each other in one order and neither is ended as a deadlock."""
    held = Case.objects.select_for_update().filter(pk__in=[case.pk for case in cases]).order_by("pk")
    return dict(held.values_list("pk", "voices"))


def unmerge(case: Case, *, by: Actor, at: datetime, version: int | None = None, text: str = "") -> CaseEvent:
    """Undo a wrong merge: back to the state before, the reports come home, the clocks count on; reporters are told."""
    Standing(by, case).check("unmerge")
    target = case.merged_into
    assert target is not None  # a constraint of the table
    clocks, calendar = moving.ticking(case)
    for kind, clock in clocks.items():
        if clock.condition == "paused":
            clocks[kind] = c.resume(clock, at=at, calendar=calendar, by=by.name, reason="unmerge")
    change = Change(
        target=State(case.state_before),
        fields={"merged_into": None, "ended_at": None, "state_before": ""},
        clocks=clocks,
        text=text,
        facts={"out_of": target.number},
        notices=moving.tell_lead(case, "unmerged"),
        tell="reporter_unmerged",
    )
    joined = case.events.filter(move="merge").order_by("-pk").values_list("facts", flat=True).first() or {}
    with moving.writing():
        event = moving.make(case, "unmerge", change, by=by, at=at, version=version)
        hosts = _hosts(target)
        Report.objects.filter(pk__in=joined.get("reports", ()), case_id__in=hosts).update(case=case)
        Task.objects.filter(case=case, state=Task.State.WITHDRAWN, outcome="merge").update(
            state=Task.State.OPEN, outcome="", done_at=None, done_by_id=None, done_version=None
        )
        Case.objects.filter(pk__in=hosts, voices__gt=case.voices).update(voices=F("voices") - case.voices)
        searching.reindex([case.pk, *hosts])
    return event


def _hosts(target: Case) -> list[int]:
    """The case merged into and, where that was merged on meanwhile, those its reports went on to."""
    found, last = [target.pk], target.merged_into_id
    while last is not None and last not in found:
        found.append(last)
        last = Case.objects.filter(pk=last).values_list("merged_into_id", flat=True).first()
    return found


def split(case: Case, *, words: str, by: Actor, at: datetime, place: Place | None = None) -> Reported:
    """One report with two matters: the second becomes a case of its own, with the first one's place, photos and reporter."""
    Standing(by, case).check("split")
    moving.need_text(words)
    first = case.reports.order_by("pk").first()
    account = Account(source=Source.SPLIT, words=words, place=place or _place_of(case), is_urgent=case.is_urgent)
    with moving.writing():
        second = report_case(street_id=case.street_id, account=account, by=by, at=at)
        moving.link_split(second.case, case)
        if first is not None:
            Report.objects.filter(pk=second.report.pk).update(reporter=first.reporter, language=first.language)
        Proof.objects.bulk_create(
            Proof(case=second.case, kind="photo", phase=p.phase, picture_id=p.picture_id, at=p.at, by_id=p.by_id)
            for p in case.proofs.filter(phase=Proof.Phase.REPORT, picture__isnull=False)
        )
        moving.make(case, "split", Change(text=words, facts={"to": second.case.number}, tell="reporter_split"), by=by, at=at)
    return second


def _place_of(case: Case) -> Place:
    if case.lon is not None:
        return Place(x=case.lon, y=case.lat, system="cgcs2000", words=case.address)
    return Place(community_id=case.community_id, unit_grid_id=case.unit_grid_id, words=case.address)
