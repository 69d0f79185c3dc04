"""A fixed camera is asked for its picture by HTTP, by the rules for addresses that somebody typed in (``core.outgoing``)."""

from __future__ import annotations

import contextlib

import httpx

from jiequ.core import outgoing

LARGEST = 20 * 1024 * 1024
SECONDS = 8.0


def picture(url: str, *, login: str = "", password: str = "") -> bytes:
    """The body of a 200. Unreachable: what ``outgoing`` finds, ``camera_login`` for a 401 or 403, ``camera_status`` for others.

    With a login by Digest where the camera asks for that, else by Basic: the second call is made only after a 401.
    """
    answer = outgoing.fetch(url, seconds=SECONDS, largest=LARGEST)
    if answer.status == 401 and login:
        told = _authorization(url, answer, login, password)
        answer = outgoing.fetch(url, headers={"Authorization": told}, seconds=SECONDS, largest=LARGEST)
    if answer.status in (401, 403):
        raise outgoing.Unreachable("camera_login")
    if 300 <= answer.status < 400:
        raise outgoing.Unreachable("redirect")
    if answer.status != 200:
        raise outgoing.Unreachable("camera_status")
    return answer.body


def _authorization(url: str, answer: outgoing.Answer, login: str, password: str) -> str:
    """The header that answers the camera's question; httpx knows how."""
    asked = answer.headers.get("www-authenticate", "")
    request = httpx.Request("GET", url)
    is_digest = asked.lower().startswith("digest ")
    scheme: httpx.Auth = httpx.DigestAuth(login, password) if is_digest else httpx.BasicAuth(login, password)
    flow = scheme.auth_flow(request)
    first = next(flow)
    with contextlib.suppress(StopIteration, httpx.ProtocolError, KeyError):  # Basic adds nothing; or nobody understands it
        first = flow.send(httpx.Response(401, headers={"www-authenticate": asked}, request=request))
    told = first.headers.get("Authorization", "")
    if not told:
        raise outgoing.Unreachable("camera_login")
    return told
