"""Write the net as ONNX with its sha256 beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from jiequ.sense.training.model import ChangeNet


class _Odds(torch.nn.Module):
    """What ships: probabilities, not logits."""

    def __init__(self, net: ChangeNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.net(before, after))


def write(net: ChangeNet, path: Path) -> str:
    """The sha256 of the file written: inputs ``before`` and ``after`` float32 (n, 3, h, w), output ``odds`` (n, 2, h, w)."""
    example = torch.zeros(1, 3, 128, 128)
    axes = {name: {0: "n", 2: "h", 3: "w"} for name in ("before", "after", "odds")}
    part = path.with_suffix(".part")
    torch.onnx.export(
        _Odds(net).eval(), (example, example), str(part), dynamo=False, opset_version=17, dynamic_axes=axes,
        input_names=["before", "after"], output_names=["odds"],
    )  # fmt: skip
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(path)
    path.with_suffix(".onnx.sha256").write_text(f"{digest}  {path.name}\n")
    return digest
