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
    with_padding_inside(prepared)  # only now are the sides of each Pad told as numbers
    quantize_static(
        str(prepared), str(part), _Reader(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
        weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
    )  # fmt: skip
    prepared.unlink()


def with_padding_inside(path: Path) -> None:
    """Move each Pad before a Conv into that Conv, through the 8-bit pair between them where both sides have one scale.

    The answers are the same bytes; the runtime keeps its blocked layout and its 8 bits: half of the time and memory of a tile.
    """
    model = onnx.load(path)
    numbers = _constants(model)
    makers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        pad = _pad_before(node, makers, numbers) if node.op_type == "Conv" else None
        if pad is not None:
            sides = numbers[pad.input[1]].reshape(2, 4)[:, 2:].flatten().tolist()
            kept = [part for part in node.attribute if part.name != "pads"]
            del node.attribute[:]
            node.attribute.extend([*kept, onnx.helper.make_attribute("pads", sides)])
            node.input[0] = pad.input[0]
    _without_the_unused(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _constants(model: onnx.ModelProto) -> dict[str, Any]:
    told = [node for node in model.graph.node if node.op_type == "Constant"]
    found = {node.output[0]: onnx.numpy_helper.to_array(node.attribute[0].t) for node in told}
    return found | {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}


def _pad_before(conv: onnx.NodeProto, makers: dict[str, onnx.NodeProto], numbers: dict[str, Any]) -> onnx.NodeProto | None:
    """The Pad with known sides that a Conv looks at, directly or through an 8-bit pair of the Pad's own scale."""
    found = makers.get(conv.input[0])
    if found is not None and found.op_type == "DequantizeLinear" and found.input[0] in makers:
        narrow = makers[found.input[0]]
        found = makers.get(narrow.input[0])
        before = makers.get(found.input[0]) if found is not None and found.op_type == "Pad" else None
        if before is None or [_told(numbers, one) for one in before.input[1:]] != [_told(numbers, n) for n in narrow.input[1:]]:
            return None
    return found if found is not None and found.op_type == "Pad" and found.input[1] in numbers else None


def _told(numbers: dict[str, Any], name: str) -> Any:
    return numbers[name].tolist() if name in numbers else name


def _without_the_unused(model: onnx.ModelProto) -> None:
    """Away with nodes whose results nobody takes, and with what only they took."""
    wanted = {one.name for one in model.graph.output}
    for node in reversed(list(model.graph.node)):
        if wanted.intersection(node.output):
            wanted.update(node.input)
        else:
            model.graph.node.remove(node)
    for item in [one for one in model.graph.initializer if one.name not in wanted]:
        model.graph.initializer.remove(item)
