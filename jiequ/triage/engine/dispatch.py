"""Who handles it: a department from type, street, grid, source, hour and words, learnt from each confirmed order in turn.

Two models vote by their mean log-probability: tallies of what such cases went to lately, and a linear model. Only departments
of the duty list handed in are ever named. The reasons are facts of the tallies: 38 of the last 40 such cases went there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from jiequ.triage.engine.matter import Matter, features_of
from jiequ.triage.engine.online import Online
from jiequ.triage.engine.results import Reason, Suggestion
from jiequ.triage.engine.tallies import Floats, Tallies, log_normal

FORM = 1  # of the data; another is refused
SHARE_OF_ONLINE = 0.5
TOLD_LEVELS = (
    "type+grid",
    "type+street",
    "type",
    "group+street",
    "group",
)  # a reason is told by the narrowest that knows enough
LEAST_TOLD = 3  # such cases before a share of them is worth telling
RETURNS_KEPT_DAYS = 180.0
SHARPNESS = 0.95  # of confidence: on the first 70 % of the real orders right as often as it says
DEFAULT_ODDS = 4.0  # how much likelier the type's own department is while nothing was learnt of the type


class Dispatcher:
    """What one district learnt about who handles what; plain data, no names, no texts of whole reports."""

    def __init__(self, district: str) -> None:
        self.district = district
        self.tallies, self.online = Tallies(), Online()
        self.returns: dict[str, list[float]] = {}  # "department, type, street" → days of returns

    def learn(self, matter: Matter, department: str, *, day: float) -> None:
        """One confirmed dispatch on ``day`` (days since 1970, fractions count)."""
        self.tallies.learn(matter, department, day=day, among=self.online.departments)
        self.online.learn(features_of(matter), department)

    def learn_return(self, matter: Matter, department: str, *, day: float) -> None:
        """A 退单: the latest such dispatch to that department was wrong and counts against it. The next is learnt as any."""
        self.tallies.forget(matter, department)
        self.online.unlearn(features_of(matter), department)
        days = self.returns.setdefault(_returned(matter, department), [])
        days.append(day)
        days[:] = [one for one in days if day - one <= RETURNS_KEPT_DAYS]

    def suggest(
        self, matter: Matter, *, day: float, allowed: Collection[str] | None, default: str = "", most: int = 3
    ) -> list[Suggestion]:
        """The likeliest departments of ``allowed``, the best first; ``default`` is the type's own department (may be empty).

        ``allowed`` is the duty list by codes; None stands for every department ever learnt.
        """
        among = sorted(allowed) if allowed is not None else list(self.online.departments)
        if not among or (not self.online.departments and default not in among):
            return []
        shares = np.exp(self._scores(matter, day=day, among=among, default=default))
        best = np.argsort(-shares, kind="stable")[:most]
        return [
            Suggestion(among[at], float(shares[at]), tuple(self._reasons(matter, among[at], day=day, default=default)))
            for at in best
        ]

    def _scores(self, matter: Matter, *, day: float, among: list[str], default: str) -> Floats:
        lately = self.tallies.scores(matter, day=day, among=among)
        linear = self.online.scores(features_of(matter), among=among)
        scores = (1 - SHARE_OF_ONLINE) * lately + SHARE_OF_ONLINE * linear
        if default in among:
            scores[among.index(default)] += np.log(DEFAULT_ODDS) / (1 + len(self.tallies.of("type", matter)))
        return log_normal(SHARPNESS * scores)

    def _reasons(self, matter: Matter, department: str, *, day: float, default: str) -> Iterator[Reason]:
        if (told := self._went_to(matter, department, day=day)) is not None:
            yield told
        if department == default:
            yield Reason("default")
        days = self.returns.get(_returned(matter, department), [])
        if recent := [one for one in days if 0 <= day - one <= RETURNS_KEPT_DAYS]:
            yield Reason("returned", {"count": len(recent), "days": max(1, round(day - min(recent)))})

    def _went_to(self, matter: Matter, department: str, *, day: float) -> Reason | None:
        for level in TOLD_LEVELS:
            last = self.tallies.of(level, matter)
            count = sum(who == department for who, _day in last)
            if count and len(last) >= LEAST_TOLD:
                days = max(1, round(day - last[0][1]))
                return Reason("went_to", {"count": count, "of": len(last), "level": level, "days": days})
        return None

    def to_data(self) -> dict[str, Any]:
        """JSON: lists, numbers, strings."""
        parts = {"tallies": self.tallies.to_data(), "online": self.online.to_data(), "returns": self.returns}
        return {"form": FORM, "district": self.district, **parts}

    @classmethod
    def from_data(cls, data: Mapping[str, Any], *, district: str) -> Dispatcher:
        """What :meth:`to_data` wrote for this district; another district's is a ValueError."""
        if data.get("form") != FORM or data.get("district") != district:
            raise ValueError("this file was not learnt by this district")
        dispatcher = cls(district)
        dispatcher.tallies, dispatcher.online = Tallies.from_data(data["tallies"]), Online.from_data(data["online"])
        dispatcher.returns = {str(key): [float(day) for day in days] for key, days in data["returns"].items()}
        return dispatcher


def _returned(matter: Matter, department: str) -> str:
    return "\x1f".join((department, matter.type, matter.street))
