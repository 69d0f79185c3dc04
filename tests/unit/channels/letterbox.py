"""Makes notices to the people of the small world, works until nothing is due, and plays a port by script."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from jiequ.channels import services
from jiequ.channels.models import InboxItem, Message
from jiequ.channels.ports import Outcome, Outgoing, Result, Way
from jiequ.channels.services import Notice, seal_account, seal_phone
from jiequ.core.jobs import work_once
from tests.actors import NOW, World

FACTS = {"number": "LG-2026-000123", "type": "河道堵塞", "grid": "990101001001001"}
PHONE = "13911112222"


class Letterbox:
    """Makes notices, sends them, and does what the worker would do."""

    def __init__(self, world: World) -> None:
        self.world = world

    def to_person(self, name: str, key: str = "k", **more: Any) -> Notice:
        return Notice("new_task", FACTS, "case:7", key, to_person=self.world.people[name].pk, street_id=self.street_id, **more)

    def to_post(self, role: str, key: str = "k", department: str | None = None, **more: Any) -> Notice:
        unit = self.world.departments[department].pk if department else None
        return Notice("new_task", FACTS, "case:7", key, to_post=(role, self.street_id, unit), **more)

    def to_resident(self, key: str = "k", phone: str = PHONE, **more: Any) -> Notice:
        sealed = seal_phone(phone)
        return Notice("reporter_accepted", FACTS, "case:7", key, to_phone_sealed=sealed, street_id=self.street_id, **more)

    def to_account(self, key: str = "k", account: str = "chat:17", phone: str = "", **more: Any) -> Notice:
        sealed = {"to_account_sealed": seal_account(account), "to_phone_sealed": seal_phone(phone) if phone else None}
        return Notice("reporter_accepted", FACTS, "case:7", key, street_id=self.street_id, **sealed, **more)

    @property
    def street_id(self) -> int:
        return self.world.street.pk

    def send(self, *notices: Notice, at: datetime = NOW, **more: Any) -> None:
        services.send(notices, at=at, **more)

    def work(self, at: datetime = NOW) -> None:
        """Everything due at that moment, and what follows from it at once."""
        while work_once(at=at, limit=50):
            pass

    def message(self, key: str = "k") -> Message:
        return Message.objects.get(key=key)

    def in_inbox(self, name: str) -> list[str]:
        items = InboxItem.objects.filter(person=self.world.people[name]).order_by("id")
        return [item.message.key for item in items.select_related("message")]


class ScriptedPort:
    """A port that answers what its script says, the last line for ever; it keeps what it was given."""

    is_remote = False

    def __init__(self, *script: Outcome | Exception, name: str = "scripted") -> None:
        self.name = name
        self.script = list(script)
        self.calls: list[tuple[str, str, str]] = []

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        self.calls.append((message.text, address, key))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedWay(ScriptedPort, Way):
    """A way that answers what its script says; ``reaches``: the staff it has addresses of."""

    is_remote = False

    def __init__(self, name: str, *script: Outcome | Exception, scheme: str = "chat", reaches: tuple[int, ...] = ()) -> None:
        super().__init__(*script, name=name)
        self.scheme = scheme
        self.reaches = reaches
        self.given: list[Outgoing] = []

    def addresses_of(self, persons: Collection[int]) -> dict[int, str]:
        return {person: f"u{person}" for person in persons if person in self.reaches}

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        self.given.append(message)
        return super().send(message, address, key)


DELIVERED = Outcome(Result.DELIVERED, "p-1")
ACCEPTED = Outcome(Result.ACCEPTED, "p-1")
BUSY = Outcome(Result.TRY_LATER, error="http_500")
REFUSED = Outcome(Result.REFUSED_PERMANENT, error="bad_number")
UNHEARD = Outcome(Result.UNKNOWN, error="timeout")
CLOSED = Outcome(Result.REFUSED_PERMANENT, error="45015")
