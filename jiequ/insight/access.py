"""Who sees which street's figures: supervisors, leaders and duty leaders, of their streets or of the district."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from jiequ.core.errors import NotFound
from jiequ.core.models import Street
from jiequ.people.rules import Actor, Role

WATCHERS = (Role.SUPERVISOR, Role.LEADER, Role.DUTY_LEADER)


def streets_for(actor: Actor) -> list[Street]:
    """The streets whose figures the actor may see, in the order of their codes. One SELECT."""
    rows = Street.objects.filter(is_active=True).order_by("code9")
    if not any(seat.role in WATCHERS and seat.street_id is None for seat in actor.seats):
        rows = rows.filter(pk__in=actor.streets(*WATCHERS))
    return list(rows)


def chosen(streets: Iterable[Street], asked: int | None) -> list[Street]:
    """The one street asked for, or all of them; NotFound for one that is not the reader's."""
    all_of_them = list(streets)
    if asked is None:
        return all_of_them
    found = [street for street in all_of_them if street.pk == asked]
    if not found:
        raise NotFound("no_such_street", _("没有找到这个街道。"))
    return found
