"""A network small enough to train in a second: two convolutions with a way past, on pictures of 8x8."""

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """[batch, 1, 8, 8] to logits [batch, 3]."""

    def __init__(self, width: int = 8, depth: int = 1, kernel: int = 3) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError("the kernel must be odd")
        self.first = nn.Conv2d(1, width, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.inner = nn.ModuleList(nn.Conv2d(width, width, kernel, padding=kernel // 2) for _ in range(depth))
        self.last = nn.Linear(width, 3)

    def forward(self, picture: Tensor) -> Tensor:
        features = torch.relu(self.norm(self.first(picture)))
        for layer in self.inner:
            features = torch.relu(layer(features)) + features
        return self.last(features.mean(dim=(2, 3)))


class Unfollowable(Network):
    """Does something else for dark pictures, which no tracing can follow."""

    def forward(self, picture: Tensor) -> Tensor:
        return super().forward(picture if picture.sum() > 0 else picture + 1)


def no_module() -> int:
    """Not what a recipe wants."""
    return 3
