"""The notice that the day's brief is there: at the street's hour, on work days, to leaders who did not turn it off."""

from __future__ import annotations

from datetime import datetime, time

from jiequ.cases.policy import Policy
from jiequ.channels.services import Notice, send
from jiequ.core import audit
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.people.queries import holders
from jiequ.people.rules import Actor, Role

from ..models import NoBrief
from ..rules import local_day

TELL = "insight.tell_brief"


def plan(*, at: datetime) -> int:
    """A job for each street at its hour of today; none on a day off. Returns how many."""
    today = local_day(at)
    if not calendar_for(at).is_workday(today):
        return 0
    specs = []
    for street in Street.objects.filter(is_active=True):
        hour = Policy.of(street.settings).brief_hour
        run_at = datetime.combine(today, time(hour), tzinfo=ZONE)
        args = {"street_id": street.pk, "day": today.isoformat()}
        specs.append(JobSpec(TELL, args, run_at=max(run_at, at), key=f"{TELL}:{street.pk}:{today}", street_id=street.pk))
    enqueue(*specs)
    return len(specs)


def tell(*, street_id: int, day: str, at: datetime) -> int:
    """Tell the street's leaders that the brief is there; how many. Quiet hours are the outbox's, as for every notice."""
    leaders = holders(Role.LEADER, street_id, at)
    silent = set(NoBrief.objects.filter(person__in=leaders).values_list("person_id", flat=True))
    told = [leader for leader in leaders if leader.pk not in silent]
    send(
        [
            Notice(
                template="daily_brief",
                facts={"due": at.isoformat()},
                about=f"brief:{street_id}",
                key=f"brief:{street_id}:{day}:{leader.pk}",
                to_person=leader.pk,
                language=leader.language,
                street_id=street_id,
            )
            for leader in told
        ],
        at=at,
    )
    return len(told)


def wants_notice(person_id: int | None) -> bool:
    """True unless the person turned the notice off."""
    return person_id is not None and not NoBrief.objects.filter(person_id=person_id).exists()


def set_notice(*, is_wanted: bool, by: Actor, at: datetime) -> None:
    """Turn the notice on or off for oneself."""
    if by.person_id is None:
        raise Forbidden("forbidden", "")
    with writing():
        if is_wanted:
            NoBrief.objects.filter(person_id=by.person_id).delete()
        else:
            NoBrief.objects.bulk_create([NoBrief(person_id=by.person_id, since=at)], ignore_conflicts=True)
        audit.record(
            street_id=by.street_id,
            person_id=by.person_id,
            action="brief.notice",
            object_kind="person",
            object_id=by.person_id,
            at=at,
            facts={"on": is_wanted},
        )
