"""Structured logs: one JSON line for each request and each job, without personal data.

A request is named by its route, never by its address: an address may hold a private link. Errors are told by their type,
their place in the code and a text from which names, numbers and quoted values were taken out.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from jiequ.core.errors import plain

log = logging.getLogger("jiequ.request")

_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "request", "server_time"}
_PRIVATE = re.compile(r"[A-Za-z0-9_-]{32,}|(?<!\d)\d{7,}(?!\d)|\S+@\S+")
PLACES = 12


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._event(record),
        }
        line.update({name: value for name, value in record.__dict__.items() if name not in _OWN and _is_plain(value)})
        if record.exc_info and record.exc_info[1]:
            line["error"] = scrub(plain(record.exc_info[1]))
            line["where"] = _places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)

    @staticmethod
    def _event(record: logging.LogRecord) -> str:
        """Django's own records carry the address as an argument; theirs is told by status and route."""
        request = getattr(record, "request", None)
        if request is not None and record.name.startswith("django."):
            return f"{getattr(record, 'status_code', record.levelname)} {route(request)}"
        return scrub(record.getMessage())


def scrub(text: str) -> str:
    """The text without tokens, long numbers and e-mail addresses."""
    return _PRIVATE.sub("…", text)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in frames]


def route(request: HttpRequest) -> str:
    """The name of the route, or "-" when there is none."""
    match = getattr(request, "resolver_match", None)
    return (match.view_name or match.route) if match else "-"


class RequestLog:
    """Outermost middleware: gives the request an id and writes its line. Health checks, scrapes and files are not logged."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        request.request_id = uuid4().hex[:12]  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        if not route(request).startswith("ops:") and not request.path_info.startswith(settings.STATIC_URL):
            log.info(
                "request",
                extra={
                    "request_id": request.request_id,  # type: ignore[attr-defined]
                    "method": request.method,
                    "route": route(request),
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - began) * 1000, 1),
                },
            )
        return response


def configuration(level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, as JSON lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "jiequ.web.ops.logs.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "jiequ": {"level": level},
            "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "django.request": {"level": "ERROR"},  # a 404 stands in the request's own line
        },
    }
