"""ONNX models that take a while, made on the spot."""

from itertools import pairwise
from typing import Any

import numpy as np

from tests.support.artifacts import onnx_models as models


def perceptron(columns: int, hidden: int, seed: int = 1) -> Any:
    """Two hidden layers of this width and ten outputs."""
    draw = np.random.default_rng(seed)
    widths = (columns, hidden, hidden, 10)
    nodes, weights, last = [], [], "x"
    for at, (rows, width) in enumerate(pairwise(widths)):
        weights.append(models.numpy_helper.from_array(draw.standard_normal((rows, width), np.float32) / 50, f"w{at}"))
        nodes.append(models.helper.make_node("MatMul", [last, f"w{at}"], [f"m{at}"]))
        last = "y" if at == 2 else f"r{at}"
        nodes.append(models.helper.make_node("Identity" if at == 2 else "Relu", [f"m{at}"], [last]))
    return models.model(nodes, [models.value("x", ("n", columns))], [models.value("y", ("n", 10))], weights)


def convolutions(channels: int, layers: int, seed: int = 1) -> Any:
    """A net of 3x3 convolutions over images of 16 x 16, which computes far more than it reads."""
    draw = np.random.default_rng(seed)
    widths = (1, *[channels] * layers)
    nodes, weights, last = [], [], "x"
    for at, (before, after) in enumerate(pairwise(widths)):
        kernel = draw.standard_normal((after, before, 3, 3)).astype(np.float32) / (3 * before)
        weights.append(models.numpy_helper.from_array(kernel, f"w{at}"))
        nodes.append(models.helper.make_node("Conv", [last, f"w{at}"], [f"c{at}"], pads=[1, 1, 1, 1]))
        last = "y" if at == layers - 1 else f"r{at}"
        nodes.append(models.helper.make_node("Relu", [f"c{at}"], [last]))
    nodes.append(models.helper.make_node("GlobalAveragePool", ["y"], ["z"]))
    images = models.value("x", ("n", 1, 16, 16))
    return models.model(nodes, [images], [models.value("z", ("n", channels, 1, 1))], weights)
