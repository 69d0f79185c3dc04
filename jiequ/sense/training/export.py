"""Write the net as ONNX with its sha256 beside it."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from jiequ.sense.training.data import Pairs
from jiequ.sense.training.model import ChangeNet

CALIBRATED_ON = 24  # pairs


class _Odds(torch.nn.Module):
    """What ships: probabilities, not logits."""

    def __init__(self, net: ChangeNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.net.heads(before, after)[0])


def write(net: ChangeNet, path: Path, calibration: Pairs) -> str:
    """The sha256 of the file written: inputs ``before`` and ``after`` float32 (n, 3, h, w), output ``odds`` (n, 2, h/2, w/2).

    Weights and activations are 8 bit wide; ``calibration`` pairs tell how wide the activations range.
    """
    whole, part = path.with_suffix(".float"), path.with_suffix(".part")
    write_float(net, whole)
    narrowed(whole, part, calibration)
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    part.replace(path)
    whole.unlink()
    path.with_suffix(".onnx.sha256").write_text(f"{digest}  {path.name}\n")
    return digest


def write_float(net: ChangeNet, path: Path) -> None:
    example = torch.zeros(1, 3, 128, 128)
    axes = {name: {0: "n", 2: "h", 3: "w"} for name in ("before", "after", "odds")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old exporter is said to be going, and that it folds no constants; both are known
        torch.onnx.export(
            _Odds(net).eval(), (example, example), str(path), dynamo=False, opset_version=17, dynamic_axes=axes,
            input_names=["before", "after"], output_names=["odds"],
        )  # fmt: skip
    with_padding_inside(path)


class _Reader(CalibrationDataReader):
    def __init__(self, pairs: Pairs) -> None:
        self.left = iter([(pairs.before[k], pairs.after[k]) for k in range(min(len(pairs), CALIBRATED_ON))])

    def get_next(self) -> dict[str, Any] | None:
        pair = next(self.left, None)
        planes = [np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) for image in pair or ()]
        return dict(zip(("before", "after"), planes, strict=True)) if planes else None


def narrowed(whole: Path, part: Path, calibration: Pairs) -> None:
    """Eight bits for weights (each channel its own scale) and activations: .24 instead of .39 CPU-s a megapixel."""
    prepared = whole.with_suffix(".prepared")
    quant_pre_process(str(whole), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared), str(part), _Reader(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
        weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
    )  # fmt: skip
    prepared.unlink()


def with_padding_inside(path: Path) -> None:
    """Move each Pad before a Conv into that Conv: the runtime then keeps its blocked layout, a quarter less time a tile."""
    model = onnx.load(path)
    constants = {
        node.output[0]: onnx.numpy_helper.to_array(node.attribute[0].t)
        for node in model.graph.node
        if node.op_type == "Constant"
    }
    constants |= {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    pads = {node.output[0]: node for node in model.graph.node if node.op_type == "Pad" and node.input[1] in constants}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] in pads:
            pad = pads[node.input[0]]
            sides = constants[pad.input[1]].reshape(2, 4)[:, 2:].flatten().tolist()
            kept = [part for part in node.attribute if part.name != "pads"]
            del node.attribute[:]
            node.attribute.extend([*kept, onnx.helper.make_attribute("pads", sides)])
            node.input[0] = pad.input[0]
    used = {name for node in model.graph.node for name in node.input}
    for pad in pads.values():
        if pad.output[0] not in used:
            model.graph.node.remove(pad)
    onnx.checker.check_model(model)
    onnx.save(model, path)
