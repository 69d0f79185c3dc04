"""The net that ships, as a net that can go on learning: read back out of its ONNX, so that nothing else need be shipped.

The file's convolutions hold their batch norms folded into them, and its weights are 8 bits wide. Read back, each norm is made
anew so that the answers stay as they are (scale √(v + ε), offset b + m) about mean m and variance v, which a few invented
pairs tell: a batch in training is scaled as before folding. The roof head is not in the file, so its loss is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jiequ.sense.engine.net import checked
from jiequ.sense.training.data import NO_ROOFS, Pairs
from jiequ.sense.training.model import ChangeNet

PAIRS_FOR_NORMS = 16


def from_onnx(path: Path | None, about: Pairs) -> ChangeNet:
    """The net in an ONNX of ours (None: the shipped one), ready to learn; ``about``: pairs that tell what its layers see.

    Raises WeightsError where the bytes are not those that the sha256 beside them names, ValueError where a layer is missing.
    """
    net = ChangeNet().eval()
    folded = _filled(net, onnx.load_from_string(checked(path)))
    with torch.no_grad():
        _unfold(net, folded, about)
    return net


def without_roofs(pairs: Pairs) -> Pairs:
    """The same pairs with nothing said of their roofs: a head that is not there cannot be held to them."""
    return Pairs(pairs.before, pairs.after, (pairs.masks | NO_ROOFS).astype(np.uint8))


def _filled(net: ChangeNet, model: onnx.ModelProto) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Put the file's numbers into the net; the convolutions whose norms are folded in, with those norms."""
    numbers = _numbers(model)
    modules = dict(net.named_modules())
    folded, seen = [], set()
    for node in model.graph.node:
        name = node.name.split("/")[-2] if node.op_type == "Conv" else ""
        name = _whole(node.name) if name else ""
        if not name or name in seen:
            continue
        seen.add(name)
        conv = modules[name]
        assert isinstance(conv, nn.Conv2d)
        bias = numbers[node.input[2]] if len(node.input) > 2 else None
        norm = None if conv.bias is not None or bias is None else modules[_next(name)]
        _put(conv.weight, numbers[node.input[1]])
        if norm is None:
            if bias is not None and conv.bias is not None:
                _put(conv.bias, bias)
            continue
        assert isinstance(norm, nn.BatchNorm2d)
        _put(norm.bias, bias)
        folded.append((conv, norm))
    missing = {name for name, one in modules.items() if isinstance(one, nn.Conv2d)} - seen - {"roof"}
    if missing:
        raise ValueError(f"not in the file: {sorted(missing)}")
    return folded


def _whole(node: str) -> str:
    """ "/wider/wider.0/wider.0.1/wider.0.1.0/Conv" → "wider.0.1.0"; "/blocks.3/depth/Conv" → "blocks.3.depth"."""
    found = ""
    for part in node.strip("/").split("/")[:-1]:
        found = part if part.startswith(f"{found}.") or not found else f"{found}.{part}"
    return found


def _next(name: str) -> str:
    head, _, number = name.rpartition(".")
    return f"{head}.{int(number) + 1}"


def _numbers(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """Each constant by the name under which a node takes it, 8-bit ones widened by their scales (each channel its own)."""
    plain = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in plain:
            value, scale = plain[node.input[0]].astype(np.float32), plain[node.input[1]]
            zero = plain[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.float32(0)
            lined = (-1, *[1] * (value.ndim - 1)) if scale.ndim else ()
            plain[node.output[0]] = (value - zero.reshape(lined)) * scale.reshape(lined)
    return plain


def _put(where: Tensor, numbers: Any) -> None:
    with torch.no_grad():
        where.copy_(torch.from_numpy(np.array(numbers, np.float32)))


def _unfold(net: ChangeNet, folded: list[tuple[nn.Conv2d, nn.BatchNorm2d]], about: Pairs) -> None:
    """Norms that change nothing, then, one pass over a few pairs later, such about what each convolution gives."""
    for _, norm in folded:
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1.0)
    with _listened(folded) as heard:
        rows = min(PAIRS_FOR_NORMS, len(about))
        one, two = (torch.from_numpy(part[:rows].transpose(0, 3, 1, 2).copy()).float() for part in (about.before, about.after))
        net.heads(one, two)
    for conv, norm in folded:
        given = torch.cat(heard[conv])
        mean, variance = given.mean((0, 2, 3)), given.var((0, 2, 3), unbiased=False)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.add_(mean)


@contextmanager
def _listened(folded: list[tuple[nn.Conv2d, nn.BatchNorm2d]]) -> Iterator[dict[nn.Module, list[Tensor]]]:
    heard: dict[nn.Module, list[Tensor]] = {conv: [] for conv, _ in folded}
    hooks = [conv.register_forward_hook(lambda one, _asked, told: heard[one].append(told)) for conv, _ in folded]
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()
