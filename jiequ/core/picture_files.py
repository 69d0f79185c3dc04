"""Where pictures lie: named by their content under MEDIA_ROOT, written whole or not at all, swept when no row names them.

Only ``core.pictures`` stores and reads here. A file is written before its row, so a request that dies in between leaves an
orphan and never a row without a file.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from .kinds import every
from .models import Picture

ORPHAN_AGE = timedelta(hours=24)


class Variant(StrEnum):
    """The two sizes that are kept."""

    FULL = "full"
    THUMB = "thumb"


def relative(sha256: str, variant: Variant) -> Path:
    """The place of a picture under MEDIA_ROOT."""
    ending = ".jpg" if variant == Variant.FULL else ".thumb.jpg"
    return Path("pictures", sha256[:2], sha256[2:4], sha256 + ending)


def place(sha256: str, variant: Variant) -> Path:
    """The file of a picture."""
    return Path(settings.MEDIA_ROOT) / relative(sha256, variant)


def store(sha256: str, picture: bytes, thumb: bytes) -> None:
    """Keep both files, the thumbnail first; a file that is there already is marked as used now."""
    with _lock(fcntl.LOCK_SH):
        for variant, content in ((Variant.THUMB, thumb), (Variant.FULL, picture)):
            path = place(sha256, variant)
            if path.exists():
                os.utime(path)
            else:
                _write(path, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _lock(kind: int) -> Iterator[None]:
    """Many store at once, the sweep alone: it never removes a file between another's look and its row."""
    root = Path(settings.MEDIA_ROOT, "pictures")
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a") as file:
        fcntl.flock(file, kind)
        yield


@every("core.picture_sweep", daily_at="03:30", outside=True)
def sweep_orphans(*, at: datetime) -> int:
    """Remove files that no row names and nobody touched for a day (a request that died between file and row)."""
    oldest = (at - ORPHAN_AGE).timestamp()
    root = Path(settings.MEDIA_ROOT, "pictures")
    return sum(_sweep_folder(folder, oldest) for folder in sorted(root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]")))


def _sweep_folder(folder: Path, oldest: float) -> int:
    with _lock(fcntl.LOCK_EX):
        old = [file for file in folder.iterdir() if file.stat().st_mtime < oldest]
        names = {file.name.split(".")[0] for file in old}
        used = set(Picture.objects.filter(sha256__in=names).values_list("sha256", flat=True)) if names else set()
        gone = [file for file in old if file.name.split(".")[0] not in used]
        for file in gone:
            file.unlink(missing_ok=True)
    return len(gone)
