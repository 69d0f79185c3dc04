"""The change net after ten tiles of verdicts: leave one of the eleven labelled pairs out, learn from ten, ask for the eleventh.

``TORCH_PYTHON=… ./run bench sense learn`` runs it in that Python. It starts from the ONNX that ships, as a district's own
fine-tune does.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from jiequ.sense.engine import promotion
from jiequ.sense.training import data, finetune, shipped
from jiequ.sense.training.model import ChangeNet


def labelled(folder: Path) -> tuple[list[str], data.Pairs]:
    import cv2

    names = sorted(file.name for file in (folder / "label").iterdir())
    images = {part: [cv2.imread(str(folder / part / name)) for name in names] for part in ("A", "B", "label")}
    one, two = (np.stack([image[..., ::-1] for image in images[part]]).astype(np.uint8) for part in ("A", "B"))
    masks = [np.where(image[..., 0] > 127, data.NEW, 0) + data.NO_ROOFS for image in images["label"]]
    return names, data.Pairs(one, two, np.stack(masks).astype(np.uint8))


def said(start: ChangeNet, pairs: data.Pairs, replay: data.Pairs, held: int, options: argparse.Namespace) -> list[np.ndarray]:
    """The odds on the held tile for each share of what was learnt."""
    plan = replace(finetune.PLAN, steps=options.steps, rate=options.rate, seed=options.seed)
    ten = finetune.chosen(pairs, [k for k in range(len(pairs)) if k != held])
    learnt = finetune.finetuned(start, ten, replay, plan)
    if options.keep:
        torch.save(learnt.state_dict(), options.keep / f"{held}.pt")
    nets = [finetune.between(start, learnt, share) for share in options.share]
    return [finetune._odds(net, pairs.before[held], pairs.after[held]) for net in nets]


def main() -> None:
    options = argparse.ArgumentParser(prog="sense_learn")
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--work", type=Path, required=True, help="invented pairs to replay are made here")
    options.add_argument("--keep", type=Path, help="keep each fold's weights here")
    options.add_argument("--seed", type=int, default=finetune.PLAN.seed)
    options.add_argument("--steps", type=int, default=finetune.PLAN.steps)
    options.add_argument("--rate", type=float, default=finetune.PLAN.rate)
    options.add_argument("--share", type=float, nargs="+", default=[0.0, finetune.SHARE], help="of the way from the start")
    options.add_argument("--folds", type=int, nargs="+")
    given = options.parse_args()
    torch.set_num_threads(1)
    names, pairs = labelled(given.data / "dev_pairs")
    replay = shipped.without_roofs(data.synthetic(given.work, 100, [], given.seed + 7))
    start, began = shipped.from_onnx(None, replay), time.process_time()
    folds = given.folds or range(len(pairs))
    odds = []
    for held in folds:
        odds.append(said(start, pairs, replay, held, given))
        print(f"{names[held]:<14} {time.process_time() - began:5.0f} CPU-s", file=sys.stderr, flush=True)
    labels = [(pairs.masks[held] & data.NEW) > 0 for held in folds]
    for place, share in enumerate(given.share):
        told = promotion.figures([one[place] for one in odds], labels)
        print(f"share {share:.2f} f1 {told.pixel_f1:.4f} precision {told.precision:.4f} recall {told.recall:.4f} "
              f"objects {told.objects:.4f} of {told.n_objects}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
