"""Train the change net from synthetic pairs: seeded, resumable, on a processor or a graphics card.

Run with the Python that has torch: ``python -m jiequ.sense.training.train --out DIR --steps 2000``, or ``./run sense train``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from jiequ.sense.training import data
from jiequ.sense.training.model import FROZEN, ChangeNet, with_imagenet

KEPT_EVERY = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; all of it stands in the model card."""

    steps: int = 2000
    batch: int = 16  # below 16, one-threaded torch takes a path of convolution three times slower
    side: int = 128
    rate: float = 1.5e-3
    seed: int = 1
    keep: float = 0.995  # of the running mean of weights, each step


class Training:
    """The net, its running mean (which is what ships), the optimiser and how far it has come."""

    def __init__(self, plan: Plan, device: str = "cpu", net: ChangeNet | None = None) -> None:
        """``net``: what to go on from; None: a new one on ImageNet's trunk."""
        torch.manual_seed(plan.seed)
        self.plan, self.device, self.step = plan, device, 0
        self.net = (net or with_imagenet(ChangeNet())).to(device, memory_format=torch.channels_last)
        self.mean = {name: value.clone() for name, value in self.net.state_dict().items()}
        trunk = list(self.net.blocks[FROZEN:].parameters())
        first = {id(p) for part in (self.net.stem, self.net.blocks) for p in part.parameters()}
        rest = [p for p in self.net.parameters() if id(p) not in first]
        self.optimiser = torch.optim.AdamW(
            [{"params": trunk, "scale": 0.3}, {"params": rest, "scale": 1.0}], lr=plan.rate, weight_decay=0.01
        )

    def learn(self, before: Tensor, after: Tensor, mask: Tensor) -> float:
        """One step; the loss."""
        self.net.train()
        self._set_rate()
        change, roofs = self.net.heads(before, after)
        loss = loss_of(change, roofs, mask)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        self._average()
        return float(loss.detach())

    def _set_rate(self) -> None:
        """A short rise, level, and over the last third down to 2 %: a run may be prolonged as long as it is level."""
        done = self.step / self.plan.steps
        factor = min(1.0, (self.step + 1) / 50) * max(0.02, min(1.0, 3 * (1 - done)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate * factor * group["scale"]

    def _average(self) -> None:
        keep = min(self.plan.keep, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                if value.dtype.is_floating_point:
                    self.mean[name].mul_(keep).add_(value, alpha=1 - keep)
                else:
                    self.mean[name].copy_(value)

    def shipped(self) -> ChangeNet:
        """The net with its mean weights, ready to be asked."""
        net = ChangeNet()
        net.load_state_dict({name: value.cpu() for name, value in self.mean.items()})
        return net.eval()

    def save(self, path: Path) -> None:
        part = path.with_suffix(".part")
        state: dict[str, Any] = {"net": self.net.state_dict(), "mean": self.mean, "optimiser": self.optimiser.state_dict()}
        torch.save(state | {"step": self.step}, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.mean = state["mean"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def loss_of(change: Tensor, roofs: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy and Dice (Milletari et al. 2016) of what changed, and cross-entropy of the roofs at each date where known.

    ``change`` (n, 2, h/2, w/2) and ``roofs`` (2n, 1, h/4, w/4) are logits, ``mask`` (n, h, w) the bits of ``data``.
    """
    wanted = functional.avg_pool2d(torch.stack([mask & data.NEW > 0, mask & data.GONE > 0], 1).float(), 2)
    odds = torch.sigmoid(change)
    both = (odds * wanted).sum((0, 2, 3))
    dice = 1 - (2 * both + 50) / (odds.sum((0, 2, 3)) + wanted.sum((0, 2, 3)) + 50)
    standing = torch.cat([mask & data.ROOF_BEFORE > 0, mask & data.ROOF_AFTER > 0])[:, None].float()
    known = (mask.flatten(1).max(1).values < data.NO_ROOFS).float().repeat(2)[:, None, None, None]
    of_roofs = functional.binary_cross_entropy_with_logits(roofs, functional.avg_pool2d(standing, 4), reduction="none")
    crossed = functional.binary_cross_entropy_with_logits(change, wanted)
    return crossed * 2 + dice.mean() + 0.5 * (of_roofs * known).mean()


def batches(
    pairs: data.Pairs, plan: Plan, first: int, device: str = "cpu", size: int = 0
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches without end; a step's depends on the seed and the step only, so a resumed run goes on as it would have."""
    step = first
    while True:
        rng = np.random.default_rng([plan.seed, step])
        chosen = rng.integers(len(pairs), size=size or plan.batch)
        made = [data.augmented(pairs, int(k), rng, plan.side) for k in chosen]
        one, two = (torch.from_numpy(np.stack([m[part] for m in made])).permute(0, 3, 1, 2).float() for part in (0, 1))
        mask = torch.from_numpy(np.stack([m[2] for m in made]))
        layout = torch.channels_last
        yield one.to(device).contiguous(memory_format=layout), two.to(device).contiguous(memory_format=layout), mask.to(device)
        step += 1


def train(plan: Plan, pairs: data.Pairs, out: Path, *, device: str = "cpu", quiet: bool = False) -> Training:
    """All steps that are left, with a state kept now and then."""
    training, state = Training(plan, device), out / "state.pt"
    if state.exists():
        training.load(state)
    began, losses = time.process_time(), []
    for batch in batches(pairs, plan, training.step, device):
        if training.step >= plan.steps:
            break
        losses.append(training.learn(*batch))
        if training.step % KEPT_EVERY == 0 or training.step == plan.steps:
            training.save(state)
            if not quiet:
                spent = time.process_time() - began
                sys.stdout.write(f"step {training.step} loss {np.mean(losses[-KEPT_EVERY:]):.4f} CPU {spent:.0f} s\n")
                sys.stdout.flush()
    return training


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="train", description=__doc__)
    options.add_argument(
        "--out", type=Path, required=True, help="state, net and card go here; an interrupted run goes on from here"
    )
    options.add_argument("--frames", type=Path, help="aerial photos of a free licence for grounds, at any depth of a folder")
    options.add_argument("--cache", type=Path, help="rendered pairs are kept here (OUT/pairs)")
    options.add_argument("--pairs", type=int, default=2500, help="synthetic pairs (%(default)s)")
    options.add_argument("--steps", type=int, default=Plan().steps, help="(%(default)s)")
    options.add_argument("--seed", type=int, default=Plan().seed)
    options.add_argument("--threads", type=int, default=1)
    return options


def main(arguments: list[str]) -> int:
    from jiequ.sense.training import export

    given = parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    pairs = data.synthetic(given.cache or given.out / "pairs", given.pairs, data.frames(given.frames), given.seed)
    training = train(Plan(steps=given.steps, seed=given.seed), pairs, given.out, device=device)
    torch.save(training.shipped().state_dict(), given.out / "weights.pt")
    sys.stdout.write(export.write(training.shipped(), given.out / "change.onnx", calibration=pairs) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
