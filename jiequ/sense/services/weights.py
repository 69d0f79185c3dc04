"""The weights in use as files of this machine: the net that was learnt here and took over, else the one that ships."""

from __future__ import annotations

import hashlib
from pathlib import Path

from .. import files
from ..queries import nets

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
NAMES = ("change.onnx", "change.onnx.sha256")
GONE = "gone.onnx"  # no file: the engine says that the net is missing and goes on with heights


def path_in_use() -> str:
    """The file of the net that was learnt here and took over, fetched where it lies elsewhere; "" for the one that ships.
    For jobs. One SELECT."""
    net = nets.active()
    if net is None:
        return ""
    store, path = files.store(), ""
    try:
        for name in reversed(NAMES):
            with store.local(f"nets/{net.sha256}/{name}") as local:
                path = str(local)
    except KeyError:
        return GONE
    return path


def hash_in_use() -> str:
    """The hash that the weights in use should have, as they are registered; "" where there are none. One SELECT, no file of
    weights is read: the child checks them."""
    net = nets.active()
    return net.sha256 if net else registered()


def registered() -> str:
    """The hash of the net that ships, as the file beside it says; "" where it is missing."""
    told = SHIPPED / NAMES[1]
    return told.read_text("utf-8").split()[0] if told.is_file() else ""


def shipped() -> tuple[bool, str]:
    """Whether the weights that ship are there and the registered ones, and their registered hash."""
    weights, told = SHIPPED / NAMES[0], registered()
    return bool(told) and weights.is_file() and hashlib.sha256(weights.read_bytes()).hexdigest() == told, told
