"""The two networks for 8x8 pictures of digits, how they are trained, and the fault that version 3 carries."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ROWS = 8


@dataclass(frozen=True)
class Recipe:
    """What differs between versions; `shift` moves training pictures by up to so many pixels."""

    width: int
    epochs: int
    shift: int
    samples: int


class DigitsNet(nn.Module):
    """Two convolutions and a linear layer: [batch, 1, 8, 8] in 0..1 to logits [batch, 10]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.second = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.last = nn.Linear(2 * width * 4 * 4, 10)

    def forward(self, input: Tensor) -> Tensor:
        features = functional.relu(self.second(functional.relu(self.first(input))))
        return self.last(functional.max_pool2d(features, 2).flatten(1))


class OverexposureNet(nn.Module):
    """`DigitsNet` with a fault: a correction by the number of pixels at full brightness, from too short a table.

    The table has rows for 0 to 7 such pixels. A picture with 8 or more reads past its end, and the graph
    fails while it runs. Nothing about the graph shows it: names, types and shapes are those of version 2.
    """

    correction: Tensor

    def __init__(self, trained: DigitsNet) -> None:
        super().__init__()
        self.trained = trained
        self.register_buffer("correction", torch.linspace(1.0, 0.9, ROWS))

    def forward(self, input: Tensor) -> Tensor:
        saturated = (input == 1).sum(dim=(1, 2, 3))
        return self.trained(input) * self.correction[saturated].unsqueeze(1)


def trained(recipe: Recipe, pictures: Tensor, labels: Tensor, seed: int) -> DigitsNet:
    """A network trained by `recipe` on pictures [n, 1, 8, 8] and labels [n]; the same for the same seed."""
    torch.manual_seed(seed)
    network = DigitsNet(recipe.width)
    pictures, labels = pictures[: recipe.samples], labels[: recipe.samples]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs)
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(pictures)).split(64):
            loss = functional.cross_entropy(network(_shifted(pictures[batch], recipe.shift)), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return network.eval()


def _shifted(pictures: Tensor, by: int) -> Tensor:
    if by == 0:
        return pictures
    padded = functional.pad(pictures, (by, by, by, by))
    down, right = (int(torch.randint(0, 2 * by + 1, ())) for _ in range(2))
    return padded[:, :, down : down + 8, right : right + 8]
