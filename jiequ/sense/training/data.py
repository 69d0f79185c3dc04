"""Pairs to learn from: synthetic ones, rendered once and kept by their seed, and real ones that analysts have judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine import scene_camera, scenes

Bytes = NDArray[np.uint8]
NEW, GONE, ROOF_BEFORE, ROOF_AFTER, NO_ROOFS = 1, 2, 4, 8, 16  # bits of a mask; NO_ROOFS: buildings of this pair are not known
SHARD = 50


@dataclass(frozen=True, slots=True)
class Pairs:
    """Many pairs of one size: images uint8 (n, h, w, 3) RGB and masks uint8 (n, h, w) of the bits above."""

    before: Bytes
    after: Bytes
    masks: Bytes

    def __len__(self) -> int:
        return len(self.masks)


def frames(folder: Path | None, width: int = 1400) -> list[Bytes]:
    """Freely licensed aerial photos as ground for scenes, made small; none is kept."""
    found: list[Any] = []
    for file in sorted(folder.rglob("*")) if folder else []:
        if file.suffix.lower() in (".jpg", ".jpeg", ".png"):
            image = cv2.imread(str(file))
            if image is not None:
                height = image.shape[0] * width // image.shape[1]
                found.append(
                    np.asarray(
                        cv2.cvtColor(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
                    )
                )
    return [np.asarray(image, np.uint8) for image in found]


def mask_of(pair: scenes.Pair) -> Bytes:
    bits = pair.new * NEW + pair.gone * GONE + pair.roofs_before * ROOF_BEFORE + pair.roofs_after * ROOF_AFTER
    return np.asarray(bits + (0 if pair.knows_roofs else NO_ROOFS), np.uint8)


def shard(folder: Path, number: int, photos: Sequence[Bytes], seed: int) -> Path:
    """Render pairs ``number * SHARD`` … into one file, unless it is there."""
    path = folder / f"pairs-{seed}-{number:05d}.npz"
    if not path.exists():
        made = [scenes.pair(seed * 1_000_003 + number * SHARD + k, photos=photos) for k in range(SHARD)]
        part = path.with_suffix(".part.npz")
        np.savez(part, before=[p.before for p in made], after=[p.after for p in made], masks=[mask_of(p) for p in made])
        part.rename(path)
    return path


def synthetic(folder: Path, count: int, photos: Sequence[Bytes], seed: int) -> Pairs:
    """``count`` pairs of a seed, rendered or read back."""
    folder.mkdir(parents=True, exist_ok=True)
    return read([shard(folder, number, photos, seed) for number in range(-(-count // SHARD))], count)


def read(paths: Sequence[Path], count: int | None = None) -> Pairs:
    parts = [np.load(path) for path in paths]
    return Pairs(*(np.concatenate([part[name] for part in parts])[:count] for name in ("before", "after", "masks")))


def augmented(pairs: Pairs, index: int, rng: np.random.Generator, side: int) -> tuple[Bytes, Bytes, Bytes]:
    """One pair turned, mirrored, cropped to ``side``, sometimes with its dates exchanged, and coloured anew."""
    one, two, mask = pairs.before[index], pairs.after[index], pairs.masks[index]
    if side < mask.shape[0]:
        y, x = (int(rng.integers(mask.shape[k] - side + 1)) for k in (0, 1))
        one, two, mask = (part[y : y + side, x : x + side] for part in (one, two, mask))
    turns, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    one, two, mask = (np.rot90(part[:, ::-1] if mirrored else part, turns) for part in (one, two, mask))
    if rng.random() < 0.3:
        one, two, mask = two, one, exchanged(mask)
    if rng.random() < 0.6:
        one, two = (scene_camera.develop(np.asarray(part, np.float32), rng, 0.5).astype(np.uint8) for part in (one, two))
    return one, two, mask


def exchanged(mask: Bytes) -> Bytes:
    """The mask of a pair whose dates are exchanged: new is gone, roofs before are roofs after."""
    return np.asarray((mask & (NEW | ROOF_BEFORE)) << 1 | (mask & (GONE | ROOF_AFTER)) >> 1 | mask & NO_ROOFS, np.uint8)


def verdict_pairs(folder: Path) -> Pairs:
    """Judged pairs: folders ``before``, ``after``, ``label`` of equally named PNG tiles; label > 127: new, 1 to 127: gone."""
    names = sorted(file.name for file in (folder / "label").iterdir())
    images = {part: [cv2.imread(str(folder / part / name)) for name in names] for part in ("before", "after")}
    labels = [cv2.imread(str(folder / "label" / name), cv2.IMREAD_GRAYSCALE) for name in names]
    masks = [np.where(label > 127, NEW, np.where(label > 0, GONE, 0)) + NO_ROOFS for label in labels if label is not None]
    one, two = (
        np.stack([cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images[part] if image is not None])
        for part in ("before", "after")
    )
    return Pairs(one.astype(np.uint8), two.astype(np.uint8), np.stack(masks).astype(np.uint8))
