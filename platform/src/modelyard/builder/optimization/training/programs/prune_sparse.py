"""Pruning without a change of shape: weights become zero and are held there while the rest is trained.

    unstructured   the smallest weights of all layers together; the file compresses, no runtime here gets faster
    2:4            two of every four neighbours along the inputs of a layer, as NVIDIA's sparse tensor cores want it

Only convolutions and linear layers; biases and norms stay.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Masks = dict[str, Tensor]
"""By parameter name: True where a weight stays."""


def unstructured(network: nn.Module, ratio: float) -> Masks:
    """Masks that drop the `ratio` smallest of all weights."""
    weights = _weights(network)
    sizes = torch.cat([weight.detach().abs().flatten() for weight in weights.values()])
    dropped = round(ratio * sizes.numel())
    limit = sizes.kthvalue(dropped).values if dropped else torch.tensor(-1.0)
    return {name: weight.detach().abs() > limit for name, weight in weights.items()}


def two_of_four(network: nn.Module) -> Masks:
    """Masks that keep the two largest of every four weights; layers whose inputs are no multiple of four stay whole."""
    masks = {
        name: _largest_two(weight.detach()) for name, weight in _weights(network).items() if not weight.shape[1] % 4
    }
    if not masks:
        raise ValueError("no layer has a multiple of four inputs, so 2:4 changes nothing; use kind: unstructured")
    return masks


def present(network: nn.Module) -> Masks:
    """Masks of the zeros that are there already."""
    return {name: weight.detach() != 0 for name, weight in _weights(network).items()}


def keeper(network: nn.Module, masks: Masks) -> Callable[[], None]:
    """A function that puts the zeros back, to be called once now and after every step of a training."""
    held = [(parameter, masks[name]) for name, parameter in network.named_parameters() if name in masks]

    def keep() -> None:
        with torch.no_grad():
            for parameter, mask in held:
                parameter.mul_(mask)

    return keep


def zeros(network: nn.Module) -> float:
    """Share of the weights of convolutions and linear layers that are zero."""
    weights = _weights(network).values()
    return sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)


def _weights(network: nn.Module) -> dict[str, nn.Parameter]:
    kinds = (nn.Linear, nn.modules.conv._ConvNd)
    layers = {name: module for name, module in network.named_modules() if isinstance(module, kinds)}
    return {f"{name}.weight" if name else "weight": layer.weight for name, layer in layers.items()}


def _largest_two(weight: Tensor) -> Tensor:
    """[out, in, ...]: fours along `in`, apart for every place of a kernel."""
    last = weight.abs().movedim(1, -1)
    fours = last.reshape(*last.shape[:-1], -1, 4)
    kept = torch.zeros_like(fours, dtype=torch.bool).scatter_(-1, fours.topk(2, dim=-1).indices, value=True)
    return kept.reshape(last.shape).movedim(-1, 1)
