"""Are two reports of one matter? Evidence from words, numbers, distance, time, type and photo: log-likelihood ratios, added.

Adding them is record linkage as Fellegi and Sunter (1969) put it. What words are worth is a logistic regression over six
figures of a pair, fitted on the development sets (``./run bench triage_known --fit``); what place, type and photo are worth has
no labelled data behind it and is our own setting, each with its formula below. Codes and facts only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.results import Reason
from jiequ.triage.engine.text import Weigher, bags, codes_of, found, gram_keys, normalised

LENGTHS = (2, 3)
TITLE_CHARACTERS = 40
RADIUS_M = 120.0
"""Where a type has no radius of its own."""

FEATURES = ("cos", "cos_title", "shared_run", "missing_run", "days", "number_differs")
CONSTANT = 1.974
WEIGHTS = (1.738, 0.51, 1.08, -0.796, -4.288, -2.182)
PRIOR = math.log(0.25 / 0.75)
"""Log-odds that one of the reports shown beside another is of its matter, before anything is compared: that of the fit."""

SAME_FROM, POSSIBLE_FROM = 0.98, 0.15
_COMMON = 0.3  # a bigram in about a tenth of all texts says nothing about where it is
_PLACE_NUMBERS = re.compile(r"[a-z]*\d{1,4}(?=号|路|区|县|栋|幢|期|座|弄|巷|线|组|街|单元)")  # data
SAME_PHOTO_BITS, LIKE_PHOTO_BITS = 4, 10
_SAME_PHOTO, _LIKE_PHOTO = 5.0, 2.0
_SAME_TYPE, _OTHER_TYPE = 0.7, -1.5
_FARTHEST = -6.0
_LEAST_GRAMS = 3


class Badge(StrEnum):
    """What a list of earlier reports says beside each."""

    SAME = "same"  # very likely the same
    POSSIBLE = "possible"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A report as it is compared. ``at``: seconds since 1970; degrees CGCS2000; ``photos``: dHashes of 64 bits."""

    words: str
    at: float
    title: str = ""
    lon: float | None = None
    lat: float | None = None
    type: str = ""
    photos: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """The words of a report, counted once: sorted keys and tf·idf of all, the same of the title, the title's pairs in a row."""

    keys: NDArray[np.uint32]
    values: NDArray[np.float32]
    title_keys: NDArray[np.uint32]
    title_values: NDArray[np.float32]
    run_keys: NDArray[np.uint32]  # of the title's bigrams in reading order
    run_weights: NDArray[np.float32]  # how rare each is, in [0, 1], the common ones at 0
    numbers: frozenset[str]
    head_numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How likely two reports are of one matter, in [0, 1], what to call it, and why."""

    probability: float
    badge: Badge
    reasons: tuple[Reason, ...] = ()


def read(reports: Sequence[Seen], weigher: Weigher) -> list[Read]:
    """Count the words of reports; about 0.2 ms each. ``weigher``: over bigrams and trigrams (``weigher_of``)."""
    titles = [_title_of(report) for report in reports]
    whole = weigher.rows(bags([f"{report.title}\n{report.words}" for report in reports], LENGTHS))
    heads = weigher.rows(bags(titles, LENGTHS))
    starts, title_starts = whole.starts, heads.starts
    return [
        Read(
            whole.keys[starts[i] : starts[i + 1]],
            whole.values[starts[i] : starts[i + 1]],
            heads.keys[title_starts[i] : title_starts[i + 1]],
            heads.values[title_starts[i] : title_starts[i + 1]],
            *_run(titles[i], weigher),
            *_numbers(report.title, report.words),
        )
        for i, report in enumerate(reports)
    ]


def weigher_of(texts: Sequence[str], *, least: int = 2) -> Weigher:
    """How rare each bigram and trigram of a district's reports is."""
    return Weigher.of(bags(texts, LENGTHS), least=least)


def likeness(one: Seen, other: Seen, *, reads: tuple[Read, Read], radius_m: float = RADIUS_M) -> Likeness:
    """Whether ``other``, the earlier one, is of the matter of ``one``. ``reads``: both, by ``read``."""
    figures = features(one, other, *reads)
    odds, reasons = PRIOR, list[Reason]()
    for part, why in (
        _by_words(figures, reads),
        _by_distance(one, other, radius_m),
        _by_type(one, other),
        _by_photo(one, other),
    ):
        odds += part
        reasons += why
    probability = 1 / (1 + math.exp(-odds))
    return Likeness(probability, badge_of(probability, figures), tuple(reasons))


def features(one: Seen, other: Seen, mine: Read, theirs: Read) -> tuple[float, ...]:
    """The six figures of ``FEATURES``: square roots of two cosines, the rarest run of the one title that the other report has
    and the rarest that it lacks (the smaller of both directions), ln(1 + days) / 6, 1 where place numbers contradict."""
    cos = math.sqrt(_dot(mine.keys, mine.values, theirs.keys, theirs.values))
    cos_title = math.sqrt(_dot(mine.title_keys, mine.title_values, theirs.title_keys, theirs.title_values))
    (has, lacks), (has_back, lacks_back) = _runs(mine, theirs), _runs(theirs, mine)
    days = math.log1p(abs(one.at - other.at) / 86_400) / 6
    return cos, cos_title, min(has, has_back), min(lacks, lacks_back), days, float(_contradict(mine, theirs))


def text_odds(figures: Sequence[float]) -> float:
    """Log-likelihood ratio of what was said and when."""
    return CONSTANT + sum(weight * figure for weight, figure in zip(WEIGHTS, figures, strict=True)) - PRIOR


def hamming(one: int, other: int) -> int:
    """In how many of their 64 bits two dHashes differ (dHash: Krawetz 2013; up to 10 is the same picture, re-encoded)."""
    return ((one ^ other) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


# -- words -------------------------------------------------------------------------------------------------------------


def _title_of(report: Seen) -> str:
    return normalised(report.title or report.words[: 4 * TITLE_CHARACTERS])[:TITLE_CHARACTERS]


def _run(title: str, weigher: Weigher) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    letters = "".join(character for character in title if character.isalnum())
    keys, _whole = gram_keys(codes_of(letters), 2)
    idf = np.full(len(keys), weigher.rarest, np.float32)
    place, is_known = found(weigher.keys, keys)
    idf[is_known] = weigher.idf[place[is_known]]
    rare = (idf - 1) / max(weigher.rarest - 1, 1e-6)
    return keys, np.maximum(rare - _COMMON, 0).astype(np.float32)


def _runs(mine: Read, theirs: Read) -> tuple[float, float]:
    """The weightiest run of my title's bigrams that their report has, and that it lacks."""
    _place, is_there = found(theirs.keys, mine.run_keys)
    best, running = [0.0, 0.0], [0.0, 0.0]
    for there, weight in zip(is_there.tolist(), mine.run_weights.tolist(), strict=True):
        side = 0 if there else 1
        running[side] += weight
        running[1 - side] = 0.0
        best[side] = max(best[side], running[side])
    return best[0], best[1]


def _dot(
    keys: NDArray[np.uint32], values: NDArray[np.float32], asked: NDArray[np.uint32], weights: NDArray[np.float32]
) -> float:
    place, is_shared = found(keys, asked)
    return max(0.0, float(values[place[is_shared]] @ weights[is_shared]))


def _numbers(title: str, words: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers that belong to a place or a line (7号线, 14栋): all of them, and those it is about (title, else the first)."""
    head, rest = _PLACE_NUMBERS.findall(normalised(title)), _PLACE_NUMBERS.findall(normalised(words))
    return frozenset(head + rest), frozenset(head or rest[:1])


def _contradict(mine: Read, theirs: Read) -> bool:
    """True if both are about numbered places and neither names the other's."""
    both = bool(mine.head_numbers and theirs.head_numbers)
    return both and not mine.head_numbers & theirs.numbers and not theirs.head_numbers & mine.numbers


# -- evidence ----------------------------------------------------------------------------------------------------------


def _by_words(figures: Sequence[float], reads: tuple[Read, Read]) -> tuple[float, list[Reason]]:
    """What is worth most; nothing where one of the two hardly says anything (a photo alone)."""
    if min(len(each.keys) for each in reads) < _LEAST_GRAMS:
        return 0.0, []
    reasons = [Reason("words", {"share": round(figures[0] ** 2, 2)})] if figures[0] ** 2 >= 0.15 else []
    if figures[5]:
        reasons.append(Reason("number_differs"))
    return text_odds(figures), reasons


def _by_distance(one: Seen, other: Seen, radius_m: float) -> tuple[float, list[Reason]]:
    """ln 27 - 3 d²/r², at least -6: those of one matter scatter about it (Rayleigh, r/√3), others lie evenly within 3 r."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return 0.0, []
    metres = distance_m(one.lon, one.lat, other.lon, other.lat)
    odds = max(_FARTHEST, math.log(27) - 3 * (metres / radius_m) ** 2)
    return odds, [Reason("distance", {"metres": round(metres)})]


def _by_type(one: Seen, other: Seen) -> tuple[float, list[Reason]]:
    if not one.type or not other.type:
        return 0.0, []
    return (_SAME_TYPE, [Reason("type")]) if one.type == other.type else (_OTHER_TYPE, [Reason("type_differs")])


def photo_odds(mine: Sequence[int], theirs: Sequence[int]) -> tuple[float, int]:
    """What two reports' photos say, by the two most alike, and in how many bits those differ (64: there are none)."""
    bits = min((hamming(one, other) for one in mine for other in theirs), default=64)
    if bits > LIKE_PHOTO_BITS:
        return 0.0, bits
    return (_SAME_PHOTO if bits <= SAME_PHOTO_BITS else _LIKE_PHOTO), bits


def _by_photo(one: Seen, other: Seen) -> tuple[float, list[Reason]]:
    odds, bits = photo_odds(one.photos, other.photos)
    return odds, [Reason("photo", {"bits": bits})] if odds else []


def badge_of(probability: float, figures: Sequence[float]) -> Badge:
    """Contradicting numbers of a place or a line are never "very likely"."""
    if probability >= SAME_FROM and not figures[5]:
        return Badge.SAME
    return Badge.POSSIBLE if probability >= POSSIBLE_FROM else Badge.NONE


def distance_m(lon: float, lat: float, lon2: float, lat2: float) -> float:
    """Metres between two near positions on a sphere (equirectangular: within 0.1 % up to 10 km)."""
    east = (lon2 - lon) * math.cos(math.radians((lat + lat2) / 2))
    return 6_371_008.8 * math.radians(math.hypot(east, lat2 - lat))
