"""Who is there: members, who is on duty, who stands in for whom. Lists of persons never carry figures about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from jiequ.core.prepared import Bind, Prepared

from .models import Department, Leave, Person, Post, Shift
from .rules import DEPARTMENT_ROLES, MOST_DEPUTIES, ROSTER_ROLES, Role


def is_on_leave(person_id: int, at: datetime) -> bool:
    """True if somebody stands in for that person now. One SELECT."""
    return Leave.objects.running(at).filter(person_id=person_id).exists()


def deputies(at: datetime) -> dict[int, int]:
    """Who is on leave → who stands in, for everybody, one deputy each. One SELECT."""
    running = Leave.objects.running(at).filter(deputy__is_active=True).order_by("starts_at", "pk")
    return dict(running.values_list("person_id", "deputy_id"))


def stand_in(person_id: int, found: dict[int, int]) -> int:
    """Follows ``deputies`` from one person: to the first who is there, or to the last one a circle or the limit leaves."""
    seen = {person_id}
    for _ in range(MOST_DEPUTIES):
        deputy = found.get(person_id)
        if deputy is None or deputy in seen:
            return person_id
        seen.add(deputy)
        person_id = deputy
    return person_id


def deputy_of(person_id: int, at: datetime) -> int:
    """Who gets this person's to-dos and notices now: the person, or the deputy, or the deputy's deputy. One SELECT."""
    return stand_in(person_id, deputies(at))


def on_duty(
    *, at: datetime, role: Role | None = None, street_id: int | None = None, department_id: int | None = None
) -> list[Person]:
    """Who receives what is sent to a post now, by name; deputies in place of whoever is on leave. Four SELECTs at most.

    The duty rota says it; where it is silent for the moment, the department's leads, else all who hold the post.
    """
    shifts = Shift.objects.filter(starts_at__lte=at, ends_at__gt=at, person__is_active=True)
    found = set(_place(shifts, role, street_id, department_id).values_list("person_id", flat=True))
    if not found:
        found = _holders(at, role, street_id, department_id)
    absent = deputies(at)
    return list(Person.objects.active().filter(pk__in={stand_in(person, absent) for person in found}).order_by("name"))


def on_shift(person_ids: Iterable[int], at: datetime) -> set[int]:
    """Which of these persons the duty rota has at work now: for them it is working time at any hour. One SELECT."""
    running = Shift.objects.filter(starts_at__lte=at, ends_at__gt=at, person_id__in=list(person_ids))
    return set(running.values_list("person_id", flat=True))


def _place(rows: QuerySet[Shift], role: Role | None, street_id: int | None, department_id: int | None) -> QuerySet[Shift]:
    if role is not None:
        rows = rows.filter(role=role.value)
    if department_id is not None:
        return rows.filter(department_id=department_id)
    return rows.filter(street_id=street_id) if street_id is not None else rows


def _holders(at: datetime, role: Role | None, street_id: int | None, department_id: int | None) -> set[int]:
    posts = _posts_at(at)
    if department_id is not None:
        posts = posts.filter(department_id=department_id)
    elif street_id is not None:
        posts = posts.filter(Q(street_id=street_id) | Q(street_id=None))
    if role is not None:
        posts = posts.filter(role=role.value)
    rows = list(posts.values_list("person_id", "role"))
    leads = {person for person, held in rows if held == Role.DEPARTMENT_LEAD.value}
    return leads or {person for person, _ in rows}


def _posts_at(at: datetime) -> QuerySet[Post]:
    return Post.objects.held_on(timezone.localtime(at).date()).filter(person__is_active=True)


def members(department_id: int, at: datetime, roles: Iterable[Role] = DEPARTMENT_ROLES) -> list[Person]:
    """Active persons who hold one of ``roles`` in the department today, by name. One SELECT."""
    posts = _posts_at(at).filter(department_id=department_id, role__in=[role.value for role in roles])
    return list(Person.objects.filter(pk__in=posts.values("person_id")).order_by("name"))


def holders(role: Role, street_id: int, at: datetime) -> list[Person]:
    """Active persons who hold ``role`` in the street (or in the whole district) today, by name. One SELECT."""
    posts = _posts_at(at).filter(Q(street_id=street_id) | Q(street_id=None), role=role.value)
    return list(Person.objects.filter(pk__in=posts.values("person_id")).order_by("name"))


def colleagues(person_id: int, at: datetime) -> list[Person]:
    """Who may stand in for a person: active staff with a post in one of the same streets, by name. One SELECT."""
    mine = _posts_at(at).filter(person_id=person_id)
    same = Q(street_id__in=mine.exclude(street=None).values("street_id"))
    same |= Q(street_id=None, department_id__in=mine.exclude(department=None).values("department_id"))
    same |= Q(street_id=None, department_id=None)
    posts = _posts_at(at).filter(same, account="staff")
    return list(Person.objects.filter(pk__in=posts.values("person_id")).exclude(pk=person_id).order_by("name"))


def department_by_key(street_id: int, key: str) -> Department | None:
    """The street's own department of that key, else the district's bureau of that key. One SELECT."""
    found = Department.objects.filter(Q(street_id=street_id) | Q(street_id=None), key=key, is_active=True)
    return found.order_by(F("street_id").asc(nulls_last=True)).first()


def departments_of(street_id: int | None) -> QuerySet[Department]:
    """Active departments a street can send work to: its own, then the district's bureaus."""
    found = Department.objects.filter(Q(street_id=street_id) | Q(street_id=None), is_active=True)
    return found.order_by(F("street_id").asc(nulls_last=True), "kind", "key")


_OWN = Prepared(lambda: Department.objects.filter(street=Bind("street"), is_active=True).order_by("kind", "key"))


def own_departments_of(street_id: int) -> list[Department]:
    """The active departments that are the street's own, in their order. One SELECT."""
    return _OWN(street=street_id)


def roster(street_id: int, starts_at: datetime, ends_at: datetime) -> list[Shift]:
    """The street's shifts that touch a period, in order of time, with person and department. One SELECT."""
    shifts = Shift.objects.filter(street_id=street_id, starts_at__lt=ends_at, ends_at__gt=starts_at)
    return list(shifts.select_related("person", "department").order_by("starts_at", "role", "person__name"))


def leaves_of(person_ids: Iterable[int], at: datetime) -> list[Leave]:
    """Leaves of these persons that run or are to come, in order. One SELECT."""
    coming = Leave.objects.filter(person_id__in=list(person_ids), ends_at__gt=at, cancelled_at=None)
    return list(coming.select_related("person", "deputy").order_by("starts_at"))


def leaves_to(person_id: int, at: datetime) -> list[Leave]:
    """Leaves that run or are to come for which this person is the deputy. One SELECT."""
    coming = Leave.objects.filter(deputy_id=person_id, ends_at__gt=at, cancelled_at=None)
    return list(coming.select_related("person", "deputy").order_by("starts_at"))


def last_deputy(person_id: int) -> int | None:
    """Who stood in last time: the first suggestion for the next."""
    return Leave.objects.filter(person_id=person_id).order_by("-pk").values_list("deputy_id", flat=True).first()


def find_people(words: str, *, limit: int = 30) -> list[Person]:
    """Persons, disabled ones too, whose name or user name contains the words, by name. One SELECT."""
    found = Person.objects.filter(Q(name__icontains=words) | Q(username__icontains=words))
    return list(found.order_by("-is_active", "name", "pk")[:limit])


def staff_page(
    *, streets: Iterable[int] | None, words: str = "", after: tuple[str, int] | None = None, limit: int = 50
) -> list[Person]:
    """A page of the staff list by name, with today's posts to follow; ``streets`` None: everybody. One SELECT."""
    found = Person.objects.all()
    if streets is not None:
        found = found.active().filter(pk__in=Post.objects.filter(street_id__in=list(streets)).values("person_id"))
    if words:
        found = found.filter(Q(name__icontains=words) | Q(username__icontains=words))
    if after is not None:
        found = found.filter(Q(name__gt=after[0]) | Q(name=after[0], pk__gt=after[1]))
    return list(found.order_by("name", "pk")[:limit])


def posts_of(person_ids: Iterable[int], at: datetime) -> dict[int, list[Post]]:
    """Posts held or to come, by person, with street and department. One SELECT."""
    today = timezone.localtime(at).date()
    rows = Post.objects.filter(Q(ends_on=None) | Q(ends_on__gt=today), person_id__in=list(person_ids))
    found: dict[int, list[Post]] = {}
    for post in rows.select_related("street", "department").order_by("starts_on", "role"):
        found.setdefault(post.person_id, []).append(post)
    return found


def rota_posts(street_id: int, at: datetime) -> list[Post]:
    """Whom a street's rota can name: posts of roles on duty, with person and department, by role and name. One SELECT."""
    roles = [role.value for role in ROSTER_ROLES]
    posts = _posts_at(at).filter(street_id=street_id, role__in=roles)
    return list(posts.select_related("person", "department").order_by("role", "person__name"))


def one_per_role(at: datetime) -> list[tuple[Role, Person]]:
    """For the demo's sign-in page: the first person of each role, in the order of the roles. One SELECT."""
    first: dict[str, Person] = {}
    for post in _posts_at(at).select_related("person").order_by("pk"):
        first.setdefault(post.role, post.person)
    return [(role, first[role.value]) for role in Role if role.value in first]
