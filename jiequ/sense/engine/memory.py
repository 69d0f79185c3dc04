"""Memory that is freed stays with the process: a tile's arrays of some megabytes are wanted again for the next tile.

glibc gives a freed array of that size back to the kernel and takes it anew for the next, page by page: more than half of the
time of laying a tile's picture on the other went there. The peak is the same; what lies idle in between is not given back.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import lru_cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt(3)
KEPT_BYTES = 256 << 20
LARGEST_BYTES = 32 << 20  # an array up to this size comes from what is kept; glibc allows no more


@lru_cache(maxsize=1)
def keep_freed() -> None:
    """For this process, once; where the C library is another than glibc nothing changes."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(MMAP_THRESHOLD, LARGEST_BYTES)
        library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
