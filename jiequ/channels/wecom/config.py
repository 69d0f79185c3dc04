"""Which corporation and application this installation speaks for: the settings, read at each use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.http import HttpRequest

from jiequ.channels.crypt import key_bytes


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a callback is signed and encrypted with."""

    token: str
    aes_key: str


def is_on() -> bool:
    """True if a corporation and an application are set: otherwise this channel does not exist."""
    return bool(settings.WECOM_CORPID)


def is_home(request: HttpRequest) -> bool:
    """True in WeCom's own browser, where this channel exists."""
    return is_on() and "wxwork" in request.headers.get("User-Agent", "")


def syncs_contacts() -> bool:
    """True if the contacts may be read: that takes a secret of its own."""
    return is_on() and bool(settings.WECOM_CONTACTS_SECRET)


def account() -> str:
    """How arrivals name this application."""
    return f"{settings.WECOM_CORPID}:{settings.WECOM_AGENTID}"


def callbacks() -> dict[str, Secrets]:
    """Whose pushes are listened to: the application's, and contacts sync's where it has secrets of its own."""
    found = {"": Secrets(settings.WECOM_TOKEN, settings.WECOM_AES_KEY)}
    if settings.WECOM_CONTACTS_TOKEN:
        found["contacts"] = Secrets(settings.WECOM_CONTACTS_TOKEN, settings.WECOM_CONTACTS_AES_KEY)
    return {name: one for name, one in found.items() if one.token and one.aes_key}


def check(**_more: Any) -> list[Error]:
    """Django's system check: a key that is none is found at the start, not with the first push."""
    errors = []
    for name, one in callbacks().items() if is_on() else ():
        try:
            key_bytes(one.aes_key)
        except ValueError as error:
            variable = "JIEQU_WECOM_CONTACTS_AES_KEY" if name else "JIEQU_WECOM_AES_KEY"
            errors.append(Error(f"{variable}: {error}.", id="wecom.E001"))
    return errors
