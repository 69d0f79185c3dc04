"""Who holds a session, asked from outside a request: for live events, which tell many readers at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from .access import actor_with, posts_of
from .models import Person, Session
from .rules import Actor, needs_second_factor
from .sessions import STRONG, SessionStore


def actors_of_sessions(key_hashes: Iterable[str], *, at: datetime) -> dict[str, Actor]:
    """The actor behind each session, found afresh; an ended session, a disabled person or a factor not shown is left out.

    Two SELECTs, however many there are. Nothing is written: being told of changes keeps no session alive.
    """
    rows = Session.objects.filter(pk__in=list(key_hashes), idle_end_at__gt=at, ends_at__gt=at, person__is_active=True)
    sessions = list(rows.select_related("person"))
    posts = posts_of({one.person_id for one in sessions if one.person_id}, at)
    store = SessionStore()
    known: dict[tuple[int, bool], Actor] = {}
    found = {}
    for one in sessions:
        key, person, data = one.key_hash, one.person, store.decode(one.data)
        if person is None or data.get(SESSION_KEY) != str(person.pk) or not _is_theirs(data, person):
            continue
        which = (person.pk, bool(data.get(STRONG)))
        if which not in known:
            known[which] = actor_with(person, posts[person.pk], is_strong=which[1])
        if which[1] or not needs_second_factor(seat.role for seat in known[which].seats):
            found[key] = known[which]
    return found


def _is_theirs(data: dict[str, Any], person: Person) -> bool:
    """The same two questions Django asks of a request's session."""
    digest = data.get(HASH_SESSION_KEY, "")
    return bool(data.get(BACKEND_SESSION_KEY)) and constant_time_compare(digest, person.get_session_auth_hash())
