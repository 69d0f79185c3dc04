"""Tables of addresses: each service has one, and its modules write their rows."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator.errors import ApiError
from emulator.http import Answer, Request, as_json

Handler = Callable[..., Any]
Written = TypeVar("Written", bound=Handler)


@dataclass(frozen=True)
class Route:
    """``guard`` is for the service to read: what a caller must show."""

    method: str
    path: str
    handler: Handler
    guard: str = "token"

    def match(self, path: str) -> dict[str, str] | None:
        """The values of ``{names}`` in the path; None if it is another path."""
        ours, theirs = self.path.split("/"), path.split("/")
        if len(ours) != len(theirs):
            return None
        found = {}
        for mine, given in zip(ours, theirs, strict=True):
            if mine.startswith("{"):
                found[mine[1:-1]] = given
            elif mine != given:
                return None
        return found


class Routes:
    """Rows in the order of writing; paths without names are found at once."""

    def __init__(self) -> None:
        self.rows: list[Route] = []
        self._exact: dict[str, list[Route]] = {}

    def __call__(self, method: str, path: str, *, guard: str = "token") -> Callable[[Written], Written]:
        """Write a row: ``@routes("POST", "/cgi-bin/menu/create")``."""

        def put(handler: Written) -> Written:
            route = Route(method, path, handler, guard)
            self.rows.append(route)
            if "{" not in path:
                self._exact.setdefault(path, []).append(route)
            return handler

        return put

    def find(self, request: Request, path: str) -> Route | None:
        """The row for a request; its values are put into ``request.params``. ApiError 43001/43002: the other method."""
        rows = self._exact.get(path) or [row for row in self.rows if "{" in row.path and row.match(path) is not None]
        for row in rows:
            if row.method in (request.method, "*"):
                request.params = row.match(path) or {}
                return row
        if rows:
            raise ApiError(43001 if rows[0].method == "GET" else 43002)
        return None


async def answer_or_refusal(handler: Handler, *given: Any) -> Answer:
    """What a handler of a played API answers; ApiError 47001 for a body whose parts are not what they are taken for."""
    try:
        return await answer_of(handler(*given))
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as fault:
        raise ApiError(47001, f"({type(fault).__name__}: {fault})") from fault


async def answer_of(result: Any | Awaitable[Any]) -> Answer:
    """What a handler returned, now or later, as an answer: dictionaries and lists become JSON."""
    found = await result if inspect.isawaitable(result) else result
    return found if isinstance(found, Answer) else as_json(found)
