"""Django's session engine on our own table: the key is stored as a hash, the end is a deadline, use is noted rarely.

``settings.SESSION_ENGINE = "jiequ.people.sessions"``. How long each kind lives is ``rules.SESSION_LIFE``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, SessionBase, UpdateError
from django.db.models import CharField, DateTimeField
from django.utils.crypto import get_random_string

from jiequ.core import clock
from jiequ.core.ids import token_hash
from jiequ.core.prepared import Bind, Prepared

from .access import STRONG
from .models import Person, Session
from .rules import SESSION_LIFE, SESSION_TOUCH_EVERY, SessionKind

KIND, LABEL, BEGUN, ACCOUNT = "_kind", "_label", "_begun", "_account"
_LIVING = Prepared(
    lambda: (
        Session.objects.filter(pk=Bind("key", CharField()), idle_end_at__gt=Bind("at", DateTimeField()))
        .select_related("person")
        .defer("kind", "label", "begun_at", "ends_at", "account")
    )
)

__all__ = ["ACCOUNT", "BEGUN", "KIND", "LABEL", "STRONG", "SessionStore"]


class SessionStore(SessionBase):
    """One browser's session. A new one is inserted when it is saved, not before; an ended one is never revived."""

    is_new = False
    idle_end_at: datetime | None = None
    owner: Person | None = None
    """Whom the row names, read with it; whether the session still opens anything for them is not judged here."""

    @property
    def kind(self) -> SessionKind:
        """A desk's, a phone's, or nobody's."""
        return SessionKind(self.get(KIND, SessionKind.ANONYMOUS))

    @property
    def key_hash(self) -> str:
        """What the table knows of the key."""
        return token_hash(self.session_key or "")

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(pk=token_hash(session_key)).exists()

    def load(self) -> dict[str, Any]:
        """The stored data, and whose it is; nothing (and a forgotten key) when the session has ended. One SELECT."""
        row = _LIVING.first(key=self.key_hash, at=clock.now())
        if row is None:
            self._session_key = None
            return {}
        self.idle_end_at, self.owner = row.idle_end_at, row.person
        data: dict[str, Any] = self.decode(row.data)
        return data

    def create(self) -> None:
        self._session_key = get_random_string(32, VALID_KEY_CHARS)
        self._session_cache: dict[str, Any] = {}
        self.is_new = True
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        if self.session_key is None or must_create:
            self.create()
            self._session_cache = data
        now = clock.now()
        data.setdefault(BEGUN, now.timestamp())
        values = self._values(data, now)
        if self.is_new:
            Session.objects.create(key_hash=self.key_hash, **values)
            self.is_new = False
        elif not Session.objects.filter(pk=self.key_hash).update(**values):
            raise UpdateError
        self.idle_end_at = values["idle_end_at"]

    def _values(self, data: dict[str, Any], now: datetime) -> dict[str, Any]:
        life = SESSION_LIFE[SessionKind(data.get(KIND, SessionKind.ANONYMOUS))]
        begun_at = datetime.fromtimestamp(data[BEGUN], tz=now.tzinfo)
        ends_at = begun_at + life.absolute
        person_id = data.get(SESSION_KEY)
        return {
            "data": self.encode(data),
            "kind": data.get(KIND, SessionKind.ANONYMOUS.value),
            "label": data.get(LABEL, ""),
            "begun_at": begun_at,
            "idle_end_at": life.idle_end(now, ends_at),
            "ends_at": ends_at,
            "person_id": int(person_id) if person_id else None,
            "account": data.get(ACCOUNT, ""),
        }

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key and not (key == self.session_key and self.is_new):
            Session.objects.filter(pk=token_hash(key)).delete()

    def cycle_key(self) -> None:
        """A new key for the same data: whoever knew the old one is left with nothing."""
        data = dict(self.items())
        self.delete()
        self.create()
        self._session_cache = data

    def touch(self, at: datetime) -> None:
        """Moves the idle deadline, at most once in five minutes: one UPDATE, none otherwise."""
        if self.idle_end_at is None or self.is_new or self.modified:
            return
        life = SESSION_LIFE[self.kind]
        if self.idle_end_at - at > life.idle - SESSION_TOUCH_EVERY:
            return
        begun_at = datetime.fromtimestamp(self[BEGUN], tz=at.tzinfo)
        idle_end_at = life.idle_end(at, begun_at + life.absolute)
        if idle_end_at > self.idle_end_at:
            Session.objects.filter(pk=self.key_hash).update(idle_end_at=idle_end_at)
            self.idle_end_at = idle_end_at

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Seconds the cookie is kept: to the absolute end; the idle end is ours to judge."""
        now = clock.now()
        begun = self.get(BEGUN, now.timestamp())
        return max(0, int(begun + SESSION_LIFE[self.kind].absolute.total_seconds() - now.timestamp()))

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(idle_end_at__lte=clock.now()).delete()
