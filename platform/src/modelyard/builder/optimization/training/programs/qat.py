"""Quantization-aware training: int8 is simulated while the network goes on learning, so its weights settle for it.

    weights       signed 8 bits, symmetric, one scale for every output channel
    activations   unsigned 8 bits, one scale and zero point for a tensor; the range is a moving average of what passed

Batch normalization is folded into the convolutions first. Quantized are the inputs of convolutions, linear layers
and sums, and what comes out of them (after the ReLU that follows, so that runtimes fuse all three), which is what
integer kernels need. Rounding lets gradients through as if it were not there (straight-through estimator).

What is `fixed` rounds with one operator of its own, which `export` writes as QuantizeLinear and DequantizeLinear.
"""

import operator

import torch
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse
from torch.nn import functional

MOVING = 0.1
_LEAST = 1e-8
_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_SUMS = (operator.add, operator.iadd, torch.add)
_RELUS = (functional.relu, torch.relu, torch.relu_)


@torch.library.custom_op("modelyard::rounded", mutates_args=())
def rounded(values: Tensor, scale: Tensor, zero_point: Tensor) -> Tensor:
    """Rounded to the 8 bits that `zero_point` is in; scale and zero point are [] or [rows of dimension 0]."""
    limits = torch.iinfo(zero_point.dtype)
    return _rounded(values, _by_row(scale, values), _by_row(zero_point, values), limits.min, limits.max)


@rounded.register_fake
def _(values: Tensor, scale: Tensor, zero_point: Tensor) -> Tensor:
    return torch.empty_like(values)


class Activation(nn.Module):
    """Rounds what passes; in training it also learns the range."""

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("low", "high", "seen"):
            self.register_buffer(name, torch.tensor(0.0))
        self.fixed = False

    def forward(self, values: Tensor) -> Tensor:
        if self.fixed:
            return rounded(values, self.scale, self.zero_point)
        if self.training:
            self._observe(values.detach())
        return _rounded(values, *self.rounding(), 0, 255)

    def rounding(self) -> tuple[Tensor, Tensor]:
        """Scale and zero point, both []; 0 is always met exactly."""
        scale = ((self.high - self.low) / 255).clamp(min=_LEAST)
        return scale, torch.round(-self.low / scale).clamp(0, 255)

    def fix(self) -> None:
        """Makes scale and zero point constants of the graph."""
        scale, zero_point = self.rounding()
        self.register_buffer("scale", scale)
        self.register_buffer("zero_point", zero_point.to(torch.uint8))
        self.fixed = True

    def _observe(self, values: Tensor) -> None:
        low, high = values.min().clamp(max=0), values.max().clamp(min=0)
        weight = MOVING if self.seen else 1.0
        self.low.lerp_(low, weight)
        self.high.lerp_(high, weight)
        self.seen.fill_(1.0)


class Rounded(nn.Module):
    """A convolution or linear layer whose weights are rounded each time they are used."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.fixed = False

    def forward(self, values: Tensor) -> Tensor:
        weight = self.layer.weight
        if self.fixed:
            weight = rounded(weight, self.scale, self.zero_point)
        else:
            weight = _rounded(weight, _by_row(self.rounding(), weight), torch.zeros(()), -127, 127)
        if isinstance(self.layer, nn.Linear):
            return functional.linear(values, weight, self.layer.bias)
        return self.layer._conv_forward(values, weight, self.layer.bias)

    def rounding(self) -> Tensor:
        """The scale of every output channel: [rows of the weight]."""
        return (self.layer.weight.detach().abs().flatten(1).amax(dim=1) / 127).clamp(min=_LEAST)

    def fix(self) -> None:
        """Makes scales and zero points constants of the graph."""
        scale = self.rounding()
        self.register_buffer("scale", scale)
        self.register_buffer("zero_point", torch.zeros_like(scale, dtype=torch.int8))
        self.fixed = True


def prepared(network: nn.Module) -> fx.GraphModule:
    """A copy that rounds as above; its ranges still have to be learnt. ValueError when torch.fx cannot follow it."""
    try:
        traced = fuse(network.eval())
    except Exception as bad:  # tracing runs the author's code with stand-ins for tensors
        message = " ".join(str(bad).split())[:200]
        raise ValueError(f"torch.fx cannot follow the module, which qat needs ({message}); leave qat out") from bad
    done = set()
    for node in list(traced.graph.nodes):
        if not _is_layer(traced, node) and not _is_sum(node):
            continue
        for source in node.all_input_nodes:
            _rounded_after(traced, source, done)
        _rounded_after(traced, _with_relu(traced, node), done)
        if _is_layer(traced, node):
            _replaced(traced, str(node.target), Rounded(traced.get_submodule(str(node.target))))
    if not done:
        raise ValueError("the module has no convolution and no linear layer to quantize; leave qat out")
    traced.recompile()
    return traced


def fixed(network: nn.Module) -> nn.Module:
    """The trained network with all scales and zero points as constants, in place, in eval mode."""
    for module in network.modules():
        if isinstance(module, Activation | Rounded):
            module.fix()
    return network.eval()


def _rounded(values: Tensor, scale: Tensor, zero_point: Tensor, low: int, high: int) -> Tensor:
    steps = torch.clamp(values / scale + zero_point, low, high)
    whole = steps + (torch.round(steps) - steps).detach()
    return (whole - zero_point) * scale


def _by_row(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.dim() - 1)) if values.dim() else values


def _is_layer(traced: fx.GraphModule, node: fx.Node) -> bool:
    return node.op == "call_module" and isinstance(traced.get_submodule(str(node.target)), (*_LAYERS, Rounded))


def _is_sum(node: fx.Node) -> bool:
    return node.op == "call_function" and node.target in _SUMS and len(node.all_input_nodes) == 2


def _with_relu(traced: fx.GraphModule, node: fx.Node) -> fx.Node:
    """The ReLU after a node when that is all it goes to, else the node itself."""
    if len(node.users) != 1:
        return node
    user = next(iter(node.users))
    called = user.op == "call_module" and isinstance(traced.get_submodule(str(user.target)), nn.ReLU)
    return user if called or (user.op == "call_function" and user.target in _RELUS) else node


def _rounded_after(traced: fx.GraphModule, node: fx.Node, done: set[fx.Node]) -> None:
    """Rounds a tensor once; what is rounded already, and the network's outputs, stay."""
    leaves = any(user.op == "output" for user in node.users)
    if node in done or node.op == "get_attr" or leaves or _is_rounding(traced, node):
        return
    name = f"rounding_{len(done)}"
    traced.add_submodule(name, Activation())
    with traced.graph.inserting_after(node):
        made = traced.graph.call_module(name, (node,))
    node.replace_all_uses_with(made, delete_user_cb=lambda user: user is not made)
    done.add(node)


def _is_rounding(traced: fx.GraphModule, node: fx.Node) -> bool:
    return node.op == "call_module" and isinstance(traced.get_submodule(str(node.target)), Activation)


def _replaced(traced: fx.GraphModule, name: str, made: nn.Module) -> None:
    if isinstance(traced.get_submodule(name), Rounded):
        return
    parent, _, own = name.rpartition(".")
    setattr(traced.get_submodule(parent), own, made)
