"""Teach the net what a district's analysts judged, with a quarter of synthetic pairs in each batch so that it forgets nothing.

Run with the Python that has torch:
``python -m jiequ.sense.training.finetune --pairs DIR --out DIR``; about two CPU-minutes. It starts from the ONNX that ships,
or from any other of ours that ``--from`` names, such as the one that the last fine-tune left.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jiequ.sense.engine import promotion
from jiequ.sense.engine.net import checked
from jiequ.sense.training import data, export, shipped
from jiequ.sense.training.model import ChangeNet
from jiequ.sense.training.train import Plan, Training, batches

REPLAY = 0.25
SHARE = 0.5  # of the way from the net in use to the one that learnt (Wortsman et al. 2022)
PLAN = Plan(steps=100, rate=8e-4, seed=1, keep=0.97)


def finetuned(start: ChangeNet, verdicts: data.Pairs, replay: data.Pairs, plan: Plan = PLAN) -> ChangeNet:
    """The net after ``plan.steps`` on judged pairs and on replayed synthetic ones; ``start`` stays as it is."""
    training = Training(plan, net=copy.deepcopy(start))
    for batch in _mixed(verdicts, replay, plan):
        if training.step >= plan.steps:
            break
        training.learn(*batch)
    return training.shipped()


def between(start: ChangeNet, learnt: ChangeNet, share: float) -> ChangeNet:
    """A net ``share`` of the way from one to the other, by weights: what few verdicts teach undoes little of what was known."""
    here, there = start.state_dict(), learnt.state_dict()
    floats = [name for name, value in here.items() if value.dtype.is_floating_point]
    mixed = there | {name: torch.lerp(here[name], there[name], share) for name in floats}
    net = ChangeNet()
    net.load_state_dict(mixed)
    return net.eval()


def _mixed(verdicts: data.Pairs, replay: data.Pairs, plan: Plan) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    few = round(plan.batch * REPLAY)
    parts = (batches(verdicts, plan, 0, size=plan.batch - few), batches(replay, plan, 0, size=few))
    for real, invented in zip(*parts, strict=False):
        one, two, mask = (torch.cat([a, b]) for a, b in zip(real, invented, strict=True))
        yield one.contiguous(memory_format=torch.channels_last), two.contiguous(memory_format=torch.channels_last), mask


def figures(net: ChangeNet, pairs: data.Pairs) -> promotion.Figures:
    """Pixel F1 at 0.5 and objects found (≥ 20 % covered) of what is new or gone."""
    odds = [_odds(net, pairs.before[k], pairs.after[k]) for k in range(len(pairs))]
    return promotion.figures(odds, [(mask & (data.NEW | data.GONE)) > 0 for mask in pairs.masks])


def _odds(net: ChangeNet, before: data.Bytes, after: data.Bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    with torch.no_grad():
        one, two = (torch.from_numpy(image.transpose(2, 0, 1)[None].copy()).float() for image in (before, after))
        return np.asarray(torch.sigmoid(net(one, two))[0].max(0).values.numpy())


def chosen(pairs: data.Pairs, rows: list[int]) -> data.Pairs:
    return data.Pairs(pairs.before[rows], pairs.after[rows], pairs.masks[rows])


def frozen_fifth(names: list[str]) -> list[bool]:
    """Which judged pairs are never learnt from: a fifth, by place (the name up to "_"), the same whenever it is asked."""
    return [hashlib.sha256(name.split("_")[0].encode()).digest()[0] < 52 for name in names]


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="finetune", description=__doc__)
    options.add_argument(
        "--pairs", type=Path, required=True, help="folder of judged pairs: before/ after/ label/ of equal names"
    )
    options.add_argument("--dev", type=Path, help="a second such folder that is never learnt from")
    options.add_argument("--from", dest="start", type=Path, help="change.onnx or its folder, with its sha256 (the shipped one)")
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=PLAN.seed)
    options.add_argument("--steps", type=int, default=PLAN.steps)
    options.add_argument("--replay", type=int, default=100, help="synthetic pairs to draw from (%(default)s)")
    given = options.parse_args(arguments)
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    card = run(
        given.pairs,
        given.dev,
        given.start,
        given.out,
        Plan(given.steps, rate=PLAN.rate, seed=given.seed, keep=PLAN.keep),
        given.replay,
    )
    sys.stdout.write(json.dumps(card["gate"]) + "\n")
    return 0


def run(folder: Path, dev: Path | None, start: Path | None, out: Path, plan: Plan, replayed: int) -> dict[str, Any]:
    """Fine-tune, hold the gate, write change.onnx, its sha256 and card.json into ``out``; the card. Raises WeightsError."""
    names = sorted(file.name for file in (folder / "label").iterdir())
    pairs, kept = data.verdict_pairs(folder), frozen_fifth(names)
    replay = shipped.without_roofs(data.synthetic(out / "replay", replayed, [], plan.seed + 7))
    champion = shipped.from_onnx(start, replay)
    learnt = [k for k, held in enumerate(kept) if not held]
    challenger = between(champion, finetuned(champion, chosen(pairs, learnt), replay, plan), SHARE)
    local = chosen(pairs, [k for k, held in enumerate(kept) if held])
    tests = {"local": local} | ({"dev": data.verdict_pairs(dev)} if dev else {"dev": replay})
    told = {
        f"{name}_{when}": figures(net, test)
        for name, test in tests.items()
        for when, net in (("before", champion), ("after", challenger))
    }
    verdict = promotion.gate(
        told["local_before"], told["local_after"], told["dev_before"], told["dev_after"], n_local=len(local)
    )
    digest = export.write(challenger, out / "change.onnx", calibration=replay)
    gate = {name: round(value.pixel_f1, 4) for name, value in told.items()} | {"passed": verdict.passed, "why": verdict.code}
    card = {
        "sha256": digest,
        "gate": gate,
        "plan": asdict(plan),
        "n_pairs": len(learnt),
        "n_frozen": len(local),
        "replay_share": REPLAY,
        "started_from": hashlib.sha256(checked(start)).hexdigest(),
        "share": SHARE,
    }
    (out / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return card


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
