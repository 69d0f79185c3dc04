"""Somebody who calls the played APIs by hand, without any client library."""

from __future__ import annotations

from typing import Any

import httpx

from emulator import scene


class Product:
    """The scene's account as its owner calls it; the token is fetched once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = httpx.Client(timeout=30, trust_env=False, verify=False)
        self._token = ""

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()

    def token(self, path: str = "stable_token", **given: Any) -> dict[str, Any]:
        """A token's answer: of ``stable_token``, or with ``path="token"`` the old one."""
        words = {"grant_type": "client_credential", "appid": scene.APPID, "secret": scene.SECRET, **given}
        url = f"{self.base}/api/cgi-bin/{path}"
        answer = self.http.get(url, params=words) if path == "token" else self.http.post(url, json=words)
        assert answer.status_code == 200
        return answer.json()

    def post(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """A call with a token."""
        return self._call("POST", path, {"json": body}, query)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A call with a token."""
        return self._call("GET", path, {}, query)

    def upload(self, kind: str, data: bytes, name: str = "a.jpg") -> dict[str, Any]:
        """A temporary file."""
        return self._call("POST", "/cgi-bin/media/upload", {"files": {"media": (name, data, "image/jpeg")}}, {"type": kind})

    def _call(self, method: str, path: str, body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
        self._token = self._token or self.token()["access_token"]
        words = {"access_token": self._token, **query}
        answer = self.http.request(method, f"{self.base}/api{path}", params=words, **body)
        assert answer.status_code == 200
        return answer.json()


def errcode(answer: dict[str, Any]) -> int:
    """0 where all went well; a refusal carries words and a request id."""
    code = int(answer.get("errcode", 0))
    assert not code or "rid: " in answer["errmsg"]
    return code
