"""Where tokens and tickets come from: WeChat's ``stable_token``, WeCom's ``gettoken``, the JS-SDK's tickets of both.

``stable_token`` and not ``token``: it gives everybody the same one while it is good, so that workers (and other systems of the
same account that use it too) never refresh each other away.
"""

from __future__ import annotations

from typing import Any

from .client import Api, ApiError
from .tokens.services import Source


def stable_token(base: str, appid: str, secret: str) -> Source:
    """The access token of an official account."""

    def fetch(force: bool) -> tuple[str, int]:
        words = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": force}
        return _pair(Api(base).post("/cgi-bin/stable_token", words), "access_token")

    return Source(f"wechat:{appid}:access", fetch)


def corp_token(base: str, corpid: str, agent: str, secret: str) -> Source:
    """The access token of one WeCom application; ``agent`` names it here (each secret has a token of its own)."""

    def fetch(force: bool) -> tuple[str, int]:
        return _pair(Api(base).get("/cgi-bin/gettoken", {"corpid": corpid, "corpsecret": secret}), "access_token")

    return Source(f"wecom:{corpid}:{agent}:access", fetch)


def page_ticket(api: Api, name: str, path: str = "/cgi-bin/ticket/getticket", kind: str = "jsapi") -> Source:
    """The ticket that signs pages for the JS-SDK. ``name``: ``wechat:<appid>:jsapi``. WeCom: ``/cgi-bin/get_jsapi_ticket``
    without a kind, ``/cgi-bin/ticket/get`` with ``agent_config``."""

    def fetch(force: bool) -> tuple[str, int]:
        return _pair(api.get(path, {"type": kind} if kind else {}), "ticket")

    return Source(name, fetch)


def _pair(fields: dict[str, Any], name: str) -> tuple[str, int]:
    """Value and seconds; ApiError for an answer without them."""
    value, seconds = fields.get(name), fields.get("expires_in")
    if not isinstance(value, str) or not value or not isinstance(seconds, int):
        raise ApiError("bad_answer")
    return value, seconds
