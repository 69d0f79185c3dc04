"""What the chat asks of the WeChat channel: two calls, in one place."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module


def say(*, follower_id: int, text: str, key: str, at: datetime) -> None:
    """Queue a message to a follower; the same key is sent once, and nothing to whoever does not follow."""
    import_module("jiequ.channels.wechat.services").say(follower_id=follower_id, text=text, key=key, at=at)


def fetch_media(media_id: str) -> bytes | None:
    """The bytes of a photo or a voice; None if WeChat has it no more. Raises what may pass. Outside a transaction."""
    data: bytes | None = import_module("jiequ.channels.wechat.services").fetch(media_id)
    return data
