"""The door for large files: tus 1.0 (core, creation, termination), and the same by PUT with Content-Range.

A web worker only moves bytes from the socket to the disk in 64 KB steps; what a file is, a job finds out.
"""

from __future__ import annotations

import base64
import binascii
import re
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.http import TooLarge, WrongType
from jiequ.core.numbers import whole
from jiequ.people.access import actor_of, needs

from .. import access, services
from ..models import Upload
from ..services.uploading import LARGEST_PIECE, OtherPlace

VERSION = "1.0.0"
TUS_PIECE, RAW_PIECE = "application/offset+octet-stream", "application/octet-stream"
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_ASKED = re.compile(r"bytes \*/(\d{1,15})")


class WrongVersion(Refusal):
    """Another version of tus than ours."""

    status = 412


class LengthNeeded(Refusal):
    """A piece without its length."""

    status = 411


@needs(*access.VIEWERS)
@require_http_methods(["POST", "OPTIONS"])
def uploads(request: HttpRequest) -> HttpResponse:
    """Begin, with ``Upload-Length`` and ``Upload-Metadata``. Answers 201 with the place."""
    if request.method == "OPTIONS":
        return _told(HttpResponse(status=204))
    _check_version(request)
    facts = metadata(request.headers.get("Upload-Metadata", ""))
    by, at = actor_of(request), clock.now()
    street_id = access.street_for(by, _number(facts.get("street", ""))).pk
    row = services.begin(
        street_id=street_id,
        name=facts.get("filename") or facts.get("name") or "",
        size_bytes=_length(request.headers.get("Upload-Length", "")),
        flight_id=services.flight_for(street_id, _number(facts.get("flight", "")), facts.get("taken_on", ""), by=by, at=at),
        point_id=_number(facts.get("point", "")),
        kind=facts.get("kind", ""),
        by=by,
        at=at,
    )
    answer = _told(HttpResponse(status=201), row)
    answer["Location"] = reverse("sense:upload", args=[row.token])
    return answer


@needs(*access.VIEWERS)
@require_http_methods(["HEAD", "PATCH", "PUT", "DELETE", "OPTIONS"])
def upload(request: HttpRequest, token: str) -> HttpResponse:
    """HEAD: how far it is. PATCH, PUT: the next piece. DELETE: never mind."""
    if request.method == "OPTIONS":
        return _told(HttpResponse(status=204))
    row = services.upload_of(token, by=actor_of(request))
    if request.method == "PUT":
        return _put(request, row)
    _check_version(request)
    if request.method == "PATCH":
        return _patch(request, row)
    if request.method == "DELETE":
        services.drop(row)
        return _told(HttpResponse(status=204))
    answer = _told(HttpResponse(status=200), row)
    answer["Cache-Control"] = "no-store"
    return answer


def _patch(request: HttpRequest, row: Upload) -> HttpResponse:
    if request.content_type != TUS_PIECE:
        raise WrongType("wrong_type", _("无法读取这种格式的内容"), facts={"accepted": [TUS_PIECE]})
    offset = _number(request.headers.get("Upload-Offset", ""))
    if offset is None:
        raise OtherPlace("other_place", _("没有说明这一片从哪里开始。"), facts={"offset": row.received})
    row = services.append(row, offset=offset, stream=request, length=_piece_length(request), at=clock.now())
    return _told(HttpResponse(status=204), row)


def _put(request: HttpRequest, row: Upload) -> HttpResponse:
    """A piece by ``Content-Range: bytes a-b/size``, or ``bytes */size`` with no body to ask how far it is.

    Answers 308 with ``Range`` while bytes are missing, 200 at the end, 416 with ``Range`` for a piece that does not fit.
    """
    said = request.headers.get("Content-Range", "")
    if _ASKED.fullmatch(said):
        return _range(row)
    found = _RANGE.fullmatch(said)
    if not found:
        raise Refusal("content_range", _("请在 Content-Range 里写明这一片的位置，例如 bytes 0-8388607/1073741824。"))
    first, last, size = (int(part) for part in found.groups())
    if size != row.size_bytes or last < first or last - first + 1 != _piece_length(request):
        raise Refusal("content_range", _("Content-Range 与这一片的长度或文件大小不符。"))
    try:
        return _range(services.append(row, offset=first, stream=request, length=last - first + 1, at=clock.now()))
    except OtherPlace:
        row.refresh_from_db()
        return _range(row, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)


def _range(row: Upload, status: int = 308) -> HttpResponse:
    is_whole = row.received == row.size_bytes
    body = {"ok": status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "received": row.received, "asset": row.asset_id}
    answer = JsonResponse(body, status=200 if is_whole and status == 308 else status)
    if row.received:
        answer["Range"] = f"bytes=0-{row.received - 1}"
    return answer


def _told(answer: HttpResponse, row: Upload | None = None) -> HttpResponse:
    """What every answer of tus says."""
    answer["Tus-Resumable"] = answer["Tus-Version"] = VERSION
    answer["Tus-Extension"] = "creation,termination"
    answer["Tus-Max-Size"] = str(settings.SENSE_UPLOAD_GB * 1024**3)
    if row is not None:
        answer["Upload-Offset"] = str(row.received)
        answer["Upload-Length"] = str(row.size_bytes)
        if row.asset_id:
            answer["Jiequ-Asset"] = str(row.asset_id)
    return answer


def _check_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion("tus_version", _("请用 tus 1.0.0 上传。"), facts={"version": VERSION})


def _piece_length(request: HttpRequest) -> int:
    length = _number(request.headers.get("Content-Length", ""))
    if length is None:
        raise LengthNeeded("length_needed", _("请写明这一片的长度。"))
    if length > LARGEST_PIECE:
        raise TooLarge("piece_too_large", _("每一片最多 8 MB。"), facts={"max_bytes": LARGEST_PIECE})
    return length


def metadata(header: str) -> dict[str, str]:
    """``Upload-Metadata``: keys with base64 values, separated by commas. A value that cannot be read is left out."""
    found = {}
    for part in header[:4000].split(","):
        key, _space, value = part.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found


def _length(text: str) -> int:
    length = _number(text)
    if length is None:
        raise Refusal("upload_length", _("请在 Upload-Length 里写明文件大小。"))
    return length


def _number(text: str) -> int | None:
    return whole(text, 15)
