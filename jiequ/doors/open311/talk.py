"""Calls to another GeoReport server, by the rules of ``core.outgoing``: https, no inside addresses, bounded time and size.

Never inside a transaction. A key is sent in the body of a POST; in a header only to a server of our own kind.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from jiequ.core import outgoing, secrets

from . import foreign
from .models import Partner

PURPOSE = "open311-partner-key"
SECONDS = 20.0
_OWN_KEY = "jq_"


class Trouble(Exception):
    """A call that came to nothing: ``code`` for us, ``detail`` in the other side's words (cut), ``is_final`` if a repeat
    cannot help."""

    def __init__(self, code: str, detail: str = "", *, is_final: bool = False) -> None:
        super().__init__(code)
        self.code, self.detail, self.is_final = code, detail[:200], is_final


class Talk:
    """One partner's server."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.key = secrets.unseal(partner.key_sealed, PURPOSE) if partner.key_sealed else ""

    def get(self, what: str, **query: str) -> list[dict[str, Any]]:
        """The rows of ``requests``, ``services/0110`` and the like. Trouble if there are none to be had."""
        asked = {name: value for name, value in ({"jurisdiction_id": self.partner.jurisdiction} | query).items() if value}
        address = self._address(what) + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key.startswith(_OWN_KEY) else {}
        return self._rows(address, "GET", b"", headers)

    def post(self, what: str, form: list[tuple[str, str]], *, key: str) -> list[dict[str, Any]]:
        """What is answered to a form; ``key`` is ours, the same at every try."""
        given = [("api_key", self.key), ("jurisdiction_id", self.partner.jurisdiction), *form]
        body = urlencode([(name, value) for name, value in given if value]).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Idempotency-Key": key}
        return self._rows(self._address(what), "POST", body, headers)

    def _address(self, what: str) -> str:
        return f"{self.partner.base_url}/{quote(what, safe='/')}.{self.partner.form}"

    def _rows(self, address: str, method: str, body: bytes, headers: dict[str, str]) -> list[dict[str, Any]]:
        accepted = "application/json" if self.partner.form == "json" else "text/xml"
        sent = {"Accept": accepted, "User-Agent": "Jiequ", **headers}
        try:
            answer = outgoing.fetch(address, method=method, body=body, headers=sent, seconds=SECONDS)
        except outgoing.Unreachable as failed:
            raise Trouble(failed.code) from None
        if answer.status >= 300:
            is_final = 400 <= answer.status < 500 and answer.status not in (408, 429)
            raise Trouble(f"status_{answer.status}", _said(answer.body), is_final=is_final)
        try:
            return foreign.rows(answer.body)
        except foreign.Unreadable:
            raise Trouble("unreadable") from None


def _said(body: bytes) -> str:
    """The descriptions of an array of errors; nothing of any other body."""
    try:
        found = foreign.rows(body)
    except foreign.Unreadable:
        return ""
    return "；".join(text for one in found[:3] if (text := foreign.text(one, "description")))
