"""A browser that came in by an outside account, as WeChat's sign-in leaves it."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from jiequ.people import sessions


def client_of_account(account: str, *, device: str = "") -> Client:
    """An anonymous session that carries the account (``wechat:7``); ``device``: the cookie of a browser that reported."""
    session = sessions.SessionStore()
    session.create()
    session[sessions.ACCOUNT] = account
    session.save()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    if device:
        client.cookies["device"] = device
    return client
