"""How a refusal reaches the reader, in one place: JSON for machines, a sentence in place for htmx, a page for everybody else.

One JSON shape: ``{"ok": false, "code", "message", "facts"}``. Raise a Refusal anywhere in a view;
``core.middleware.Refusals`` and the handlers below (named in web/urls.py) bring it here. An address that does not
exist, a thing that does not, and one that the reader may not see are told alike. A fault of ours shows an incident
number and nothing else.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import IntegrityError
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from .errors import Forbidden, NotFound, Refusal, Stale

Shape = Callable[[HttpRequest, Refusal], HttpResponse]
_shapes: dict[str, Shape] = {}
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

log = logging.getLogger(__name__)


class TooLarge(Refusal):
    """The body is larger than what this address takes."""

    status = 413


class WrongType(Refusal):
    """The body is of a kind that nothing here reads."""

    status = 415


class Malformed(Refusal):
    """The request cannot be read at all: broken encoding, a NUL, a broken multipart body."""

    status = 400


class WrongMethod(Refusal):
    """The address exists, the method does not."""

    status = 405


# -- who asks, and what they can read --------------------------------------------------------------------------------


def wants_json(request: HttpRequest) -> bool:
    """True for the API, for a JSON body, and for whoever likes JSON better than HTML."""
    return (
        request.path_info.startswith("/api/")
        or request.content_type == "application/json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )


def is_htmx(request: HttpRequest) -> bool:
    """True if htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def client_address(request: HttpRequest) -> str:
    """The address of whoever asks, as far as we can know it: ``X-Forwarded-For`` counts only from a proxy we trust.

    Read from the right, each hop must be in ``JIEQU_TRUSTED_PROXIES`` (addresses, networks, or ``unix`` for a
    socket); the first that is not is the client. Whatever a client puts further left changes nothing.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    while _is_trusted(address) and hops:
        hop = hops.pop().strip()
        try:
            address = str(_plain(hop))
        except ValueError:
            break
    return address


def client_network(request: HttpRequest) -> str:
    """What throttles count by: the address, or the /64 of an IPv6 address (one subscriber holds all of it)."""
    address = client_address(request)
    try:
        plain = _plain(address)
    except ValueError:
        return address
    return str(ip_network(f"{plain}/64", strict=False)) if isinstance(plain, IPv6Address) else str(plain)


def _plain(text: str) -> Any:
    """The address; an IPv4 address in IPv6 clothes as what it is."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: str) -> bool:
    networks, is_unix_trusted = _proxies(tuple(settings.TRUSTED_PROXIES))
    try:
        plain = _plain(address)
    except ValueError:
        return not address and is_unix_trusted
    return any(plain in network for network in networks)


@lru_cache(maxsize=4)
def _proxies(names: tuple[str, ...]) -> tuple[list[IPv4Network | IPv6Network], bool]:
    return [ip_network(name, strict=False) for name in names if name != "unix"], "unix" in names


# -- saying no -------------------------------------------------------------------------------------------------------


def shape_under(prefix: str, shape: Shape) -> None:
    """Refusals of addresses under ``prefix`` are answered by ``shape``: a door that speaks another standard's language."""
    _shapes[prefix] = shape


def _own_shape(request: HttpRequest) -> Shape | None:
    """What the whole process answers with, or else the door that the address belongs to; None for a page."""
    if settings.REFUSAL_SHAPE:
        found: Shape = import_string(settings.REFUSAL_SHAPE)
        return found
    return next((shape for prefix, shape in _shapes.items() if request.path_info.startswith(prefix)), None)


def refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The answer that carries a refusal, in the shape the reader understands.

    htmx gets the sentence for the page's ``#refusal`` region, so that a half-filled form stays as it is. A page that
    needs somebody signed in leads to the sign-in page, unless the code begins with ``link_`` (a private link that is
    no longer good).
    """
    facts = {} if refusal.status == HTTPStatus.NOT_FOUND else refusal.facts  # a 404 has nothing to tell apart
    if shape := _own_shape(request):
        answer: HttpResponse = shape(request, refusal)
    elif wants_json(request):
        answer = JsonResponse(_shape(refusal.code, str(refusal), facts), status=refusal.status)
    elif refusal.status == HTTPStatus.UNAUTHORIZED and not refusal.code.startswith("link_"):
        answer = _to_sign_in(request)
    else:
        answer = _told(request, refusal)
    if "retry_after_seconds" in facts:
        answer["Retry-After"] = str(facts["retry_after_seconds"])
    answer["Cache-Control"] = "no-store"
    patch_vary_headers(answer, ["Accept", "HX-Request"])
    return answer


def refusal_of(error: BaseException | None) -> Refusal | None:
    """The refusal that stands for an exception of Django's; None for a fault of ours."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Http404):
        return _not_found()
    if isinstance(error, PermissionDenied):
        return _forbidden()
    if isinstance(error, IntegrityError) and _is_twice(error):
        log.warning("two at once: %s", type(error).__name__)
        return Stale("done_meanwhile", _("别人刚刚办过同一件事，请刷新后再看"))
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return TooLarge("too_large", _("发来的内容太多，请减少后再试"))
    if isinstance(error, SuspiciousOperation | MultiPartParserError):
        return _malformed()
    return None


def _is_twice(error: IntegrityError) -> bool:
    """True if a unique constraint stopped the second of two who did the same at once; any other broken rule is our fault."""
    state = getattr(error.__cause__, "sqlstate", None)  # PostgreSQL's unique_violation, or SQLite's words
    return state == "23505" or str(error).startswith("UNIQUE constraint failed")


def _not_found() -> Refusal:
    return NotFound("not_found", _("没有找到您要的内容，它可能已被移走，或者您不能查看"))


def _forbidden() -> Refusal:
    return Forbidden("forbidden", _("您不能做这件事"))


def _malformed() -> Refusal:
    return Malformed("malformed", _("发来的内容无法读取，请刷新页面后再试"))


def form_errors(form: BaseForm) -> Refusal:
    """A refusal that says what is wrong with a form: the first sentence, and all of them by field in ``facts["fields"]``."""
    fields = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
    first = next((errors[0] for errors in fields.values() if errors), "")
    return Refusal("invalid_form", first or _("请检查填写的内容"), facts={"fields": fields})


def _shape(code: str, message: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {"ok": False, "code": code, "message": message, "facts": facts}


def _told(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The page is drawn without the request: no query, no token, the same bytes for everybody who reads its language."""
    if is_htmx(request):
        part = HttpResponse(render_to_string(settings.REFUSAL_PART, {"refusal": refusal}), status=refusal.status)
        part["HX-Retarget"], part["HX-Reswap"] = "#refusal", "innerHTML"
        return part
    keeps_form = refusal.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED)
    context = {"refusal": refusal, "title": _title(refusal.status), "keeps_form": keeps_form}
    return HttpResponse(render_to_string(settings.REFUSAL_PAGE, context), status=refusal.status)


def _title(status: int) -> str:
    titles = {
        HTTPStatus.FORBIDDEN: _("您不能打开这一页"),
        HTTPStatus.NOT_FOUND: _("没有找到"),
        HTTPStatus.CONFLICT: _("别人刚刚改过"),
        HTTPStatus.TOO_MANY_REQUESTS: _("请稍等一会儿"),
        HTTPStatus.UNAUTHORIZED: _("链接已失效"),
    }
    return titles.get(HTTPStatus(status)) or _("没有办成")


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    back = request.get_full_path() if request.method == "GET" and not is_htmx(request) else ""
    address = resolve_url(settings.LOGIN_URL) + (f"?{urlencode({'next': back})}" if back else "")
    if is_htmx(request):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


# -- Django's handlers (web/urls.py names them) ------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return refuse(request, refusal_of(exception) or _malformed())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    return refuse(request, refusal_of(exception) or _forbidden())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: an address that does not exist, in the words for a thing that does not."""
    return refuse(request, _not_found())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: the reason goes to the log, not to the reader."""
    log.warning("csrf: %s", reason)
    return refuse(request, Forbidden("page_expired", _("页面已过期，请返回上一页刷新后再提交，您填写的内容还在")))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: an incident number, which the log has beside the traceback."""
    incident = "E" + secrets.token_hex(4).upper()
    log.error("incident %s at %s %s", incident, request.method, request.path, exc_info=sys.exc_info())
    message = _("系统出了问题，已经记录。如需帮助，请告诉管理员编号 %(incident)s") % {"incident": incident}
    if wants_json(request):
        answer: HttpResponse = JsonResponse(_shape("internal", message, {"incident": incident}), status=500)
    else:
        answer = HttpResponse(render_to_string(settings.FAULT_PAGE, {"incident": incident}), status=500)
    answer["Cache-Control"] = "no-store"
    return answer
