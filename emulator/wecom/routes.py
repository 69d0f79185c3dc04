"""The table of WeCom's addresses, and who calls them."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.routes import Routes
from emulator.wecom.state import Agent, Corp

routes = Routes()


@dataclass
class Caller:
    """Whose token it is: an application's, or (no ``agent``) that of contacts sync."""

    corp: Corp
    agent: Agent | None
