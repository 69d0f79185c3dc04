"""A follower as an address."""

from __future__ import annotations

SYSTEM = "wechat"


def address_of(follower_id: int) -> str:
    """Who resolves it, and whose it is: ``wechat:17``."""
    return f"{SYSTEM}:{follower_id}"
