"""How far a matter of a type reaches: a lamp is one spot, a river is seen from far. Pure; all of it (P)."""

from __future__ import annotations

FARTHEST = 2.0
"""Beyond so many reaches nothing is compared: pairs.py gives it the least there is."""

_FACTORS = {"11": 0.7, "05": 1.5, "03": 2.5, "92": 3.0, "94": 2.0, "95": 2.0}
"""By major class of the starter catalogue: components a spot, pipes and roads more, building sites and rivers most."""
_UNKNOWN = 1.5
LEAST_M, MOST_M = 20.0, 300.0


def reach_m(major: str, base_m: float) -> float:
    """Metres within which reports of a type are expected to scatter; ``base_m`` is the street's own setting (near_m)."""
    return min(MOST_M, max(LEAST_M, base_m * (_FACTORS.get(major, 1.0) if major else _UNKNOWN)))
