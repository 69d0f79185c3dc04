"""Handing over: what one person has open goes to another. Apps that give persons work register how theirs is moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal

from ..access import posts_for
from ..models import Leave, Person, Post, Shift
from ..queries import colleagues
from ..rules import Account, Actor, Role
from .common import hold, no_such_person, record


class MoveWork(Protocol):
    """Moves one kind of open work; returns how many pieces. Called inside the transaction."""

    def __call__(self, *, person_id: int, to_id: int, by: Actor, at: datetime) -> int: ...


CountWork = Callable[[int, datetime], int]
_hooks: dict[str, tuple[MoveWork, CountWork]] = {}


def on_hand_over(kind: str, move: MoveWork, count: CountWork) -> None:
    """Registers one kind of work (``"cases"``): how it is moved, and how much of it a person has open.

    Registering the same kind again replaces it.
    """
    _hooks[kind] = (move, count)


def open_work(person_id: int, at: datetime) -> dict[str, int]:
    """How much a person has open, by kind."""
    return {kind: count(person_id, at) for kind, (_move, count) in _hooks.items()}


def hand_over(*, person_id: int, to_id: int, by: Actor, at: datetime) -> dict[str, int]:
    """Moves everything open from one person to another: registered work, coming shifts, deputyships. Returns counts.

    May: the person, a lead of their department, the street's duty leader or leader, the system administrator.
    Refuses another street's person.
    """
    with writing():
        giver, taker = (hold(pk, active=pk == to_id) for pk in (person_id, to_id))
        _check(giver, taker, by, at)
        moved = {kind: move(person_id=person_id, to_id=to_id, by=by, at=at) for kind, (move, _count) in _hooks.items()}
        moved["shifts"] = _move_shifts(person_id, to_id, at)
        to_themselves = to_id == by.person_id  # work may be taken over; a third person's seats are not taken with it
        moved["deputyships"] = 0 if to_themselves else _move_deputyships(person_id, to_id, at)
        record(by, at, "person.handed_over", giver, to=to_id, moved=moved)
    return moved


def may_manage(by: Actor, person_id: int, at: datetime) -> bool:
    """True for the person, a lead of their department, their street's duty leader or leader, the system administrator."""
    if by.person_id == person_id or by.has(Role.SYSTEM, Role.SYSTEM_ADMIN):
        return True
    for post in posts_for(person_id, at):
        seat = post.seat
        if post.person_id != person_id:
            continue
        if seat.department_id and by.has(Role.DEPARTMENT_LEAD, department_id=seat.department_id):
            return True
        if seat.street_id and by.has(Role.DUTY_LEADER, Role.LEADER, street_id=seat.street_id):
            return True
    return False


def leads_all_posts(by: Actor, person_id: int, at: datetime) -> bool:
    """True if every post the person holds is in a department that the actor leads."""
    seats = [post.seat for post in posts_for(person_id, at) if post.person_id == person_id]
    return all(s.department_id and by.has(Role.DEPARTMENT_LEAD, department_id=s.department_id) for s in seats)


def _check(giver: Person, taker: Person, by: Actor, at: datetime) -> None:
    if giver.pk == taker.pk:
        raise Refusal("same_person", _("请选择另一个人。"))
    if not may_manage(by, giver.pk, at):
        raise Forbidden("not_your_person", _("只有本人、部门负责人、值班长、街道领导或系统管理员可以这样做。"))
    if Account.STAFF not in {giver.account} or taker.account != Account.STAFF:
        raise Refusal("administrators_have_no_work", _("管理员账号没有可移交的工作，也不能接手。"))
    if taker.pk not in {person.pk for person in colleagues(giver.pk, at)}:
        raise no_such_person()


def _move_shifts(person_id: int, to_id: int, at: datetime) -> int:
    """Coming turns whose post the other holds too and at which the other has no turn yet."""
    roles = list(Post.objects.filter(person_id=to_id).values_list("role", flat=True))
    taken = Shift.objects.filter(person_id=to_id, starts_at__gt=at).values("starts_at")
    coming = Shift.objects.filter(person_id=person_id, starts_at__gt=at, role__in=roles).exclude(starts_at__in=taken)
    return coming.update(person_id=to_id)


def _move_deputyships(person_id: int, to_id: int, at: datetime) -> int:
    """Leaves for which the person stands in, except the other's own (nobody is their own deputy)."""
    coming = Leave.objects.filter(deputy_id=person_id, ends_at__gt=at, cancelled_at=None)
    return coming.exclude(person_id=to_id).update(deputy_id=to_id)
