"""Who sees imagery and suspects: analysts and pilots of the street; who says what a suspect is: analysts."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jiequ.core.errors import Forbidden, NotFound
from jiequ.core.models import Street
from jiequ.people.rules import Actor, Role

VIEWERS = (Role.ANALYST, Role.PILOT)
JUDGES = (Role.ANALYST,)
RELEASERS = (Role.ANALYST,)  # a right of its own: never over a picture that one had made oneself (a constraint of the table)


def may_see(by: Actor, street_id: int) -> bool:
    """True for the street's analysts and pilots, and for the command line and jobs."""
    return by.has(Role.SYSTEM, *VIEWERS, street_id=street_id)


def may_judge(by: Actor, street_id: int) -> bool:
    """True for the street's analysts (and jobs)."""
    return by.has(Role.SYSTEM, *JUDGES, street_id=street_id)


def may_release(by: Actor, street_id: int) -> bool:
    """True for whoever may let a picture leave the desk."""
    return by.has(*RELEASERS, street_id=street_id)


def require_see(by: Actor, street_id: int) -> None:
    """NotFound for whoever may not know that there is anything."""
    if not may_see(by, street_id):
        raise NotFound("no_such_thing", _("没有找到。"))


def require_judge(by: Actor, street_id: int) -> None:
    """Refuses pilots; NotFound for anybody else."""
    require_see(by, street_id)
    if not may_judge(by, street_id):
        raise Forbidden("not_analyst", _("这一步由判读员做。"))


def streets_for(by: Actor, *roles: Role) -> list[Street]:
    """The streets in which one of ``roles`` (analyst or pilot, if none is named) is held, by code. One SELECT."""
    asked = roles or VIEWERS
    return [street for street in Street.objects.filter(is_active=True) if by.has(*asked, street_id=street.pk)]


def street_for(by: Actor, street_id: int | None, *roles: Role) -> Street:
    """The street asked for, or the first; NotFound where there is none, or none that is the reader's."""
    for street in streets_for(by, *roles):
        if street_id in (None, street.pk):
            return street
    raise NotFound("no_such_street", _("没有找到这个街道。"))
