"""Who may read and who may change a street's map."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jiequ.core.errors import Forbidden, NotFound
from jiequ.core.models import Street
from jiequ.people.rules import DESK_ROLES, Actor, Role

from .tile_tokens import BadToken, streets_of, token_of

__all__ = ["BadToken", "may_edit", "may_read", "require_edit", "street_for", "streets_for", "streets_of", "token_of"]

READERS = (*sorted(DESK_ROLES), Role.SYSTEM_ADMIN)
EDITORS = (Role.SYSTEM_ADMIN,)


def may_read(by: Actor, street_id: int) -> bool:
    """True for the street's desk roles and for the system administrator."""
    return by.has(*READERS, street_id=street_id)


def may_edit(by: Actor, street_id: int) -> bool:
    """True for the system administrator, and for the command line and jobs."""
    return by.has(Role.SYSTEM, *EDITORS, street_id=street_id)


def require_edit(by: Actor, street_id: int) -> None:
    """Refuses whoever may not change the street's map."""
    if not may_edit(by, street_id):
        raise Forbidden("not_your_map", _("网格由系统管理员维护，您可以查看但不能修改。"))


def streets_for(by: Actor) -> list[Street]:
    """The streets whose map the actor may read, by code."""
    return [street for street in Street.objects.filter(is_active=True) if may_read(by, street.pk)]


def street_for(by: Actor, street_id: int | None) -> Street:
    """The street asked for, or the first one readable; NotFound where there is none, or none the actor may see."""
    for street in streets_for(by):
        if street_id is None or street.pk == street_id:
            return street
    raise NotFound("no_such_street", _("没有找到这个街道。"))
