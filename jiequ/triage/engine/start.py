"""What every district begins with: a model of invented reports, shipped as ``start/model.npz`` and its sum beside it.

``python -m jiequ.triage.engine.start`` builds it anew from ``generator`` (five seconds of one core; scikit-learn). It knows
no word of anybody and was proven on no real case, so it never fills a form in by itself: it marks one of three at most
(docs/adr/0049).
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from jiequ.triage.engine import files, generator
from jiequ.triage.engine.calibrate import Thresholds
from jiequ.triage.engine.learning import answers_of, fit_on, reports_of
from jiequ.triage.engine.model import TextModel, nameless, with_types
from jiequ.triage.engine.names import by_name
from jiequ.triage.engine.text import grams
from jiequ.triage.engine.types import OTHER, EventType, Example

FOLDER = Path(__file__).resolve().parent / "start"
MODEL, SUM = FOLDER / "model.npz", FOLDER / "model.npz.sha256"
EACH, SEED = 48, 5
MOST_BYTES = 1_000_000
TEMPERATURE = 0.15
THRESHOLDS = Thresholds(fill=1.01, preselect=0.7, choices=0.0)
"""Never filled in; marked from .7 on (our own proposal: no figure on invented reports says how a real one fares)."""

SUPPORT_EACH, GOES_WITH = 48, 2
"""A refit learns so many invented reports of a type beside its cases; with every two confirmed cases one of them goes."""


def start_model(types: Sequence[EventType], *, district: str, at: str = "") -> TextModel:
    """The shipped model for the district's own types; their names alone where the file is missing or was changed."""
    try:
        shipped = _shipped()
    except files.ModelRefused:
        return nameless(types, district=district, at=at)
    return replace(with_types(_renamed(shipped, types), types, district=district), made_at=at)


@cache
def _shipped() -> TextModel:
    """Read once in a process. ModelRefused where it is not what was shipped."""
    try:
        data, told = MODEL.read_bytes(), SUM.read_text(encoding="ascii").split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        raise files.ModelRefused("missing") from None
    if hashlib.sha256(data).hexdigest() != told:
        raise files.ModelRefused("damaged")
    return files.from_bytes(data, district=files.ANY_DISTRICT)


def _renamed(shipped: TextModel, types: Sequence[EventType]) -> TextModel:
    """Its answers under the district's codes: by name, or by code where the names share a word; others answer nothing."""
    assert shipped.learnt is not None
    theirs = codes_for(shipped.types, types)
    codes = tuple(OTHER if code == OTHER else theirs.get(code, f"-{code}") for code in shipped.learnt.codes)
    return replace(shipped, learnt=replace(shipped.learnt, codes=codes))


def codes_for(ours: Sequence[EventType], types: Sequence[EventType]) -> dict[str, str]:
    """The district's code of each of our types that it has."""
    named, coded = {one.name: one.code for one in types}, {one.code: one for one in types}
    found: dict[str, str] = {}
    for one in ours:
        code = named.get(one.name) or (one.code if one.code in coded and _is_like(one.name, coded[one.code].name) else "")
        if code and code not in found.values():
            found[one.code] = code
    return found


def _is_like(one: str, other: str) -> bool:
    return bool({*grams(one, (2,))} & {*grams(other, (2,))})


def support_for(examples: Sequence[Example], types: Sequence[EventType], *, seed: int = SEED) -> list[Example]:
    """Invented reports in place of what a district has not met yet, under its own codes (and of what is not its own)."""
    theirs = codes_for(generator.types(), types) | {OTHER: OTHER}
    counts = Counter(one.code for one in examples)
    wanted = {ours: max(0, SUPPORT_EACH - counts[code] // GOES_WITH) for ours, code in theirs.items()}
    rows = generator.examples(SUPPORT_EACH, seed=seed, codes=theirs)
    taken: Counter[str] = Counter()
    kept = []
    for row in rows:
        taken[row.code] += 1
        if taken[row.code] <= wanted[row.code]:
            kept.append(replace(row, code=theirs[row.code]))
    return kept


def build(each: int = EACH, *, seed: int = SEED) -> TextModel:
    """The model from ``each`` invented reports of every type. It says what it was made of: the sum of the sentences."""
    rows, types = generator.examples(each, seed=seed), generator.types()
    learnt = fit_on(rows, (), answers_of(rows, (), types), seed=seed)
    named = by_name(types, learnt.weigher)
    card = {"seed": seed, "invented": len(rows), "sentences": sum_of_sentences(), "types": len(types)}
    none = replace(named.weigher, keys=named.weigher.keys[:0], idf=named.weigher.idf[:0])
    bare = replace(named, weigher=none, weights=named.weights[:0])  # made anew from the district's own names
    return TextModel(
        files.ANY_DISTRICT, types, bare, learnt, 0, len(rows), temperature=TEMPERATURE, thresholds=THRESHOLDS, card=card
    )


def sum_of_sentences() -> str:
    """Of the file that the reports are invented from."""
    return hashlib.sha256(generator.DATA.read_bytes()).hexdigest()


def main() -> int:
    """Build and write both files; 1 where the model would be too large."""
    model = build()
    FOLDER.mkdir(exist_ok=True)
    told = files.save(model, MODEL)
    SUM.write_text(f"{told}  {MODEL.name}\n", encoding="ascii")
    size, seen = MODEL.stat().st_size, generator.examples(4, seed=SEED + 1)
    shares = model.probabilities(reports_of(seen))
    right = np.mean([model.codes[place] == one.code for place, one in zip(shares.argmax(axis=1), seen, strict=True)])
    made = f"{size:,} bytes, {model.invented} invented reports, {len(model.types)} types"
    sys.stdout.write(f"{MODEL.name}: {made}, {right:.3f} of others right\n")
    return 0 if size <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
