"""What an analyst says of a suspect: one verdict by one conditional UPDATE, taken back by its author, overruled with both kept.

One in ten is read by a second person who does not see the first verdict; theirs changes nothing but the agreement.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.rules import Actor

from .. import access
from ..models import Example, FalseAlarm, Reflight, Said, Suspect, SuspectState, Verdict
from ..queries import desk
from .flights import record

STATE_OF = {
    Said.CONFIRMED: SuspectState.CONFIRMED,
    Said.LAWFUL: SuspectState.LAWFUL,
    Said.NOT_CONSTRUCTION: SuspectState.QUIET,
    Said.CANNOT_TELL: SuspectState.REFLIGHT,
}
SETTLED = tuple(STATE_OF.values())


def say(
    suspect: Suspect,
    *,
    said: str,
    version: int,
    by: Actor,
    at: datetime,
    false_alarm: str = "",
    permit_id: int | None = None,
    overrules: bool = False,
) -> Verdict:
    """Store a verdict on the suspect as the reader saw it (its ``version``).

    Refusal for an unknown word or a class without "not construction"; Stale for a suspect that is settled or changed meanwhile.
    """
    access.require_judge(by, suspect.street_id)
    _check_words(said, false_alarm)
    reader_id = by.person_id or 0
    is_second = desk.is_second_for(suspect, reader_id)
    if overrules and suspect.state in SETTLED:
        is_second = False
    elif suspect.state != SuspectState.OPEN and not is_second:
        raise Stale("settled", _("%(number)s 已经判过了。要改判，请在它的页面上选“改判”。") % {"number": suspect.number})
    verdict = Verdict(
        suspect=suspect, finding_id=suspect.latest_id, said=said, false_alarm=false_alarm, permit_id=permit_id,
        geometry=suspect.geometry, is_second=is_second, made_at=at, made_by=reader_id,
        before={"state": suspect.state, "version": version + 1, "came_back": suspect.came_back},
    )  # fmt: skip
    try:
        with writing():
            _store(suspect, verdict, version, at)
            record(by, suspect.street_id, at, "verdict", "suspect", suspect.pk, said=said, false_alarm=false_alarm)
    except IntegrityError:
        raise _changed(suspect) from None
    return verdict


def _check_words(said: str, false_alarm: str) -> None:
    if said not in Said.values or (false_alarm and false_alarm not in FalseAlarm.values):
        raise Refusal("verdict", _("请选：疑似违建、合法、不是建设，或看不清。"), facts={"field": "said"})
    if said == Said.NOT_CONSTRUCTION and not false_alarm:
        raise Refusal("false_alarm", _("不是建设的，请选它实际上是什么。"), facts={"field": "false_alarm"})
    if false_alarm and said != Said.NOT_CONSTRUCTION:
        raise Refusal("false_alarm", _("只有“不是建设”才选误报类别。"), facts={"field": "false_alarm"})


def _store(suspect: Suspect, verdict: Verdict, version: int, at: datetime) -> None:
    changes: dict[str, Any] = {"version": version + 1}
    if not verdict.is_second:
        changes |= {"state": STATE_OF[Said(verdict.said)], "came_back": ""}
    if not Suspect.objects.filter(pk=suspect.pk, version=version, state=suspect.state).update(**changes):
        raise _changed(suspect)
    if suspect.state in SETTLED and not verdict.is_second:
        standing = _standing(suspect)
        Example.objects.filter(verdict__in=standing).delete()
        standing.update(undone_at=at)
        _cancel_reflight(suspect.pk, at)
    elif not verdict.is_second:  # flown again and still the same finding: "cannot tell" makes way
        _standing(suspect).filter(said=Said.CANNOT_TELL).update(undone_at=at)
    verdict.save(force_insert=True)
    if verdict.is_second:
        return
    if verdict.said == Said.CANNOT_TELL:
        Reflight.objects.create(suspect=suspect, asked_at=at, asked_by=verdict.made_by)
    else:
        Example.objects.create(verdict=verdict, street_id=suspect.street_id, made_at=at)


def _standing(suspect: Suspect) -> QuerySet[Verdict]:
    """What was said of it as it is now, and holds."""
    return Verdict.objects.filter(suspect=suspect, finding=suspect.latest, undone_at=None)


def take_back(verdict_id: int, *, by: Actor, at: datetime) -> Suspect:
    """Strike out the reader's own verdict and put the suspect back where it was; Stale if anything came after it."""
    verdict = Verdict.objects.filter(pk=verdict_id).select_related("suspect").first()
    if verdict is None or not access.may_see(by, verdict.suspect.street_id):
        raise NotFound("no_such_verdict", _("没有找到这次判读。"))
    suspect = verdict.suspect
    access.require_judge(by, suspect.street_id)
    if verdict.made_by != by.person_id:
        raise NotFound("no_such_verdict", _("没有找到这次判读。"))
    with writing():
        if not Verdict.objects.filter(pk=verdict.pk, undone_at=None).update(undone_at=at):
            raise Stale("undone", _("这次判读已经撤销过了。"))
        changes: dict[str, Any] = {"version": F("version") + 1}
        if not verdict.is_second:
            changes |= {"state": verdict.before["state"], "came_back": verdict.before.get("came_back", "")}
            Example.objects.filter(verdict=verdict).delete()
            _cancel_reflight(suspect.pk, at)
        if not Suspect.objects.filter(pk=suspect.pk, version=verdict.before["version"]).update(**changes):
            raise _changed(suspect)
        record(by, suspect.street_id, at, "verdict_undo", "suspect", suspect.pk)
    suspect.refresh_from_db()
    return suspect


def _cancel_reflight(suspect_id: int, at: datetime) -> None:
    Reflight.objects.filter(suspect_id=suspect_id, done_at=None, cancelled_at=None).update(cancelled_at=at)


def _changed(suspect: Suspect) -> Stale:
    return Stale("changed", _("%(number)s 刚刚变了，请再看一眼再判。") % {"number": suspect.number})
