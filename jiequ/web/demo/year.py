"""A year of the invented street, day by day: what is reported when, by whom, how it ends. Pure: a day gives the same plans.

Shares as measured on real orders (DOMAIN §10): 19 % outside 08:00–20:00, 17 % at weekends, 90.8 % in time. What kinds of
matters there are, and how the rain moves them, is our own guess at a sub-district (P).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from jiequ.core.worktime import ZONE

DAYS = 365
A_DAY = 20.5
"""Matters a day on the average: some 7,500 a year."""
OUTSIDE_HOURS, AT_WEEKENDS, IN_TIME = 0.19, 0.17, 0.908
_WEEKEND_DAY, _WEEKDAY = AT_WEEKENDS / 2 * 7, (1 - AT_WEEKENDS) / 5 * 7

WEIGHTS: dict[str, int] = {
    "0110": 14, "0405": 12, "0401": 11, "0411": 9, "0410": 8, "0113": 7, "0128": 7, "0111": 6, "0192": 5, "0301": 5, "0503": 5,
    "0117": 4, "9301": 4, "0201": 3, "9202": 3, "9201": 2, "0509": 2, "0506": 2, "9102": 2, "9101": 1,
}  # fmt: skip
"""How often a kind of matter comes, in a hundred or so."""
SEASONS: dict[str, dict[int, float]] = {
    "0506": {4: 2, 5: 4, 6: 5, 7: 4, 8: 4, 9: 3, 11: 0.3, 12: 0.2, 1: 0.2, 2: 0.3},  # water on the roads
    "0503": {5: 1.8, 6: 2, 7: 1.8, 8: 1.8},  # drains
    "0509": {6: 2, 7: 4, 8: 4, 9: 4, 12: 0.3, 1: 0.3},  # trees, in the months of typhoons
    "9201": {5: 2, 6: 2, 7: 2, 8: 1.5},
    "9202": {6: 1.6, 7: 1.8, 8: 1.6},
    "0110": {6: 1.2, 7: 1.3, 8: 1.3, 9: 1.2},
    "9101": {10: 1.5, 11: 1.8, 12: 2, 1: 1.5},  # building in the dry months
}
"""Month → how much more often."""
SOURCES = (("staff", 40), ("resident", 34), ("hotline", 12), ("caller", 9), ("camera", 3), ("leader", 2))
_AT_NIGHT = (("resident", 60), ("hotline", 20), ("caller", 10), ("camera", 10))
ENDS = (("closed", 92), ("rejected", 5), ("cancelled", 2), ("forced", 1))
SELF_HANDLED = 0.3
"""Of what the street's own people find."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One matter: its seed and number, when, what kind, from whom, how it ends and what happens on the way."""

    seed: str
    number: int
    at: datetime
    code: str
    source: str
    end: str
    is_late: bool
    is_returned: bool
    is_reworked: bool
    is_reopened: bool
    is_appealed: bool
    more_voices: int
    is_rated: bool
    is_solved: bool


def between(since: datetime, until: datetime) -> list[Plan]:
    """The plans of [since, until), in the order of time."""
    first, last = since.astimezone(ZONE).date(), until.astimezone(ZONE).date()
    days = ((first + timedelta(days=n)) for n in range((last - first).days + 1))
    found = [plan for day in days for plan in plans_of(day) if since <= plan.at < until]
    return sorted(found, key=lambda plan: (plan.at, plan.number))


def plans_of(day: date) -> Iterator[Plan]:
    """Everything that is reported on a day."""
    rng = Random(f"day{day}")
    mean = A_DAY * (_WEEKEND_DAY if day.weekday() >= 5 else _WEEKDAY)
    weights = {code: weight * SEASONS.get(code, {}).get(day.month, 1.0) for code, weight in WEIGHTS.items()}
    mean *= sum(weights.values()) / sum(WEIGHTS.values())
    for n in range(max(0, round(rng.gauss(mean, mean**0.5)))):
        yield _plan(day, n, weights)


def _plan(day: date, n: int, weights: dict[str, float]) -> Plan:
    rng = Random(f"{day}:{n}")
    is_night = rng.random() < OUTSIDE_HOURS
    hour = rng.choice((rng.uniform(0, 6), rng.uniform(6, 8), rng.uniform(20, 24))) if is_night else rng.triangular(8, 20, 10.5)
    source = _one_of(rng, _AT_NIGHT if is_night else SOURCES)
    end = _one_of(rng, ENDS)
    if source == "staff" and rng.random() < SELF_HANDLED:
        end = "self_handled"
    is_closed, is_public = end == "closed", source in {"resident", "caller"}
    is_late = is_closed and rng.random() > IN_TIME
    return Plan(
        seed=f"{day}:{n}:case",
        number=day.toordinal() * 100 + n,
        at=datetime.combine(day, time(int(hour), int(hour % 1 * 60), rng.randrange(60)), tzinfo=ZONE),
        code=rng.choices(list(weights), list(weights.values()))[0],
        source=source,
        end=end,
        is_late=is_late,
        is_returned=is_closed and rng.random() < 0.06,
        is_reworked=is_closed and rng.random() < 0.06,
        is_reopened=is_closed and source == "resident" and rng.random() < 0.03,
        is_appealed=is_late and rng.random() < 0.25,
        more_voices=rng.choice((1, 1, 1, 2, 3)) if is_closed and is_public and rng.random() < 0.08 else 0,
        is_rated=is_closed and is_public and rng.random() < 0.45,
        is_solved=rng.random() > 0.09,
    )


def _one_of(rng: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return rng.choices([name for name, _n in weighted], [n for _name, n in weighted])[0]
