"""The change net at run time: onnxruntime only, one thread, weights that are what their sha256 says or a coded refusal.

Never a fall-back to other weights: a net that was not trained flags everything (SENSE §1).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
FILE, CARD, MOST_BYTES = "change.onnx", "card.json", 4 * 1024 * 1024
PROVIDERS = {"cpu": ["CPUExecutionProvider"], "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"]}
STEP = 16  # sides the net takes are multiples of this; others are filled by mirroring

Floats = NDArray[np.float32]


class WeightsError(Exception):
    """The net cannot be used. ``code``: weights_missing, weights_mismatch or weights_unusable; ``facts``: what was found."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _error, (self.code, self.facts)


def _error(code: str, facts: dict[str, Any]) -> WeightsError:
    return WeightsError(code, **facts)


@dataclass(frozen=True, slots=True)
class WeightsState:
    """Whether the net can be used, and its card; told without loading onnxruntime."""

    ok: bool
    code: str
    sha256: str = ""
    card: dict[str, Any] = field(default_factory=dict)


def weights_state(weights: Path | None = None) -> WeightsState:
    """What lies at ``weights`` (an ONNX file or its folder; None: what ships): "ready", or the code of a refusal."""
    try:
        content = checked(weights)
    except WeightsError as refused:
        return WeightsState(False, refused.code)
    return WeightsState(True, "ready", hashlib.sha256(content).hexdigest(), _card(_file(weights).with_name(CARD)))


def checked(weights: Path | None = None) -> bytes:
    """The bytes of the net, if they are those that its .sha256 names. Raises WeightsError."""
    file = _file(weights)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise WeightsError("weights_mismatch", file=file.name, most_bytes=MOST_BYTES)
        content, named = file.read_bytes(), file.with_name(file.name + ".sha256").read_text("ascii", "replace").split()
    except OSError as fault:
        raise WeightsError("weights_missing", file=file.name) from fault
    found = hashlib.sha256(content).hexdigest()
    if not named or named[0] != found:
        raise WeightsError("weights_mismatch", file=file.name, found=found, expected=(named or [""])[0][:64])
    return content


def open_net(weights: Path | None = None, *, threads: int = 1, provider: str = "cpu") -> ChangeNet:
    """The net, ready to be asked. ``provider``: "cpu" or "cuda" (answers differ by less than 1e-3). Raises WeightsError."""
    import onnxruntime

    content = checked(weights)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    options.log_severity_level = 3
    wanted = PROVIDERS[provider]
    if wanted[0] not in onnxruntime.get_available_providers():
        raise WeightsError("weights_unusable", provider=provider)
    try:
        session = onnxruntime.InferenceSession(content, options, providers=wanted)
    except Exception as fault:  # onnxruntime raises classes of its own C++ for each kind of damage
        raise WeightsError("weights_unusable", file=_file(weights).name) from fault
    return ChangeNet(session, hashlib.sha256(content).hexdigest(), provider, _card(_file(weights).with_name(CARD)))


class ChangeNet:
    """Two registered tiles in, the odds of built change out."""

    gsd_m = 0.4  # the ground resolution to work at; it was trained on 0.25–0.7 m
    margin_px = 64  # how far from a tile's edge the answer still depends on what lies beyond

    def __init__(self, session: onnxruntime.InferenceSession, sha256: str, provider: str, card: dict[str, Any]) -> None:
        self.session, self.model_id, self.card = session, f"{sha256}:{provider}", card

    def change(self, before: NDArray[np.uint8], after: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> Floats:
        """The probability in [0, 1] of each pixel (H, W) that something was built there or is gone; 0 where not ``valid``.

        ``before`` and ``after`` are (H, W, 3) RGB.
        """
        odds: Floats = self.odds(before, after).max(0)
        return odds if valid is None else np.where(valid, odds, np.float32(0))

    def odds(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Floats:
        """(2, H, W) in [0, 1]: first that something new was built, then that something built is gone."""
        height, width = before.shape[:2]
        asked = {"before": _planes(before), "after": _planes(after)}
        half = self.session.run(["odds"], asked)[0][0]
        full = np.empty((2, 2 * half.shape[1], 2 * half.shape[2]), np.float32)
        for into, part in zip(full, half, strict=True):
            cv2.resize(part, into.shape[::-1], into, interpolation=cv2.INTER_LINEAR)
        return full[:, :height, :width]


def _planes(image: NDArray[np.uint8]) -> Floats:
    below, right = -image.shape[0] % STEP, -image.shape[1] % STEP
    if below or right:
        image = np.pad(image, ((0, below), (0, right), (0, 0)), "reflect" if min(image.shape[:2]) > STEP else "edge")
    found = np.empty((1, 3, *image.shape[:2]), np.float32)
    for into, plane in zip(found[0], cv2.split(image), strict=True):
        into[:] = plane
    return found


def _file(weights: Path | None) -> Path:
    place = weights or SHIPPED
    return place / FILE if place.suffix != ".onnx" else place


def _card(file: Path) -> dict[str, Any]:
    try:
        card = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
