"""The demonstration's duty rota: whoever plays it at 23:00 or on a Sunday finds everybody at work.

A street's phones are silent outside working time but for those on the rota (DOMAIN §5 rule 5), so the street is shown in a week
of standing watch, as in flood season: its leader, its grid workers, the departments' leads, their handlers and officers. The
desk's posts stay off the rota: who holds two of them could stand in one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Max

from jiequ.core.db import writing
from jiequ.core.models import Street
from jiequ.people.models import Post, Shift
from jiequ.people.rules import Role
from jiequ.people.services.shifts import LONGEST_SHIFT

WEEKS = 4
LEAST = timedelta(days=7)
"""A start of the demonstration writes the rota on where less than this is left of it."""
IN_DEPARTMENT = Role.DEPARTMENT_LEAD
WATCH = (Role.LEADER, IN_DEPARTMENT, Role.GRID_WORKER, Role.OFFICER, Role.HANDLER)
"""In this order, the first post of somebody who holds several."""


def stand_watch(street: Street, at: datetime) -> int:
    """Everybody of WATCH is on duty for the next weeks; returns how many shifts were written. Where they are, nothing."""
    posts = Post.objects.held_on(at.date()).filter(street=street, role__in=WATCH, person__is_active=True)
    first: dict[int, Post] = {}
    for post in sorted(posts, key=lambda post: WATCH.index(Role(post.role))):
        first.setdefault(post.person_id, post)
    ends = Shift.objects.filter(person_id__in=first, ends_at__gt=at).values_list("person_id").annotate(Max("ends_at"))
    until = dict(ends)
    short = (post for post in first.values() if until.get(post.person_id, at) < at + LEAST)
    shifts = list(_shifts(short, street, until, at))
    with writing():
        Shift.objects.bulk_create(shifts)
    return len(shifts)


def _shifts(posts: Iterable[Post], street: Street, until: dict[int, datetime], at: datetime) -> Iterator[Shift]:
    """Weeks without a gap. Only a lead stands for the department: what is sent to it still reaches one, not all."""
    for post in posts:
        begin = until.get(post.person_id, at)
        for week in range(WEEKS):
            yield Shift(
                person_id=post.person_id,
                role=post.role,
                street=street,
                department_id=post.department_id if post.role == IN_DEPARTMENT else None,
                starts_at=begin + week * LONGEST_SHIFT,
                ends_at=begin + (week + 1) * LONGEST_SHIFT,
            )
