"""The table of the strings, and what their modules share."""

from __future__ import annotations

from typing import Any

from emulator.http import Request
from emulator.routes import Routes

routes = Routes()


def given(request: Request) -> dict[str, Any]:
    """The body as an object; none is an empty one."""
    return request.json() if request.body.strip() else {}
