"""Text as the engine reads it: normalised, cut into character n-grams, counted into sparse rows of hashed keys.

One way for all: the linear model, the likeness of two reports and the marks in a text use these functions, so that what is
shown is what was counted. Word segmentation is not needed: character n-grams do as well on this data and need no dictionary.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.simplified import SIMPLIFIED

MOST_CHARACTERS = 20_000
"""What is read of one text: a report fits 50 times; a file pasted by mistake costs no more than that."""

_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me")


class _Table(dict[int, str]):
    """What each character becomes, worked out when it is first met: it depends on no neighbour, so offsets can be kept."""

    def __missing__(self, code: int) -> str:
        self[code] = _plain(chr(code))
        return self[code]


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    parts = unicodedata.normalize("NFKD", character).lower().translate(SIMPLIFIED)
    return "".join(" " if part.isspace() else part for part in parts if unicodedata.category(part) not in _DROPPED)


_TABLE = _Table()


def normalised(text: str) -> str:
    """Narrow, lower, simplified, one blank for any white space, no control characters. Twice changes nothing."""
    return " ".join(text[:MOST_CHARACTERS].translate(_TABLE).split())[:MOST_CHARACTERS].rstrip()


def aligned(text: str) -> tuple[str, list[int]]:
    """The normalised text, and for each of its characters where it stands in ``text`` as given."""
    kept: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text[:MOST_CHARACTERS]):
        for part in _TABLE[ord(character)]:
            if part != " " or (kept and kept[-1] != " "):
                kept.append(part)
                places.append(place)
    plain = "".join(kept)[:MOST_CHARACTERS].rstrip()
    return plain, places[: len(plain)]


def grams(text: str, lengths: Sequence[int] = (1, 2)) -> list[str]:
    """The n-grams of the normalised text in reading order, shorter ones first; none goes over a blank or a sign."""
    words = "".join(character if character.isalnum() else " " for character in normalised(text)).split()
    return [word[at : at + n] for n in lengths for word in words for at in range(len(word) - n + 1)]


@dataclass(frozen=True, slots=True)
class Bags:
    """Sparse rows, one a text: ``values[i]`` of the n-gram with key ``keys[i]`` in row ``rows[i]``; sorted by row, then key."""

    n: int
    rows: NDArray[np.int32]
    keys: NDArray[np.uint32]
    values: NDArray[np.float32]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each row begins, and the end: ``[n + 1]``."""
        return np.searchsorted(self.rows, np.arange(self.n + 1))

    def norms(self) -> NDArray[np.float32]:
        """The length of each row, 1 for an empty one: ``[n]``."""
        squares = np.bincount(self.rows, weights=self.values**2, minlength=self.n)
        return np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)

    def scaled(self) -> Bags:
        """Each row of length 1 (an empty one stays empty)."""
        return Bags(self.n, self.rows, self.keys, self.values / self.norms()[self.rows])


def bags(texts: Sequence[str], lengths: Sequence[int] = (1, 2)) -> Bags:
    """Counts of the n-grams of ``texts`` (normalised here)."""
    codes, owners = _codes([normalised(text) for text in texts])
    found = [(owners[: len(keys)][whole], keys[whole]) for n in lengths for keys, whole in [gram_keys(codes, n)]]
    rows = np.concatenate([each[0] for each in found] or [np.zeros(0, np.uint64)])
    keys = np.concatenate([each[1] for each in found] or [np.zeros(0, np.uint32)])
    return _counted(len(texts), rows, keys)


def gram_keys(codes: NDArray[np.uint32], n: int) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """The key of the n-gram that begins at each place, and whether it is one: letters and digits of one text, nothing between.

    A multiplicative hash of 32 bits; with the some 200,000 n-grams of a district about five pairs meet in one key.
    """
    count = max(0, len(codes) - n + 1)
    keys = np.full(count, 0x811C9DC5 + n, np.uint32)
    wordy, whole = _wordy(codes), np.ones(count, bool)
    for step in range(n):
        part = codes[step : step + count]
        keys = (keys ^ part) * np.uint32(0x9E3779B1)
        keys ^= keys >> np.uint32(15)
        whole &= wordy[step : step + count]
    return keys, whole


@cache
def _letters() -> NDArray[np.bool_]:
    return np.array([chr(code).isalnum() for code in range(0x30000)])


def _wordy(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which characters can be part of an n-gram. Nothing above plane 2 is; half characters are gone by then."""
    return _letters()[np.minimum(codes, 0x2FFFF)] & (codes < 0x2FFFF)


def codes_of(text: str) -> NDArray[np.uint32]:
    """Code points of a normalised text."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _codes(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """All texts in a row with a break after each, and whose each character is."""
    codes = codes_of("\0".join([*texts, ""]))
    sizes = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
    return codes, np.repeat(np.arange(len(texts), dtype=np.uint64), sizes)


def _counted(n: int, rows: NDArray[np.uint64], keys: NDArray[np.uint32]) -> Bags:
    both = np.sort((rows << np.uint64(32)) | keys)
    first = np.flatnonzero(np.concatenate([[True], both[1:] != both[:-1]])) if len(both) else np.zeros(0, np.int64)
    counts = np.diff(np.append(first, len(both))).astype(np.float32)
    both = both[first]
    return Bags(n, (both >> np.uint64(32)).astype(np.int32), both.astype(np.uint32), counts)


@dataclass(frozen=True, slots=True)
class Weigher:
    """How much each n-gram says: its inverse document frequency, ``keys`` sorted; one never met counts as the rarest."""

    keys: NDArray[np.uint32]
    idf: NDArray[np.float32]
    rarest: float

    @classmethod
    def of(cls, texts: Bags, *, least: int = 2) -> Weigher:
        """From texts: ln((1 + n) / (1 + df)) + 1 (Salton's, smoothed); n-grams of fewer than ``least`` texts are not kept."""
        keys, found_in = np.unique(texts.keys, return_counts=True)
        kept = found_in >= least
        idf = np.log((1 + texts.n) / (1 + found_in[kept])) + 1
        return cls(keys[kept], idf.astype(np.float32), float(np.log((1 + texts.n) / 2) + 1))

    def rows(self, texts: Bags) -> Bags:
        """Rows of length 1 with (1 + ln count) · idf."""
        idf = np.full(len(texts.keys), self.rarest, np.float32)
        place, is_known = found(self.keys, texts.keys)
        idf[is_known] = self.idf[place[is_known]]
        return Bags(texts.n, texts.rows, texts.keys, (1 + np.log(texts.values)) * idf).scaled()


def found(keys: NDArray[np.uint32], asked: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each of ``asked`` stands in the sorted ``keys``, and whether it does."""
    if not len(keys):
        return np.zeros(len(asked), np.int64), np.zeros(len(asked), bool)
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return place, keys[place] == asked


def cosines(one: Bags, many: Bags) -> NDArray[np.float32]:
    """The likeness in [0, 1] of the single row of ``one`` with each of ``many`` (both of length 1): ``[many.n]``."""
    place, is_shared = found(one.keys, many.keys)
    products = many.values[is_shared] * one.values[place[is_shared]]
    return np.bincount(many.rows[is_shared], products, many.n).astype(np.float32)
