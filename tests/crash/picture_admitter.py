"""A process that stores pictures until it is killed: ``python -m tests.crash.picture_admitter real|row_first``.

Each line it prints is an acknowledged picture: its file's name. ``row_first`` is the broken twin.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import UTC, datetime

AT = datetime(2026, 3, 11, 8, 30, tzinfo=UTC)


def main() -> None:
    """Store for ever; the decoder is left out, it stores nothing."""
    import django

    django.setup()
    from jiequ.core import picture_files, pictures

    while True:
        content, thumb = os.urandom(60_000), os.urandom(4_000)
        sha256 = hashlib.sha256(content).hexdigest()
        clean = pictures.Clean(sha256, 16, 16, len(content), pictures.Hints())
        steps = [lambda: picture_files.store(sha256, content, thumb), lambda: pictures.keep(clean, street_id=1, at=AT)]  # noqa: B023
        for step in steps if sys.argv[1] == "real" else reversed(steps):
            step()
        print(sha256, flush=True)


if __name__ == "__main__":
    main()
