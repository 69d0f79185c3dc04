"""Who asks, and which routes answer whom. Every view declares its access; one without a declaration answers nobody.

``AccessMiddleware`` enforces the declaration, so that no view can forget to. Which *cases* an actor sees is for the
app that owns them: ``@needs`` only opens the door to the room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from jiequ.core import clock

from .models import Leave, Person, Post
from .rules import MOST_DEPUTIES, Actor, HeldPost, Role, Seat, needs_second_factor

STRONG = "_strong"  # in a session: the second factor was shown
View = TypeVar("View", bound=Callable[..., Any])


class Door(StrEnum):
    """How a route is reached: by anybody, with a private link, with a system's token, signed in, or with one of some roles."""

    PUBLIC = "public"
    PRIVATE_LINK = "private_link"
    TOKEN = "token"
    SIGNED_IN = "signed_in"
    ROLES = "roles"


@dataclass(frozen=True, slots=True)
class Access:
    """What a view declares."""

    door: Door
    roles: frozenset[Role] = frozenset()

    @property
    def is_open(self) -> bool:
        """True if nobody needs to be signed in (the view itself judges a private link or a token)."""
        return self.door in {Door.PUBLIC, Door.PRIVATE_LINK, Door.TOKEN}

    def admits(self, actor: Actor) -> bool:
        """True if this actor may enter."""
        if self.is_open:
            return True
        return actor.person_id is not None and (self.door is Door.SIGNED_IN or actor.has(*self.roles))


def declare(view: View, access: Access) -> View:
    """Writes the declaration on a view (also on one of another library's)."""
    view.access = access  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Anybody may ask."""
    return declare(view, Access(Door.PUBLIC))


def private_link(view: View) -> View:
    """Whoever holds a link may ask; the view itself judges the link."""
    return declare(view, Access(Door.PRIVATE_LINK))


def with_token(view: View) -> View:
    """A program with a token may ask; the view itself judges the token."""
    return declare(view, Access(Door.TOKEN))


def signed_in(view: View) -> View:
    """Any person with an account may ask."""
    return declare(view, Access(Door.SIGNED_IN))


def needs(*roles: Role) -> Callable[[View], View]:
    """Whoever holds one of the roles, anywhere, may ask."""

    def mark(view: View) -> View:
        return declare(view, Access(Door.ROLES, frozenset(roles)))

    return mark


def access_of(view: Callable[..., Any]) -> Access | None:
    """The declaration of a view; None if it has none."""
    return getattr(view, "access", None)


# Written out: Django's builder would spend 2.6 ms on each request to say the same. Our own names, no input.
_POSTS = f"""
    WITH RECURSIVE owner(asked_id, person_id, step) AS (
        SELECT id, id, 0 FROM {Person._meta.db_table} WHERE id IN (%s)
        UNION
        SELECT owner.asked_id, away.person_id, owner.step + 1
        FROM {Leave._meta.db_table} away JOIN owner ON away.deputy_id = owner.person_id
        WHERE owner.step < {MOST_DEPUTIES} AND away.starts_at <= %s AND away.ends_at > %s AND away.cancelled_at IS NULL
    )
    SELECT held.asked_id, post.person_id, post.role, post.street_id, post.department_id
    FROM (SELECT DISTINCT asked_id, person_id FROM owner) held
    JOIN {Post._meta.db_table} post ON post.person_id = held.person_id
    WHERE post.starts_on <= %s AND (post.ends_on IS NULL OR post.ends_on > %s)
"""


def posts_of(person_ids: Iterable[int], at: datetime) -> dict[int, list[HeldPost]]:
    """Each person's posts and those of everybody they are deputy for, through ``MOST_DEPUTIES``. One SELECT, none for nobody.

    For at most some thousand persons: each is a value of the statement.
    """
    moment = connection.ops.adapt_datetimefield_value(at)
    today = connection.ops.adapt_datefield_value(timezone.localtime(at).date())
    found: dict[int, list[HeldPost]] = {person_id: [] for person_id in person_ids}
    if not found:
        return found
    sql = _POSTS.replace("%s", ", ".join(["%s"] * len(found)), 1)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*found, moment, moment, today, today])
        for asked_id, owner, role, street, department in cursor.fetchall():
            found[asked_id].append(HeldPost(owner, Seat(Role(role), street, department)))
    return found


def posts_for(person_id: int, at: datetime) -> list[HeldPost]:
    """One person's posts and those they stand in for. One SELECT."""
    return posts_of([person_id], at)[person_id]


def actor_for(person: Person, *, at: datetime, is_strong: bool = True) -> Actor:
    """The actor a person is at that moment: own seats, and those of persons on leave. One SELECT."""
    return actor_with(person, posts_for(person.pk, at), is_strong=is_strong)


def actor_with(person: Person, posts: list[HeldPost], *, is_strong: bool = True) -> Actor:
    """The actor a person is by these posts."""
    return Actor.of_posts(
        person.pk,
        posts,
        name=person.name,
        language=person.language,
        street_id=person.street_id,
        is_strong=is_strong,
    )


def actor_of(request: HttpRequest) -> Actor:
    """Whoever asks, found once a request: two SELECTs (session with person, posts), none for a stranger."""
    actor: Actor | None = getattr(request, "_actor", None)
    if actor is None:
        person = request.user
        if isinstance(person, Person) or getattr(person, "is_authenticated", False):
            is_strong = bool(request.session.get(STRONG))
            actor = actor_for(person, at=clock.now(), is_strong=is_strong)  # type: ignore[arg-type]
        else:
            actor = Actor.resident(None, language=get_language() or "zh-hans")
        set_actor(request, actor)
    return actor


def set_actor(request: HttpRequest, actor: Actor | None) -> None:
    """Who asks from now on (None: find out again)."""
    request._actor = actor  # type: ignore[attr-defined]


def is_too_weak(request: HttpRequest, actor: Actor) -> bool:
    """True if a role of the actor's needs the second factor and this session never showed it."""
    return needs_second_factor(seat.role for seat in actor.seats) and not request.session.get(STRONG)
