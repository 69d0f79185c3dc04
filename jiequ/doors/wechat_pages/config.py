"""Which browsers are WeChat's, and how a follower is written as an account."""

from __future__ import annotations

from django.http import HttpRequest

from jiequ.channels.wechat.config import is_on

__all__ = ["ACCOUNT", "account_of", "follower_id_of", "is_in_wechat", "is_on"]
AGENT = "MicroMessenger"
WORK_AGENT = "wxwork"
ACCOUNT = "wechat"


def is_in_wechat(request: HttpRequest) -> bool:
    """True in WeChat's own browser; WeCom's says the same word, and its own beside it."""
    agent = request.headers.get("User-Agent", "")
    return AGENT in agent and WORK_AGENT not in agent


def account_of(follower_id: int) -> str:
    """A follower as an address and as what a session carries."""
    return f"{ACCOUNT}:{follower_id}"


def follower_id_of(account: str) -> int | None:
    """The follower of such an address; None for another channel's."""
    scheme, _colon, number = account.partition(":")
    return int(number) if scheme == ACCOUNT and number.isdecimal() else None
