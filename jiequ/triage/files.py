"""Where the models lie: plain data files (npz, JSON) under JIEQU_VAR/triage, one folder a district, never pickles."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from django.conf import settings

SUFFIX = {"type": ".npz", "department": ".json"}
HALF = ".half"


def folder(district_code: str) -> Path:
    """The district's own folder; made where it is not there, readable by its owner only."""
    path = Path(settings.TRIAGE) / district_code
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def name_of(kind: str, number: int) -> str:
    """``type-3.npz``."""
    return f"{kind}-{number}{SUFFIX[kind]}"


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes."""
    data = path.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)


def put(half: Path, target: Path) -> None:
    """A finished file takes its name, for good: written to the disk first."""
    with half.open("rb") as file:
        os.fsync(file.fileno())
    half.chmod(0o600)
    half.replace(target)


def sweep(district_code: str, keep: Collection[str]) -> list[str]:
    """Remove what no version names any more, halves of killed runs included; which files went."""
    gone = [path for path in folder(district_code).iterdir() if path.name not in keep]
    for path in gone:
        path.unlink(missing_ok=True)
    return sorted(path.name for path in gone)
