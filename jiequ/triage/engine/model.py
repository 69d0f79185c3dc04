"""The text model of one district: what was learnt, the names for the rest, and how sure both may be.

The tree: a type with at least ``LEAST_CASES`` confirmed cases is learnt itself. The others of its branch are learnt together,
as ``~branch``, and the branch's share is dealt out among them by the likeness of their names. Names also speak for themselves,
less and less as cases come in: with n cases their share is ``NAMES_COUNT_AS / (NAMES_COUNT_AS + n)``; invented reports
(the start model's) count for a tenth each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.calibrate import Thresholds, softmax
from jiequ.triage.engine.linear import Linear
from jiequ.triage.engine.names import by_name
from jiequ.triage.engine.types import OTHER, EventType, Report

LEAST_CASES = 20
NAMES_COUNT_AS = 100
NAMES_TEMPERATURE = 0.03
INVENTED_COUNT_AS = 0.1
"""Of a confirmed case, where names give way: a thousand invented reports do as much as a hundred cases."""

OTHER_LIKENESS = 0.02
"""A report that resembles no name more than this is more likely none of them, while nothing was learnt."""

NEW_SHARE = 0.5
"""Of what the names say of a type that nothing was learnt about: it is shown among three at once, and never filled in."""

BRANCH = "~"
NO_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class TextModel:
    """Everything a suggestion needs, as plain data; ``codes``: the district's types and ``OTHER``, in the order of answers.

    ``new``: types made after it was fitted; their names alone speak for them until it is fitted again.
    """

    district: str
    types: tuple[EventType, ...]
    names: Linear
    learnt: Linear | None = None
    cases: int = 0
    invented: int = 0
    temperature: float = 1.0
    thresholds: Thresholds = NO_THRESHOLDS
    made_at: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    new: frozenset[str] = frozenset()

    @property
    def codes(self) -> tuple[str, ...]:
        """Every answer it can give."""
        return (*(each.code for each in self.types), OTHER)

    @property
    def is_learnt(self) -> frozenset[str]:
        """The codes that cases taught, not names."""
        return frozenset(code for code in self.learnt.codes if code in self.codes) if self.learnt else frozenset()

    def probabilities(self, reports: Sequence[Report], *, among: Collection[str] | None = None) -> NDArray[np.float64]:
        """How likely each of ``codes`` is: ``[n, codes]``, rows summing to 1. ``among``: the only ones that may be answered."""
        shares = self.mixed(self.names.scores(reports), self.learnt.scores(reports) if self.learnt else None)
        if among is not None:
            shares = shares * np.array([code in among for code in self.codes])
        total = shares.sum(axis=1, keepdims=True)
        return np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)

    def mixed(self, likeness: NDArray[np.floating], scores: NDArray[np.floating] | None) -> NDArray[np.float64]:
        """From the scores of the names ``[n, types]`` and of what was learnt ``[n, learnt]`` to shares of ``codes``."""
        other = np.full((len(likeness), 1), OTHER_LIKENESS, np.float32)
        likeness_all = np.concatenate([likeness, other], axis=1)
        by_names = softmax(likeness_all, NAMES_TEMPERATURE)
        if scores is None:
            return by_names
        weight = NAMES_COUNT_AS / (NAMES_COUNT_AS + self.cases + INVENTED_COUNT_AS * self.invented)
        mixed = (1 - weight) * self._dealt(scores, by_names) + weight * by_names
        return self._with_new(mixed, by_names * (likeness_all > OTHER_LIKENESS)) if self.new else mixed

    def _with_new(self, mixed: NDArray[np.float64], named: NDArray[np.float64]) -> NDArray[np.float64]:
        """Half of what the names say of new types, before anything else has a share: what was learnt knows nothing of them."""
        share = NEW_SHARE * named * np.array([code in self.new for code in self.codes])
        return mixed * (1 - share.sum(axis=1, keepdims=True)) + share

    def _dealt(self, scores: NDArray[np.floating], by_names: NDArray[np.floating]) -> NDArray[np.float64]:
        """The learnt shares laid on the district's codes; a branch's among its types by name. What is out of use gets none."""
        assert self.learnt is not None
        shares = softmax(scores, self.temperature)
        dealt = np.zeros_like(by_names)
        for column, code in enumerate(self.learnt.codes):
            places = self._places(code)
            if places:
                likeness = by_names[:, places] + 1e-6
                dealt[:, places] += shares[:, [column]] * likeness / likeness.sum(axis=1, keepdims=True)
        return dealt

    def _places(self, code: str) -> list[int]:
        """Where a learnt answer stands among ``codes``: one place, those of its branch that are not learnt, or none."""
        if code.startswith(BRANCH):
            own = self.is_learnt
            return [n for n, each in enumerate(self.types) if branch_of(each) == code and each.code not in own]
        return [self.codes.index(code)] if code in self.codes else []


def branch_of(event_type: EventType) -> str:
    """The answer under which the rare types of a branch are learnt together."""
    return BRANCH + "/".join(event_type.above)


def nameless(types: Sequence[EventType], *, district: str, at: str = "") -> TextModel:
    """The model before any case: names alone."""
    return TextModel(district, tuple(types), by_name(types), made_at=at)


def with_types(model: TextModel, types: Sequence[EventType], *, district: str) -> TextModel:
    """The same knowledge for another list of types: what it learnt under codes that the list lacks is not answered any more.

    A type that the model has never met is ``new``: its names speak for it at once.
    """
    background = model.learnt.weigher if model.learnt else None
    met = {one.code for one in model.types} - model.new | set(model.learnt.codes if model.learnt else ())
    new = frozenset(one.code for one in types if model.learnt and one.code not in met)
    return replace(model, district=district, types=tuple(types), names=by_name(types, background), new=new)
