"""What a corporation is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Department:
    """A part of the corporation; 1 is the whole."""

    id: int
    name: str
    parentid: int = 1
    order: int = 1


@dataclass
class Member:
    """Somebody in the contacts. New applications get no phone, avatar or mail of them without a private sign-in."""

    userid: str
    name: str
    departments: list[int] = field(default_factory=lambda: [1])
    mobile: str = ""
    mail: str = ""
    position: str = ""
    tags: list[int] = field(default_factory=list)
    status: int = 1


@dataclass
class CorpToken:
    """A token or ticket of one application."""

    value: str
    until: float


@dataclass
class Card:
    """What one card's ``response_code`` may still do, and to whom it was sent."""

    code: str
    agent: str
    userids: list[str]
    until: float
    task_id: str = ""
    is_used: bool = False


@dataclass
class Agent:
    """An application. ``ips``: trusted addresses, none: every one. Callbacks are always encrypted."""

    agentid: str
    secret: str
    name: str
    url: str = ""
    token: str = ""
    aes_key: str = ""
    home: str = ""
    oauth_domain: str = ""
    js_domains: list[str] = field(default_factory=list)
    ips: list[str] = field(default_factory=list)
    visible_departments: list[int] = field(default_factory=lambda: [1])
    menu: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[CorpToken] = field(default_factory=list)
    ticket: CorpToken | None = None


@dataclass
class Corp:
    """A corporation (corpid ``ww…``)."""

    corpid: str
    name: str
    contacts_secret: str = ""
    departments: dict[str, Department] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    contacts_tokens: list[CorpToken] = field(default_factory=list)
    contacts_ips: list[str] = field(default_factory=list)
    contacts_url: str = ""
    contacts_token: str = ""
    contacts_aes_key: str = ""
    ticket: CorpToken | None = None
    cards: dict[str, Card] = field(default_factory=dict)
    sent: dict[str, list[float]] = field(default_factory=dict)
    day: str = ""
    day_count: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
