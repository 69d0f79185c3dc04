"""Fine-tuning in the Python that has torch, and weighing two nets on judged pairs; nothing here imports torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jiequ.sense import places
from jiequ.sense.engine.shapes import Unusable

GSD_M = 0.4  # child.pairs: metres that a pixel of a pair shows
Tell = Callable[[dict[str, Any]], None]
ROOT = Path(__file__).resolve().parents[3]
PARTS = ("before", "after", "label")


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """``what``: tune (pairs → a candidate and its card), else watch or weigh (two nets on pairs). Raises Unusable."""
    store, work = places.store_of(request["place"]), Path(request["work"])
    pairs = work / "pairs"
    _fetch(store, request["keys"], pairs)
    return tune(request, store, work, pairs) if request["what"] == "tune" else weigh(request, store, pairs)


def _fetch(store: Any, keys: list[list[str]], pairs: Path) -> None:
    """``keys``: (prefix in the store, name). The folders that training reads."""
    shutil.rmtree(pairs, ignore_errors=True)
    for prefix, name in keys:
        for part in PARTS:
            target = pairs / part / f"{name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.read(f"{prefix}/{part}/{name}.png"))


def tune(request: dict[str, Any], store: Any, work: Path, pairs: Path) -> dict[str, Any]:
    """Run training.finetune; its net and card go into the store under the net's hash."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    words = [request["python"], "-m", "jiequ.sense.training.finetune", "--pairs", str(pairs), "--out", str(out)]
    words += ["--seed", str(request["seed"]), *(["--steps", str(request["steps"])] if request.get("steps") else [])]
    words += ["--replay", str(request["replay"])] if request.get("replay") else []
    if request.get("start"):
        words += ["--from", str(_net(store, request["start"], work / "start"))]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.stderr.write(ran.stderr[-4000:])
        raise Unusable("tuning_failed")
    card = json.loads((out / "card.json").read_text("utf-8"))
    for name in ("change.onnx", "change.onnx.sha256", "card.json"):
        store.place(out / name, f"nets/{card['sha256']}/{name}")
    return {"card": card}


def weigh(request: dict[str, Any], store: Any, pairs: Path) -> dict[str, Any]:
    """Both nets on the same judged pairs: pixel F1, precision, recall, objects; and what each finds at each place."""
    from jiequ.sense.engine import promotion
    from jiequ.sense.engine.net import open_net

    names = sorted(file.stem for file in (pairs / "label").iterdir())
    found = _read(pairs)
    labels = [label for _before, _after, label in found]
    told: dict[str, Any] = {
        "pairs": [{"name": name, "judged_m2": _m2(label > 0)} for name, label in zip(names, labels, strict=True)]
    }
    for which in ("champion", "shadow"):
        key = request[which]
        net = open_net(_net(store, key, pairs.parent / which) if key else None)
        odds = [net.odds(before, after).max(axis=0) for before, after, _label in found]
        told[which] = asdict(promotion.figures(odds, labels))
        for place, odd, label in zip(told["pairs"], odds, labels, strict=True):
            said = odd > promotion.THRESHOLD
            place[which] = {"found_m2": _m2(said & (label > 0)), "beside_m2": _m2(said & (label == 0))}
    return told


def _m2(pixels: Any) -> float:
    """What so many pixels of a pair cover on the ground."""
    return round(float(pixels.sum()) * GSD_M**2, 1)


def _read(pairs: Path) -> list[tuple[Any, Any, Any]]:
    import cv2

    found = []
    for name in sorted(file.name for file in (pairs / "label").iterdir()):
        one, two = (cv2.imread(str(pairs / part / name))[..., ::-1].copy() for part in ("before", "after"))  # type: ignore[index]
        found.append((one, two, cv2.imread(str(pairs / "label" / name), cv2.IMREAD_GRAYSCALE)))
    return found


def _net(store: Any, sha256: str, folder: Path) -> Path:
    """A net of the store as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("change.onnx", "change.onnx.sha256"):
        (folder / name).write_bytes(store.read(f"nets/{sha256}/{name}"))
    return folder / "change.onnx"
