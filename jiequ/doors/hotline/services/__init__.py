"""Every way a hotline's rows change. Other apps import from here only."""

from .answers import answer
from .letters import ping, resend
from .receiving import Reader, decide, receive, try_again
from .sources import (
    change_source,
    draft_map,
    make_source,
    pause,
    renew_key,
    resume,
    save_map,
    source_of_token,
)
from .visits import on_visit, record_visit

__all__ = [
    "Reader",
    "answer",
    "change_source",
    "decide",
    "draft_map",
    "make_source",
    "on_visit",
    "pause",
    "ping",
    "receive",
    "record_visit",
    "renew_key",
    "resend",
    "resume",
    "save_map",
    "source_of_token",
    "try_again",
]
