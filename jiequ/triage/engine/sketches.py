"""128 bytes that stand for the words of a report, so that hundreds are compared without reading one.

A sketch holds 16 bits of the hash of at most 64 bigrams: the first of the text and, where it has more, a fixed sample of the
rest (the smallest hashes, Broder 1997, so that two texts sample alike). It cannot be read back, but it may be guessed at: it
is erased with the words it was made of.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jiequ.triage.engine.text import codes_of, gram_keys, normalised

BIGRAMS, BYTES = 64, 128
_HEAD = 40
_BUCKETS = 1 << 16


def sketch(words: str) -> bytes:
    """At most ``BYTES``: two for each bigram kept; empty where nothing was said."""
    keys = _keys(words)
    if len(keys) > BIGRAMS:
        head = _first(keys, _HEAD)
        rest = np.sort(np.setdiff1d(keys, head))[: BIGRAMS - len(head)]
        keys = np.concatenate([head, rest])
    return _folded(keys).tobytes()


def shares(words: str, sketches: Sequence[bytes | memoryview | None]) -> NDArray[np.float32]:
    """How much of each sketch the words hold or, if that is more, of the words each sketch holds: ``[n]`` in [0, 1].

    Bigrams count by ln(n / how many of these sketches have them), so that what all neighbours say counts little.
    """
    blobs = [bytes(one) if one else b"" for one in sketches]
    sizes = np.fromiter((len(blob) // 2 for blob in blobs), np.int64, len(blobs))
    grams, owners = np.frombuffer(b"".join(blobs), "<u2"), np.repeat(np.arange(len(blobs)), sizes)
    asked = np.unique(_folded(_keys(words)))
    if not len(grams) or not len(asked):
        return np.zeros(len(blobs), np.float32)
    counts = np.bincount(grams, minlength=_BUCKETS)
    rarity = np.log((2.0 + len(blobs)) / np.arange(1, 2 + counts.max())).clip(0.05)  # by how many sketches have it
    is_asked = np.zeros(_BUCKETS, bool)
    is_asked[asked] = True
    weights = rarity[counts[grams]]
    common = np.bincount(owners, weights * is_asked[grams], len(blobs))
    smaller = np.minimum(np.bincount(owners, weights, len(blobs)), rarity[counts[asked]].sum())
    return np.minimum(1, common / np.maximum(smaller, 1e-6)).astype(np.float32)


def _keys(words: str) -> NDArray[np.uint32]:
    """Distinct bigrams in reading order."""
    keys, is_whole = gram_keys(codes_of(normalised(words)), 2)
    return _first(keys[is_whole], len(keys))


def _first(keys: NDArray[np.uint32], most: int) -> NDArray[np.uint32]:
    _values, places = np.unique(keys, return_index=True)
    return keys[np.sort(places)][:most]


def _folded(keys: NDArray[np.uint32]) -> NDArray[np.uint16]:
    return ((keys >> np.uint32(16)) ^ (keys & np.uint32(0xFFFF))).astype("<u2")
