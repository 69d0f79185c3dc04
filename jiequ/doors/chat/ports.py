"""What the chat asks of the WeChat channel: two calls, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from jiequ.channels.wechat import services as wechat


def say(*, follower_id: int, text: str, key: str, at: datetime, choices: Sequence[tuple[str, str]] = ()) -> None:
    """Queue a message to a follower, with answers to tap; the same key is sent once, and nothing where no window is open."""
    wechat.say(follower_id=follower_id, text=text, choices=choices, key=key, at=at)


def fetch_media(media_id: str) -> bytes | None:
    """The bytes of a photo or a voice; None if WeChat has it no more. Raises what may pass. Outside a transaction."""
    return wechat.fetch(media_id)
