"""POST once: a form or an API call that carries a key is done once and answered alike ever after (RELIABILITY row 7).

The key is the form's hidden field ``idempotency_key`` (``{% once_key %}``) or the header ``Idempotency-Key``. The
same key with other content is refused (422). An answer of 4xx or 5xx is not stored and leaves nothing behind: correct
the form and send it again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from . import clock, idempotency, secrets
from .http import FORM_TYPES, Malformed

FIELD, HEADER = "idempotency_key", "Idempotency-Key"
_KEY = re.compile(r"^[A-Za-z0-9_.:-]{16,128}$")
_NOT_CONTENT = {FIELD, "csrfmiddlewaretoken"}
_PURPOSE = "once-header"  # sealed: an address may be somebody's private link, of which the database holds the hash only
_KEPT_HEADERS = ("Location", "HX-Redirect", "HX-Location", "HX-Trigger", "HX-Push-Url", "HX-Refresh", "Cache-Control")

View = Callable[..., HttpResponse]


class _Unsaved(Exception):
    """Carries a refusing answer out of the transaction, which is thereby undone."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def idempotent(view: View) -> View:
    """A view whose POST is done once per key. All of it runs in one transaction: do slow work (photos) in ``once`` instead."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return once(request, lambda: view(request, *args, **kwargs))

    return wrapped


def once(request: HttpRequest, do: Callable[[], HttpResponse], *, scope: str | None = None) -> HttpResponse:
    """Call ``do`` unless this key was answered before in ``scope`` (by default: the person signed in, or everybody else).

    Without a key, or for a GET, it just calls ``do``. Raises Refusal for a key that is malformed or was used for
    other content.
    """
    key = request.headers.get(HEADER) or request.POST.get(FIELD, "")
    if request.method != "POST" or not key:
        return do()
    if not _KEY.match(key):
        raise Malformed("bad_key", _("请求编号须为 16 至 128 位字母、数字或 _ . : -"))
    made: list[HttpResponse] = []

    def run() -> idempotency.Reply:
        made.append(_rendered(do()))
        if made[0].status_code >= 400:
            raise _Unsaved(made[0])
        return _reply(made[0])

    try:
        reply = idempotency.once(
            scope=scope or _scope(request), key=key, fingerprint=fingerprint(request), at=clock.now(), do=run
        )
    except _Unsaved as refused:
        return refused.answer
    return made[0] if made else _answer(reply)


def fingerprint(request: HttpRequest) -> str:
    """What makes two requests the same: address, method, fields and files; not the boundary, the CSRF token or the key."""
    address = (request.method or "", request.get_full_path())
    if request.content_type in FORM_TYPES:
        return idempotency.fingerprint_of(*address, *_form_parts(request))
    return idempotency.fingerprint_of(*address, request.body)


def _form_parts(request: HttpRequest) -> Iterator[str | bytes]:
    for name in sorted(set(request.POST) - _NOT_CONTENT):
        values = request.POST.getlist(name)
        yield from (name, str(len(values)), *values)
    for name in sorted(request.FILES):
        files = request.FILES.getlist(name)
        yield from (name, str(len(files)))
        yield from map(_file_digest, files)


def _file_digest(file: UploadedFile) -> bytes:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.digest()


def _scope(request: HttpRequest) -> str:
    person = getattr(request, "user", None)
    return f"person:{person.pk}" if person is not None and person.is_authenticated else "everybody"


def _rendered(answer: HttpResponse) -> HttpResponse:
    if answer.streaming:
        raise TypeError("a streamed answer cannot be kept; answer with HttpResponse")
    render = getattr(answer, "render", None)
    return render() if render is not None and not getattr(answer, "is_rendered", True) else answer


def _reply(answer: HttpResponse) -> idempotency.Reply:
    kept = {name: secrets.seal(answer[name], _PURPOSE) for name in _KEPT_HEADERS if name in answer}
    return idempotency.Reply(answer.status_code, answer.content, answer.get("Content-Type", ""), kept)


def _answer(reply: idempotency.Reply) -> HttpResponse:
    headers = {name: secrets.unseal(value, _PURPOSE) for name, value in reply.headers.items()}
    answer = HttpResponse(reply.body, status=reply.status, content_type=reply.content_type or None, headers=headers)
    answer["Idempotency-Replayed"] = "true"
    return answer
