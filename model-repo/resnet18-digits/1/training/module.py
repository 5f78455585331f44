"""ResNet-18 (He et al. 2015) for pictures of one channel, with what an architecture search may vary.

With the defaults it is the published network: a 7x7 stem, four stages of two residual blocks with 64, 128, 256 and
512 channels, the mean over the picture and a linear layer; 11.2 million parameters.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = 4


class Block(nn.Module):
    """Two convolutions and what goes past them; the first halves the picture when `stride` is 2."""

    def __init__(self, channels: int, made: int, stride: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, made, kernel, stride, kernel // 2, bias=False)
        self.first_norm = nn.BatchNorm2d(made)
        self.second = nn.Conv2d(made, made, kernel, 1, kernel // 2, bias=False)
        self.second_norm = nn.BatchNorm2d(made)
        self.past = nn.Sequential()
        if stride != 1 or channels != made:
            self.past = nn.Sequential(nn.Conv2d(channels, made, 1, stride, bias=False), nn.BatchNorm2d(made))

    def forward(self, given: Tensor) -> Tensor:
        inner = functional.relu(self.first_norm(self.first(given)))
        return functional.relu(self.second_norm(self.second(inner)) + self.past(given))


class Network(nn.Module):
    """[batch, 1, height, width] in 0..1 to logits [batch, classes].

    `width` is the channels of the first stage, doubled in each of the next; `depth` the blocks of a stage; `kernel`
    the size of the convolutions in the blocks.
    """

    def __init__(self, width: int = 64, depth: int = 2, kernel: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        blocks, channels = [], width
        for stage in range(STAGES):
            for place in range(depth):
                made = width * 2**stage
                blocks.append(Block(channels, made, 2 if stage and not place else 1, kernel))
                channels = made
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(channels, classes)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out")

    def forward(self, input: Tensor) -> Tensor:
        return self.last(torch.mean(self.blocks(self.stem(input)), dim=(2, 3)))
