"""A program that calls the API: a token of a named actor, and its calls as another machine would send them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.test import Client

from jiequ.people import services
from jiequ.people.rules import Actor, ApiScope
from tests.actors import NOW, World


@cache
def _client() -> Client:
    """One for all: a call brings its key and no cookie, and a fresh client would load the whole stack each time."""
    return Client()


EVERY_SCOPE = tuple(scope.value for scope in ApiScope)


@dataclass(frozen=True)
class Program:
    """Whoever holds a token; ``key`` is the Idempotency-Key of a POST."""

    token: str
    token_id: int = 0

    def headers(self, key: str = "", **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {}) | more

    def get(self, address: str, **headers: str) -> Any:
        return _client().get(f"/api/v1{address}", headers=self.headers(**headers))

    def post(self, address: str, given: Any = None, *, key: str = "", **headers: str) -> Any:
        body = given if isinstance(given, str | bytes) else json.dumps({} if given is None else given)
        return _client().post(f"/api/v1{address}", body, content_type="application/json", headers=self.headers(key, **headers))

    def upload(self, *files: Any, name: str = "photo", key: str = "") -> Any:
        return _client().post("/api/v1/pictures", {name: list(files)}, headers=self.headers(key))


def program_of(
    world: World,
    name: str,
    *scopes: str,
    street_id: int | None = None,
    days: int = 90,
    title: str = "巡查程序",
    at: datetime = NOW,
) -> Program:
    """A program in the name of an actor: allowed by 系, drawn by its owner; every scope if none is named."""
    given = {"title": title, "street_id": street_id, "days": days, "at": at}
    return drawn(world.people[name].pk, *scopes, allowed_by=world.actor("xi"), by=world.actor(name), **given)


def drawn(
    person_id: int,
    *scopes: str,
    allowed_by: Actor,
    by: Actor,
    at: datetime,
    street_id: int | None = None,
    days: int = 90,
    title: str = "巡查程序",
) -> Program:
    """The same for any person: allowed by a system administrator, drawn by its owner."""
    given = {"name": title, "scopes": scopes or EVERY_SCOPE, "street_id": street_id, "days": days}
    token = services.allow_token(**given, person_id=person_id, by=allowed_by, at=at)
    _token, secret = services.draw_token(token_id=token.pk, by=by, at=at)
    return Program(secret, token.pk)
