"""Flights: what is said once of all the pictures that one of them brought."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE
from jiequ.people.rules import Actor

from .. import access
from ..models import Flight


def make_flight(
    *, street_id: int, name: str, flown_on: date, by: Actor, at: datetime, aircraft: str = "", pilot: str = "", note: str = ""
) -> Flight:
    """The flight of that name and day; the one that is there, if there is one."""
    access.require_see(by, street_id)
    name = name.strip()
    if not name or len(name) > 80 or len(aircraft) > 80 or len(pilot) > 40 or len(note) > 200:
        raise Refusal(
            "flight_name", _("请写架次名称，不超过 80 个字；机型 80 字，飞手 40 字，备注 200 字以内。"), facts={"field": "name"}
        )
    if flown_on > at.astimezone(ZONE).date() or flown_on.year < 2000:
        raise Refusal("flight_day", _("飞行日期不能晚于今天。"), facts={"field": "flown_on"})
    with writing():
        flight, is_new = Flight.objects.get_or_create(
            street_id=street_id,
            name=name,
            flown_on=flown_on,
            defaults={
                "aircraft": aircraft.strip(),
                "pilot": pilot.strip(),
                "note": note.strip(),
                "made_at": at,
                "made_by": by.person_id,
            },
        )
        if is_new:
            record(by, street_id, at, "flight_add", "flight", flight.pk)
    return flight


def flight_for(street_id: int, flight_id: int | None, taken_on: str, *, by: Actor, at: datetime) -> int | None:
    """The flight that files belong to: the one chosen, else one of the day that was written with them, else none."""
    if flight_id is not None or not taken_on.strip():
        return flight_id
    try:
        day = date.fromisoformat(taken_on.strip())
    except ValueError:
        raise Refusal("day", _("请写日期，例如 2026-11-27。"), facts={"field": "taken_on"}) from None
    return make_flight(street_id=street_id, name=_("上传"), flown_on=day, by=by, at=at).pk


def record(
    by: Actor, street_id: int | None, at: datetime, action: str, kind: str, object_id: int | str, **facts: object
) -> None:
    """The audit row of an act in sense: ids, codes and counts only."""
    audit.record(
        street_id=street_id,
        person_id=by.person_id,
        action=f"sense.{action}",
        object_kind=kind,
        object_id=object_id,
        at=at,
        facts=facts,
    )
