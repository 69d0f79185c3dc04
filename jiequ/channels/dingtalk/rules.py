"""The robot's rules: its signature, and how many alerts become one message. Pure; imports nothing of Django.

Facts (WECHAT.md §2): ``sign`` is base64 of HMAC-SHA256(secret, "{ms}\\n{secret}"), good for an hour; 20 messages a minute, over
that nothing is taken for ten minutes; up to ten keywords, one of which has to stand in the text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta

ROUND_SECONDS = 5
"""One message a round at most: 12 a minute, whatever happens, where 20 are allowed."""
RESTS = timedelta(minutes=10)
MOST_LINES = 20
KEPT = timedelta(days=30)
LIMITED = 130101
FOR_GOOD = frozenset({300001, 310000, 400101})
"""No such robot; sign, address or keyword refused; a kind it does not know: trying again changes nothing."""


def sign(secret: str, timestamp_ms: int) -> str:
    """What the query carries as ``sign``, before it is quoted."""
    text = f"{timestamp_ms}\n{secret}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def message(title: str, lines: Sequence[str], more: str, *, keyword: str) -> dict[str, object]:
    """The body of one message of all these lines; ``more`` says how many were left out. The keyword is put in front."""
    shown = [*lines[:MOST_LINES], *([more] if more else [])]
    heading = title if keyword in title else f"{keyword} {title}"
    text = "\n\n".join([f"**{heading}**", *(f"- {line}" for line in shown)])
    return {"msgtype": "markdown", "markdown": {"title": heading, "text": text}}
