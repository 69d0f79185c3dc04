"""Two files that somebody brought are compared as soon as both are pictures, whether the page is still open or not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.people.rules import Actor

from .. import access
from ..queries import two
from .comparing import ask_comparison

JOB = "sense.two"
LOOK_EVERY = timedelta(seconds=2)  # at first; what takes long is looked at every tenth of the time that went by


def ask_two(*, street_id: int, one_id: int, other_id: int, by: Actor, at: datetime) -> None:
    """Compare them when both are ready. NotFound for another street's; Refusal for one file twice."""
    access.require_judge(by, street_id)
    if one_id == other_id:
        raise Refusal("pair_two", _("请选择两份不同的影像。"), facts={"field": "other"})
    two.two_of(street_id, one_id, other_id)
    asked = {"street_id": street_id, "one_id": one_id, "other_id": other_id, "person_id": by.person_id, "since": at.isoformat()}
    with writing():
        enqueue(_job(asked, 0, at))


def look(asked: dict[str, Any], part: int, at: datetime) -> None:
    """Ask for the comparison if they are ready, look again later if they are not; what is in the way, their page says."""
    try:
        found = two.two_of(asked["street_id"], asked["one_id"], asked["other_id"])
    except NotFound:  # removed meanwhile
        return
    if found.pair is not None and found.comparison_id is None:
        by = _actor(asked["person_id"], at)
        if access.may_judge(by, asked["street_id"]):  # whoever asked may have left meanwhile
            ask_comparison(street_id=asked["street_id"], pair=found.pair, by=by, at=at)
    elif found.is_moving:
        enqueue(_job(asked, part + 1, at + max(LOOK_EVERY, (at - datetime.fromisoformat(asked["since"])) / 10)))


def _actor(person_id: int | None, at: datetime) -> Actor:
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    return actor_for(person, at=at) if person else Actor(None)


def _job(asked: dict[str, Any], part: int, due: datetime) -> JobSpec:
    key = f"{JOB}:{asked['one_id']}:{asked['other_id']}:{part}"
    return JobSpec(JOB, {"asked": asked, "part": part}, due, key=key, street_id=asked["street_id"])
