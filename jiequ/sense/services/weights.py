"""The weights in use as files of this machine: the net that was learnt here and took over, else the one that ships."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .. import files
from ..queries import nets

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
NAMES = ("change.onnx", "change.onnx.sha256")


def in_use() -> tuple[str, str]:
    """(path of the weights, their hash); two empty words for the net that ships. One SELECT."""
    net = nets.active()
    if net is None:
        return "", ""
    store, path = files.store(), ""
    for name in reversed(NAMES):
        with store.local(f"nets/{net.sha256}/{name}") as local:
            path = str(local)
    return path, net.sha256


def shipped() -> tuple[bool, str]:
    """Whether the weights that ship are there and the registered ones, and their registered hash."""
    weights, told = (SHIPPED / name for name in NAMES)
    if not weights.is_file() or not told.is_file():
        return False, ""
    registered = told.read_text("utf-8").split()[0]
    return hashlib.sha256(weights.read_bytes()).hexdigest() == registered, registered
