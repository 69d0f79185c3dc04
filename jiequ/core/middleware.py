"""What every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import translation
from django.utils.translation import gettext as _

from .errors import Refusal
from .http import FORM_TYPES, Malformed, TooLarge, WrongMethod, WrongType, refusal_of, refuse

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        f"connect-src {' '.join(settings.CONNECT_SOURCES)}",
        " ".join(["img-src 'self' data: blob:", *settings.CONNECT_SOURCES[1:]]),
        f"script-src {' '.join(settings.SCRIPT_SOURCES)}",
        "style-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
PIECE_TYPES = {"application/offset+octet-stream", "application/octet-stream"}
"""Pieces of a resumable upload: no view reads them but the one that streams them to the disk."""
BODY_TYPES = {*FORM_TYPES, *PIECE_TYPES, "application/json", "application/geo+json", "text/xml", "application/xml"}


class SecurityHeaders:
    """Every answer says what a browser may do with it. A view may set a stricter header of its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Add what is missing."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class Refusals:
    """A refusal raised in a view becomes the answer; a 405 gets the same shape."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; reshape Django's bare 405."""
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            told = refuse(request, WrongMethod("method_not_allowed", _("这个地址不接受这种请求")))
            told["Allow"] = response["Allow"]
            return told
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer for a refusal; None leaves a fault of ours to handler500."""
        refusal = refusal_of(exception)
        return refuse(request, refusal) if refusal else None


class RequestGuard:
    """Refuses what no view should have to think of: too large, of a strange type, broken text, NUL (PostgreSQL would raise)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at what is known without reading the body.

        A cookie that cannot be read is as if absent: a portal on a parent domain may have set it, and nobody can mend it.
        This stands before the session and the language, so it finds the reader's language itself.
        """
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if is_clean(value)}
        with translation.override(translation.get_language_from_request(request)):
            refusal = _size_problem(request) or _type_problem(request) or _text_problem(_outer_texts(request))
            if refusal:
                return refuse(request, refusal)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Look at fields, file names and JSON texts before any view does."""
        refusal = _text_problem(_body_texts(request))
        return refuse(request, refusal) if refusal else None


def _size_problem(request: HttpRequest) -> Refusal | None:
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return Malformed("malformed", _("发来的内容无法读取，请刷新页面后再试"))
    if request.content_type == "multipart/form-data":
        most = settings.MAX_BODY_BYTES
    else:
        most = settings.MAX_PIECE_BYTES if request.content_type in PIECE_TYPES else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if size <= most:
        return None
    return TooLarge("too_large", _("发来的内容太多，请减少后再试"), facts={"max_bytes": most})


def _type_problem(request: HttpRequest) -> Refusal | None:
    if request.method in ("GET", "HEAD", "OPTIONS") or not request.META.get("CONTENT_LENGTH", "0").strip("0"):
        return None
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if request.content_type in BODY_TYPES and charset in ("utf-8", "utf8"):
        return None
    return WrongType("wrong_type", _("无法读取这种格式的内容"), facts={"accepted": sorted(BODY_TYPES)})


def _text_problem(texts: Iterable[str]) -> Refusal | None:
    if all(is_clean(text) for text in texts):
        return None
    return Malformed("bad_text", _("内容里有无法识别的字符，请删掉后再试"))


def is_clean(text: str) -> bool:
    """True if any database can store the text: no NUL, no half character, nothing that failed to decode as UTF-8."""
    if "\0" in text or "\ufffd" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _outer_texts(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    for name, values in request.GET.lists():
        yield name
        yield from values


def _body_texts(request: HttpRequest) -> Iterator[str]:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.content_type in FORM_TYPES:
        for name, values in request.POST.lists():
            yield name
            yield from values
        for name, files in request.FILES.lists():
            yield name
            yield from (file.name or "" for file in files)
    elif (request.content_type or "").endswith("json"):
        yield from _json_texts(request.body)


def _json_texts(body: bytes) -> Iterator[str]:
    """The texts of a JSON body that could be trouble: only an escape can bring a NUL or half a character into valid UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        yield "\ufffd"
        return
    if b"\\u" not in body and b"\0" not in body:
        return
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):  # the view says that it is no JSON
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
