"""How the door answers: a document in the form that was asked for, and every refusal as the specification's array of errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from jiequ.core.errors import NotFound, Refusal

from . import wire

JSON, XML = "json", "xml"
FORMS = (XML, JSON)
_KEPT = {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.METHOD_NOT_ALLOWED}
_CALLED = {HTTPStatus.UNAUTHORIZED: HTTPStatus.FORBIDDEN}
"""The specification knows 403 for a missing or bad key, 404 for what is not there, and 400 for everything else. It does not
speak of methods and of too many calls: HTTP's own 405 and 429 are kept."""


def known(form: str) -> str:
    """The form if we write it; NotFound for any other."""
    if form not in FORMS:
        raise NotFound("unknown_format", _("只有 xml 和 json 两种格式。"))
    return form


def answer(form: str, root: str, value: Any, *, is_public: bool = True, seconds: int = 0) -> HttpResponse:
    """The document. What everybody may read may be read by pages of any origin; what a key opened stays in no cache."""
    is_json = form == JSON
    told = HttpResponse(
        wire.jsoned(value) if is_json else wire.xml(root, value), content_type=wire.JSON_TYPE if is_json else wire.XML_TYPE
    )
    told["Cache-Control"] = f"public, max-age={seconds}" if is_public and seconds else "no-store"
    if is_public:
        told["Access-Control-Allow-Origin"] = "*"
    patch_vary_headers(told, ["Accept-Language", "Cookie"])
    return told


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal: ``[{"code": 404, "description": "…"}]``, or the same as XML."""
    status = _status(refusal.status)
    errors = [{"code": int(status), "description": text} for text in _sentences(refusal)]
    form = JSON if request.path_info.endswith(".json") else XML
    told = answer(form, "errors", errors)
    told.status_code = int(status)
    return told


def _status(status: int) -> HTTPStatus:
    found = HTTPStatus(status)
    found = _CALLED.get(found, found)
    return found if found in _KEPT else HTTPStatus.BAD_REQUEST


def _sentences(refusal: Refusal) -> list[str]:
    """One error for each field that is wrong, where several are."""
    fields: dict[str, list[str]] = refusal.facts.get("fields") or {}
    return [text for texts in fields.values() for text in texts] or [str(refusal)]
