"""The files of one comparison: each result under the hash of what it depends on, written whole or not at all."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 1  # of deflate: odds are mostly zero, and a higher level takes longer than the net's halo


def packed(arrays: dict[str, NDArray[Any]], facts: Any = None, *, small: bool = True) -> bytes:
    """Arrays and plain facts as one deterministic file; not ``small``: for what is read once and soon."""
    buffer = io.BytesIO()
    told = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8)
    everything: dict[str, Any] = {"facts_json": told, **arrays}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED, compresslevel=LEVEL) as file:
        for name, array in everything.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def unpacked(data: bytes, only: Collection[str] | None = None) -> tuple[dict[str, NDArray[Any]], Any]:
    """What ``packed`` packed, all arrays or those named. Nothing in it can run."""
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        wanted = found.files if only is None else only
        arrays = {name: found[name] for name in wanted if name != "facts_json"}
        facts = json.loads(found["facts_json"].tobytes())
    return arrays, facts


def place_of(folder: Path, stage: str, key: str) -> Path:
    """Where the result of a unit lies."""
    return folder / stage / f"{key}.npz"


def write_whole(path: Path, data: bytes) -> None:
    """A reader sees the old bytes or the new ones, whatever dies in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def sweep(folder: Path) -> None:
    """Away with what a killed run left half written."""
    for half in folder.glob("**/.*.part"):
        half.unlink(missing_ok=True)
