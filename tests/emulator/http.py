"""Plain calls to the emulator, without the certificates that each of httpx's own would load."""

from __future__ import annotations

from typing import Any

import httpx


def request(method: str, url: str, **more: Any) -> httpx.Response:
    """One request on a connection of its own; redirects are not followed."""
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        return client.request(method, url, **more)


def get(url: str, **more: Any) -> httpx.Response:
    """GET."""
    return request("GET", url, **more)


def post(url: str, **more: Any) -> httpx.Response:
    """POST."""
    return request("POST", url, **more)
