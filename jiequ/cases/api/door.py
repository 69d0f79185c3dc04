"""The programs' door: who calls, what a body must look like, and the one shape of every answer and every no.

No session opens this door: a call stands for whoever's key is in ``Authorization``, and for nobody else. A browser that is
signed in sends no such header by itself, so no page of another site can make it call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import ninja.errors
import pydantic
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import NinjaAPI

from jiequ.core import clock, throttle
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal, Unauthenticated
from jiequ.core.http import Malformed, WrongType, refuse
from jiequ.core.once import once as once_in
from jiequ.people.rules import Actor, ApiScope
from jiequ.people.services import bearer_of

from ..models import OutsideSystem
from ..services import system_of_token
from .shapes import RefusedOut, Schema, refusal_of

CALLS_A_MINUTE = 120  # (P) an outside system's
TOKEN_CALLS_A_MINUTE = 600  # (P) a person's or service account's token
STATUSES = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429)
REFUSED: dict[int, type[Schema]] = dict.fromkeys(STATUSES, RefusedOut)
JSON = "application/json"
S = TypeVar("S", bound=pydantic.BaseModel)
F = TypeVar("F", bound=Callable[..., Any])

api = NinjaAPI(title="Jiequ", version="1", urls_namespace="cases_api", docs_url=None, openapi_url=None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the actor as the owner's roles are now, which token, and when."""

    actor: Actor
    token_id: int
    at: datetime


# -- who asks --------------------------------------------------------------------------------------------------------


def by_system(request: HttpRequest) -> OutsideSystem:
    """The outside system whose token stands in ``Authorization: Bearer …``, within what it may call a minute."""
    system = system_of_token(_key_of(request))
    _take("outside-system", system.pk, CALLS_A_MINUTE)
    return system


def by_token(scope: ApiScope) -> Callable[[HttpRequest], Caller]:
    """An auth for Ninja: the caller whose token may be used for ``scope``. Two SELECTs and the throttle."""

    def auth(request: HttpRequest) -> Caller:
        at = clock.now()
        bearer = bearer_of(_key_of(request), at=at)
        _take("api-token", bearer.token_id, TOKEN_CALLS_A_MINUTE)
        if scope not in bearer.scopes:
            raise Forbidden("scope_missing", _("这个令牌没有这项权限。"), facts={"scope": scope.value})
        return Caller(bearer.actor, bearer.token_id, at)

    auth.scope = scope  # type: ignore[attr-defined]
    return auth


def caller_of(request: HttpRequest) -> Caller:
    """What ``by_token`` found."""
    found: Caller = request.auth  # type: ignore[attr-defined]
    return found


def _key_of(request: HttpRequest) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("token_missing", _("请在 Authorization 请求头里带上 Bearer 令牌。"))
    return token.strip()[:200]


def _take(purpose: str, who: int, calls: int) -> None:
    throttle.take(throttle.bucket(purpose, who), capacity=calls, per_seconds=60, at=clock.now())


# -- what came -------------------------------------------------------------------------------------------------------


def read(request: HttpRequest, shape: type[S]) -> S:
    """The JSON body as ``shape``; WrongType, Malformed or a Refusal that names each field."""
    if request.content_type != JSON:
        raise WrongType("wrong_type", _("请用 JSON 发送。"), facts={"accepted": [JSON]})
    return valid(shape, loaded(request.body))


def read_query(request: HttpRequest, shape: type[S]) -> S:
    """The query as ``shape``; a name that nobody knows is refused, an empty value is as if absent."""
    return valid(shape, {name: value for name, value in request.GET.items() if str(value).strip()})


def valid(shape: type[S], data: Any) -> S:
    """``data`` as ``shape``, or a Refusal."""
    try:
        return shape.model_validate(data)
    except pydantic.ValidationError as error:
        raise refusal_of(error.errors(include_url=False)) from None


def loaded(body: bytes) -> Any:
    """The value of a JSON text; ``{}`` for no text at all."""
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Malformed("bad_json", _("内容不是有效的 JSON。")) from None


def described(title: Promise, *, query: type[Schema] | None = None, body: type[Schema] | None = None) -> Callable[[F], F]:
    """What an operation is called and what it reads, for the document."""

    def mark(view: F) -> F:
        view.title, view.query, view.body = title, query, body  # type: ignore[attr-defined]
        return view

    return mark


# -- the answer ------------------------------------------------------------------------------------------------------


def answer(shape: pydantic.BaseModel, status: int = 200) -> HttpResponse:
    """The shape as JSON. What a program was told stays in no cache."""
    told = HttpResponse(shape.model_dump_json().encode(), status=status, content_type=JSON)
    told["Content-Language"] = get_language() or ""
    told["Cache-Control"] = "private, no-store"
    return told


def once(request: HttpRequest, do: Callable[[], HttpResponse]) -> HttpResponse:
    """``core.once`` for a caller's token; with a key or without, a refusal leaves nothing behind."""

    def run() -> HttpResponse:
        with writing():
            return do()

    return once_in(request, run, scope=f"token:{caller_of(request).token_id}")


@api.exception_handler(Unauthenticated)
def _unauthenticated(request: HttpRequest, refusal: Unauthenticated) -> HttpResponse:
    told = refuse(request, refusal)
    told["WWW-Authenticate"] = "Bearer"
    return told


@api.exception_handler(ninja.errors.ValidationError)
def _invalid(request: HttpRequest, error: ninja.errors.ValidationError) -> HttpResponse:
    return refuse(request, refusal_of(error.errors))


@api.exception_handler(Refusal)
def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return refuse(request, refusal)
