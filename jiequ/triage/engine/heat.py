"""How much a matter moves people now: how many different people said so, each fading with time. Never messages, never likes."""

from __future__ import annotations

from collections.abc import Iterable

HALF_LIFE_DAYS = 7.0
_DAY = 86_400.0


def heat(voices: Iterable[tuple[str, float]], *, at: float, half_life_days: float = HALF_LIFE_DAYS) -> float:
    """Sum over distinct people of 2^(-age / half-life), by the last time each spoke.

    ``voices``: (who, seconds since 1970); ``who`` is a blinded key, and "" is anybody who left none: all of them count as one,
    so that a machine that leaves nothing cannot heat anything. What lies after ``at`` counts as now.
    """
    last: dict[str, float] = {}
    for who, spoke_at in voices:
        last[who] = max(spoke_at, last.get(who, spoke_at))
    return sum(2 ** (-max(0.0, at - spoke_at) / (half_life_days * _DAY)) for spoke_at in last.values())
