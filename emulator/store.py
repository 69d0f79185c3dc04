"""What the emulator remembers: people and their phones, official accounts, a corporation, and what was sent."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from typing import Any

from emulator.wecom.state import Corp

FIRST_MESSAGE_ID = 24_500_000_000_000_000
"""Beyond 2^53, as real ones are: who reads them as a JavaScript number loses digits."""


@dataclass
class Window:
    """Customer-service messages that may still be sent, and until when."""

    until: float = 0.0
    left: int = 0


@dataclass
class Following:
    """One person and one official account. ``is_blocking``: they refuse its messages but still follow."""

    openid: str
    is_following: bool = False
    since: float = 0.0
    scene: str = "ADD_SCENE_SEARCH"
    qr_scene: str = ""
    is_blocking: bool = False
    remark: str = ""
    tags: list[int] = field(default_factory=list)
    windows: dict[str, Window] = field(default_factory=dict)
    grants: dict[str, int] = field(default_factory=dict)
    menu: list[dict[str, Any]] = field(default_factory=list)
    menu_at: float = 0.0
    mass: dict[str, int] = field(default_factory=dict)


@dataclass
class Item:
    """One line of a chat: ``by`` person, account or system."""

    number: int
    at: float
    by: str
    kind: str
    data: dict[str, Any]


@dataclass
class Person:
    """Somebody with a phone. Positions are WGS-84. ``userid``: who they are in the corporation, if anybody."""

    id: str
    name: str
    role: str = ""
    colour: str = "#3a6ea5"
    mobile: str = ""
    mail: str = ""
    userid: str = ""
    lat: float = 23.1906
    lon: float = 113.4956
    label: str = ""
    photos: list[str] = field(default_factory=list)
    following: dict[str, Following] = field(default_factory=dict)
    chats: dict[str, list[Item]] = field(default_factory=dict)
    is_snapshot: bool = False

    @property
    def unionid(self) -> str:
        """One for all accounts of an owner."""
        return "oU" + digest(self.id, "union")[:26]


@dataclass
class Template:
    """A template message or subscription template; ``content`` holds lines like ``事项 {{thing1.DATA}}``."""

    id: str
    title: str
    content: str
    short: str = ""
    category: str = "政务民生"
    kind: int = 2  # subscription templates: 2 one-time, 3 long-term
    enums: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class QrCode:
    """A scene in a square. ``until`` 0: for ever."""

    ticket: str
    scene: str
    url: str
    until: float = 0.0


@dataclass
class Server:
    """Where an account pushes to. ``mode``: plain, compatible, secure; no ``url``: nothing is pushed."""

    url: str = ""
    token: str = ""
    aes_key: str = ""
    mode: str = "plain"


@dataclass
class Token:
    """An access token or ticket that was given out."""

    value: str
    until: float
    kind: str = "classic"


@dataclass
class Account:
    """An official account (服务号)."""

    appid: str
    secret: str
    name: str
    original_id: str
    colour: str = "#1f7a5a"
    server: Server = field(default_factory=Server)
    ip_whitelist: list[str] = field(default_factory=list)
    is_frozen: bool = False
    oauth_domain: str = ""
    js_domains: list[str] = field(default_factory=list)
    menu_domains: list[str] = field(default_factory=list)
    no_permission: list[str] = field(default_factory=list)
    industry: list[str] = field(default_factory=lambda: ["2", "24"])
    templates: dict[str, Template] = field(default_factory=dict)
    subscriptions: dict[str, Template] = field(default_factory=dict)
    menu: list[dict[str, Any]] | None = None
    conditional: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    qrcodes: dict[str, QrCode] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    tickets: list[Token] = field(default_factory=list)
    forced: list[float] = field(default_factory=list)
    quota: dict[str, int] = field(default_factory=dict)
    quota_day: str = ""
    minutes: dict[str, int] = field(default_factory=dict)
    cleared: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    sent_ids: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class Media:
    """An uploaded file. ``until`` 0: permanent material."""

    id: str
    owner: str
    kind: str
    name: str
    mime: str
    data: bytes
    until: float = 0.0


@dataclass
class Code:
    """A web sign-in code: for one page, once."""

    value: str
    owner: str
    person: str
    scope: str
    until: float
    is_used: bool = False
    is_snapshot: bool = False


@dataclass
class WebToken:
    """A web token or refresh token of one person and one account. ``kind``: access or refresh."""

    value: str
    kind: str
    appid: str
    openid: str
    person: str
    scope: str
    until: float
    is_snapshot: bool = False


@dataclass
class Sms:
    """One text message, as the carrier has it."""

    id: str
    at: float
    mobile: str
    sign: str
    template: str
    text: str
    out_id: str = ""
    status: str = "sending"
    error: str = ""


@dataclass
class SmsProvider:
    """A text-message provider's account. ``templates``: words with ``${name}`` by code; limits by number and signature."""

    key_id: str = ""
    key_secret: str = ""
    signs: list[str] = field(default_factory=list)
    templates: dict[str, str] = field(default_factory=dict)
    report_url: str = ""
    a_minute: int = 1
    an_hour: int = 5
    a_day: int = 10
    nonces: dict[str, float] = field(default_factory=dict)


@dataclass
class Robot:
    """A DingTalk group's robot: guarded by a secret, keywords or addresses, 20 messages a minute."""

    token: str
    secret: str = ""
    keywords: list[str] = field(default_factory=list)
    ips: list[str] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    limited_until: float = 0.0
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Mail:
    """One letter the mail server took."""

    at: float
    sender: str
    to: list[str]
    subject: str
    text: str
    raw: str


@dataclass
class State:
    """Everything; nothing here knows of the network."""

    people: dict[str, Person] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    corps: dict[str, Corp] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    web_tokens: dict[str, WebToken] = field(default_factory=dict)
    sms: list[Sms] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    sms_provider: SmsProvider = field(default_factory=SmsProvider)
    robots: dict[str, Robot] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    serial: int = 0
    openids: dict[str, str] = field(default_factory=dict)

    def next_id(self) -> int:
        """A number nobody had."""
        self.serial += 1
        return FIRST_MESSAGE_ID + self.serial * 1_009

    def following(self, account: Account, person: Person) -> Following:
        """How they stand to each other; strangers until somebody scans or follows."""
        if account.appid not in person.following:
            openid = "o" + digest(account.appid, person.id)[:27]
            person.following[account.appid] = Following(openid)
            self.openids[openid] = person.id
        return person.following[account.appid]

    def person_of(self, account: Account, openid: str) -> tuple[Person, Following] | None:
        """Whose openid it is."""
        person = self.people.get(self.openids.get(openid, ""))
        found = person.following.get(account.appid) if person else None
        return (person, found) if person and found and found.openid == openid else None


def digest(*words: str) -> str:
    """A fixed, opaque text from words: letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode(hashlib.sha256("\0".join(words).encode()).digest()).decode().rstrip("=")


def secret_text(length: int) -> str:
    """A fresh, opaque text."""
    return base64.urlsafe_b64encode(os.urandom(length)).decode().replace("-", "x").replace("_", "y")[:length]
