"""Small models of every layout that a network must be able to read, with their sites' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Function(nn.Module):
    """A model without modules of its own."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Residual(nn.Module):
    """Two convolutions, one ReLU module called twice, in place, and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.norm(self.first(x)))
        return self.relu(self.second(y) + x)


class DenselyConnected(nn.Module):
    """Each layer reads all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2 + 3 * i, 3, 3, padding=1) for i in range(3))
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, F.relu(layer(x))], 1)
        return self.pool(x)


class InvertedBottleneck(nn.Module):
    """Wide in the middle, depthwise, ReLU6, a shortcut: as in MobileNet."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 1, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU6(),
            nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU6(),
            nn.Conv2d(12, 3, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class ChannelsLast(nn.Module):
    """A depthwise convolution, then dense layers on channels in the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.wide, self.narrow = nn.Linear(4, 8), nn.Linear(8, 4)
        self.act = nn.GELU()
        self.scale = nn.Parameter(torch.full((4,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.scale * self.narrow(self.act(self.wide(y)))
        return x + y.permute(0, 3, 1, 2)


class ManyCalls(nn.Module):
    """The activations that are no modules, and ops that move values about."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x))
        y = self.second(y).clamp(min=0)
        y = torch.maximum(y * 2 - 1, torch.zeros(()))
        left, right = y.chunk(2, 1)
        y = torch.stack([left - right, (1 - right) / 3], 1).flatten(1)
        return y.relu_()


class SharedTwice(nn.Module):
    """One block, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(5, 5), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.block(self.block(x))


class PositiveParts(nn.Module):
    """A leaf without parameters is its activation; one with parameters is more."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = Function(F.relu)
        self.bias = Biased()

    def forward(self, x: Tensor) -> Tensor:
        return self.bias(self.plain(x))


class Biased(nn.Module):
    """Adds a parameter before its ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.linspace(-1, 1, 6))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x - self.offset)


class Matrices(nn.Module):
    """Products with a constant on either side."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Parameter(torch.randn(2, 5)), nn.Parameter(torch.randn(4, 3))
        self.last, self.bias = nn.Parameter(torch.randn(6, 5)), nn.Parameter(torch.randn(5))
        self.vector = nn.Parameter(torch.randn(3))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(self.left @ x @ self.right)  # (N, 2, 3)
        z = torch.addmm(self.bias, y.flatten(1), self.last, beta=0.5, alpha=2)
        return torch.cat([z, y @ self.vector], 1)


@dataclass(frozen=True)
class Example:
    """A model, the shape of one example, the names of its sites and the units of each."""

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    sites: dict[str, int]

    def make(self) -> tuple[nn.Module, Tensor]:
        """Return the model with random weights and statistics, and a batch of three."""
        torch.manual_seed(0)
        model = self.build()
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                nn.init.normal_(module.running_mean)
                nn.init.uniform_(module.running_var, 0.5, 2)
                nn.init.uniform_(module.weight, -1, 1)
                nn.init.normal_(module.bias)
        return model, torch.randn(3, *self.shape)


def _mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 9),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(9, 7),
        nn.LeakyReLU(0.2),
        nn.Linear(7, 3),
    )


def _cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1, dilation=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.Conv2d(6, 8, 3, padding=2, dilation=2, groups=2),
        nn.PReLU(8),
        nn.AdaptiveAvgPool2d((2, 1)),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.ELU(0.7),
        nn.Linear(5, 2),
    )


def _decoder() -> nn.Module:
    return nn.Sequential(
        nn.Linear(4, 12),
        nn.ReLU(),
        nn.Unflatten(1, (3, 2, 2)),
        nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
        nn.SiLU(),
        nn.Upsample(scale_factor=2),
        nn.ReflectionPad2d((1, 2, 0, 1)),
        nn.ConvTranspose2d(4, 4, 2, groups=2, bias=False),
        nn.Sigmoid(),
    )


def _signal() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(2, 4, 5, padding="same"),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.MaxPool1d(2),
        nn.ConstantPad1d((1, 0), 0.5),
        nn.Conv1d(4, 3, 2),
        nn.SELU(),
        nn.AdaptiveMaxPool1d(2),
    )


def _volume() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(1, 3, 2), nn.ReLU(), nn.AvgPool3d(2), nn.ConvTranspose3d(3, 2, 2), nn.Tanh()
    )


def _moves(x: Tensor) -> Tensor:
    y = torch.cat([x[:, 1:], x[:, :1], torch.zeros_like(x[:, :1])], 1).roll(1, 2).flip(2)
    y = F.pad(y, (1, 1), mode="circular")[:, [0, 2, 1]]
    y = y.mean(1, keepdim=True) - y.sum(2, keepdim=True) / 2 + y.amax(1, keepdim=True)
    y = torch.minimum(y, 0.5 - y) + y.abs()
    return y.transpose(1, 2).reshape(x.shape[0], -1).narrow(1, 0, 5).repeat(1, 2)


ZOO = {
    "mlp": Example(_mlp, (6,), {"1": 9, "4": 7}),
    "cnn": Example(_cnn, (3, 13, 11), {"2": 6, "5": 8, "9": 5}),
    "decoder": Example(_decoder, (4,), {"1": 12, "4": 4, "8": 4}),
    "signal": Example(_signal, (2, 17), {"2": 4, "7": 3}),
    "volume": Example(_volume, (1, 6, 5, 4), {"1": 3, "4": 2}),
    "residual": Example(Residual, (4, 6, 6), {"relu": 4, "relu#2": 4}),
    "densely connected": Example(
        DenselyConnected, (2, 6, 6), {"relu()": 3, "relu()#2": 3, "relu()#3": 3}
    ),
    "inverted bottleneck": Example(InvertedBottleneck, (3, 6, 6), {"body.2": 12, "body.5": 12}),
    "channels last": Example(ChannelsLast, (4, 5, 5), {"act": 8}),
    "tokens": Example(_mlp, (5, 6), {"1": 9, "4": 7}),
    "many calls": Example(
        ManyCalls, (6,), {"relu()": 8, "relu()#2": 8, "relu()#3": 8, "relu()#4": 4}
    ),
    "shared twice": Example(SharedTwice, (5,), {"block.1": 5, "block.1#2": 5}),
    "positive parts": Example(PositiveParts, (6,), {"plain": 6, "bias.relu()": 6}),
    "moves": Example(lambda: Function(_moves), (3, 7), {}),
    "matrices": Example(Matrices, (5, 4), {"tanh()": 3}),
}
