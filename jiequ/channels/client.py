"""Calls to the platforms' APIs (WeChat, WeCom, 粤政易 and their like): one client, one kind of error, every call with an end.

Base addresses are settings, so that a private cloud or the emulator can stand in. Nothing follows a redirect or a proxy of the
environment. Never call it inside a transaction.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from .tokens import services as tokens

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 3.0, 5.0, 9.0
MOST_BYTES = 1024 * 1024
MOST_MEDIA_BYTES = 10 * 1024 * 1024
TOKEN_IS_OVER = frozenset({40001, 40014, 42001})
PASSING = frozenset({-1, 45009, 45011, 45033})
"""Busy, the day's limit, the minute's: later it may go. All others stay as they are until somebody changes something."""
_FILE_NAME = re.compile(r'filename="?([^";]+)')

Query = Mapping[str, str | int]
Answer = TypeVar("Answer")


class ApiError(Exception):
    """A call that came to nothing. ``code``: a short class (``errcode_40003``, ``http_502``, ``timeout``, ``no_connection``,
    ``bad_answer``, ``too_large``); ``errcode`` where the platform gave one, with ``detail`` its words, which may name a person:
    they are shown to nobody and not logged. ``is_passing``: the same call may succeed later. ``may_have_happened``: no answer
    came, the deed may be done; try again only under the same key.
    """

    def __init__(self, code: str, *, errcode: int | None = None, detail: str = "", may_have_happened: bool = False) -> None:
        super().__init__(code)
        self.code, self.errcode, self.detail, self.may_have_happened = code, errcode, detail, may_have_happened

    @property
    def is_passing(self) -> bool:
        if self.errcode is not None:
            return self.errcode in PASSING or self.errcode in TOKEN_IS_OVER
        return self.code not in {"http_400", "http_403", "http_404", "http_405", "too_large"}


@dataclass(frozen=True, slots=True)
class File:
    """Something downloaded: its bytes, and what the platform calls it and its type."""

    data: bytes
    content_type: str
    name: str


class Api:
    """One platform, one account. ``token`` is put into every query as ``access_token`` and renewed once when it is over.

    ``base``: ``https://api.weixin.qq.com``, or what stands in for it, without a slash at its end.
    """

    def __init__(self, base: str, token: tokens.Source | None = None) -> None:
        self.base, self._token = base.rstrip("/"), token

    def get(self, path: str, query: Query | None = None) -> dict[str, Any]:
        """The fields of the answer; ApiError."""
        return self._with_token(lambda token: self._fields("GET", path, query, token))

    def post(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> dict[str, Any]:
        """The same for a JSON body. Texts go as UTF-8: an escaped ``\\uXXXX`` would be shown to readers by some addresses."""
        content = json.dumps(body, ensure_ascii=False).encode()
        return self._with_token(lambda token: self._fields("POST", path, query, token, content=content))

    def form(self, path: str, fields: Mapping[str, str]) -> dict[str, Any]:
        """The same for the fields of a form."""
        return self._with_token(lambda token: self._fields("POST", path, None, token, data=dict(fields)))

    def upload(self, path: str, query: Query, *, name: str, data: bytes, content_type: str) -> dict[str, Any]:
        """A file as the form field ``media``."""
        files = {"media": (name, data, content_type)}
        return self._with_token(lambda token: self._fields("POST", path, query, token, files=files))

    def download(self, path: str, query: Query) -> File:
        """A file of at most 10 MB; ApiError if the answer is JSON: then it holds an error."""
        return self._with_token(lambda token: self._file(path, query, token))

    def _with_token(self, call: Callable[[str], Answer]) -> Answer:
        """With a token where the platform wants one. Another process that gets no answer fetching it is a time-out too."""
        try:
            return self._tried(self._token, call) if self._token else call("")
        except tokens.NoToken:
            raise ApiError("timeout") from None  # the call itself was never made

    @staticmethod
    def _tried(source: tokens.Source, call: Callable[[str], Answer]) -> Answer:
        """One try, and where the token is over one renewal and one more try: never a loop."""
        value = tokens.token(source)
        try:
            return call(value)
        except ApiError as fault:
            if fault.errcode not in TOKEN_IS_OVER:
                raise
        return call(tokens.renewed(source, refused=value))

    def _fields(self, method: str, path: str, query: Query | None, token: str, **given: Any) -> dict[str, Any]:
        return fields_of(self._ask(method, path, query, token, MOST_BYTES, **given).data)

    def _file(self, path: str, query: Query, token: str) -> File:
        found = self._ask("GET", path, query, token, MOST_MEDIA_BYTES)
        if found.data[:1] == b"{" or "json" in found.content_type or found.content_type.startswith("text/plain"):
            fields_of(found.data)
            raise ApiError("bad_answer")
        return found

    def _ask(self, method: str, path: str, query: Query | None, token: str, most_bytes: int, **given: Any) -> File:
        params = dict(query or {}) | ({"access_token": token} if token else {})
        headers = {"content-type": "application/json"} if "content" in given else {}
        until = time.monotonic() + WHOLE_SECONDS
        try:
            with connections().stream(method, self.base + path, params=params, headers=headers, **given) as answer:
                if answer.status_code != 200:
                    raise ApiError(f"http_{answer.status_code}", may_have_happened=answer.status_code >= 500)
                return File(_read(answer, most_bytes, until), answer.headers.get("content-type", ""), _name_of(answer))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise ApiError("no_connection") from None
        except httpx.TimeoutException:
            raise ApiError("timeout", may_have_happened=True) from None
        except (httpx.HTTPError, httpx.StreamError):
            raise ApiError("no_answer", may_have_happened=True) from None


def fields_of(data: bytes) -> dict[str, Any]:
    """The fields of an answer in JSON; ApiError for anything else, and for an ``errcode`` that is not 0."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ApiError("bad_answer", may_have_happened=True) from None
    if not isinstance(found, dict):
        raise ApiError("bad_answer", may_have_happened=True)
    errcode = found.get("errcode", 0)
    if errcode != 0:
        code = errcode if isinstance(errcode, int) else None
        raise ApiError(f"errcode_{code}", errcode=code, detail=str(found.get("errmsg", ""))[:200])
    return found


def _read(answer: httpx.Response, most_bytes: int, until: float) -> bytes:
    """The body, if it is neither too long nor dripped for ever."""
    pieces, size = [], 0
    for piece in answer.iter_bytes():
        size += len(piece)
        if size > most_bytes:
            raise ApiError("too_large", may_have_happened=True)
        if time.monotonic() > until:
            raise ApiError("timeout", may_have_happened=True)
        pieces.append(piece)
    return b"".join(pieces)


def _name_of(answer: httpx.Response) -> str:
    found = _FILE_NAME.search(answer.headers.get("content-disposition", ""))
    return found[1].strip() if found else ""


class _Pool:
    """One pool of connections a process; made at the first call, so that a fork inherits none."""

    def __init__(self) -> None:
        self._client: httpx.Client | None = None
        self._making = threading.Lock()

    def __call__(self) -> httpx.Client:
        with self._making:
            if self._client is None:
                timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
                limits = httpx.Limits(max_connections=100, max_keepalive_connections=40)
                self._client = httpx.Client(timeout=timeout, limits=limits, follow_redirects=False, trust_env=False)
            return self._client

    def close(self) -> None:
        """Let go of connections; the next call makes others."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def forget(self) -> None:
        """In a forked child: the parent's connections are the parent's, and so may be its lock."""
        self._client, self._making = None, threading.Lock()


connections = _Pool()
os.register_at_fork(after_in_child=connections.forget)
