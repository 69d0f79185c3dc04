"""Which official account this installation speaks for: the settings, read at each use. None set: there is no such channel."""

from __future__ import annotations

from django.conf import settings

from jiequ.channels.client import Api
from jiequ.channels.crypt import Envelope
from jiequ.channels.sources import stable_token
from jiequ.channels.tokens.services import Source

CHANNEL = "wechat"


def is_on() -> bool:
    """True if an account is set that may be asked and written to."""
    return bool(settings.WECHAT_APPID and settings.WECHAT_SECRET)


def listens() -> bool:
    """True if pushes of the account can be checked."""
    return bool(settings.WECHAT_APPID and settings.WECHAT_TOKEN)


def envelope() -> Envelope | None:
    """What opens encrypted pushes; None in plain mode."""
    if not settings.WECHAT_AES_KEY:
        return None
    return Envelope(token=settings.WECHAT_TOKEN, aes_key=settings.WECHAT_AES_KEY, receiver=settings.WECHAT_APPID)


def token_source() -> Source:
    """Where the account's access token comes from."""
    return stable_token(settings.WECHAT_API, settings.WECHAT_APPID, settings.WECHAT_SECRET)


def api() -> Api:
    """The account's API."""
    return Api(settings.WECHAT_API, token_source())
