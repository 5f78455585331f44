"""Structured pruning: whole channels go, with everything that depends on them, so the network becomes smaller and
faster wherever it runs. torch-pruning (Fang et al. 2023) finds what depends on what; the channels that go are those
whose group of weights is smallest.
"""

import torch
import torch_pruning
from torch import Tensor, nn


def prune(network: nn.Module, sample: tuple[Tensor, ...], ratio: float) -> nn.Module:
    """NETWORK with `ratio` of every group's channels gone, in place; its outputs keep their shape.

    ValueError when nothing could be pruned, or the outputs did change.
    """
    network.eval()
    before, shape = parameters(network), network(*sample).shape
    pruner = torch_pruning.pruner.BasePruner(
        network,
        sample,
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=ratio,
        ignored_layers=[last_layer(network, sample)],
    )
    pruner.step()
    if network(*sample).shape != shape:
        raise ValueError("pruning changed the shape of the outputs; use kind: unstructured for this module")
    if parameters(network) == before:
        raise ValueError("torch-pruning found no channels that may go; make ratio larger, or use kind: unstructured")
    return network


def parameters(network: nn.Module) -> int:
    """How many numbers the network has learnt."""
    return sum(parameter.numel() for parameter in network.parameters())


def last_layer(network: nn.Module, sample: tuple[Tensor, ...]) -> nn.Module:
    """The last layer with weights that a run passes through; its channels are the outputs."""
    passed: list[nn.Module] = []
    layers = [module for module in network.modules() if isinstance(module, nn.Linear | nn.modules.conv._ConvNd)]
    hooks = [layer.register_forward_hook(lambda layer, *_: passed.append(layer)) for layer in layers]
    with torch.no_grad():
        network(*sample)
    for hook in hooks:
        hook.remove()
    if not passed:
        raise ValueError("the module has no convolution and no linear layer to prune")
    return passed[-1]
