"""What handing arrivals on would be if nothing tied an effect to the word that it is done: the broken twin of crash tests."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta

from jiequ.channels.arrivals import handing
from jiequ.core import clock
from tests.support.processes import Tell


def work(at: datetime, tell: Tell, *, limit: int) -> None:
    """In a child: every message is new, and in the first rounds it dies between effects and the word (a storm's kill strikes
    there by chance)."""
    end = handing._end

    def dies_before(ended: list[int], at: datetime) -> None:
        if ended and at < clock.now() + timedelta(minutes=2):
            os.kill(os.getpid(), signal.SIGKILL)
        end(ended, at)

    handing._marked, handing._end = lambda _key, _at: True, dies_before
    while handing.hand_on(at=at, limit=limit):
        tell(b".")
