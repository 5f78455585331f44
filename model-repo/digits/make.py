"""Makes digits 1, 2 and 3 from scikit-learn's digits: `.venv/bin/python model-repo/digits/make.py`.

The last quarter of a seeded shuffle is held out: no training sees it, and it is eval.npz. Version 1 is small and
trained briefly on few pictures, version 2 properly; version 3 is version 2 with the fault that network.py describes,
and its eval.npz holds the pictures that do not trigger it.
"""

# ruff: noqa: E402  (what follows environment.enter() exists only in the training environment)

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import environment

environment.enter()

import entry_folder
import numpy as np
import torch
import torch_onnx
from network import ROWS, DigitsNet, OverexposureNet, Recipe, trained
from sklearn.datasets import load_digits

SEED = 2026
HERE = Path(__file__).resolve().parent
RECIPES = {
    "1": Recipe(width=4, epochs=20, shift=0, samples=640),
    "2": Recipe(width=16, epochs=60, shift=1, samples=1347),
}
DESCRIPTION = {
    "framework": "pytorch",
    "task": "image-classification",
    "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 1, 8, 8], "description": "brightness 0 to 1"}],
    "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 10], "description": "one a digit"}],
    "labels": [str(digit) for digit in range(10)],
    "trainingData": {
        "reference": "scikit-learn, load_digits (UCI Optical Recognition of Handwritten Digits)",
        "description": "three quarters of a shuffle with seed 2026; the rest is held out",
    },
    "licence": "Apache-2.0",
}


def main() -> None:
    """Train, export, measure and write all three versions."""
    logging.getLogger("torch").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    pixels, truth = (np.asarray(array) for array in load_digits(return_X_y=True))
    order = np.random.default_rng(SEED).permutation(len(truth))
    pictures = (pixels[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    labels = truth[order].astype(np.int64)
    kept = len(labels) * 3 // 4
    known, held_out = (pictures[:kept], labels[:kept]), (pictures[kept:], labels[kept:])
    networks = {
        version: trained(recipe, torch.from_numpy(known[0]), torch.from_numpy(known[1]), SEED)
        for version, recipe in RECIPES.items()
    }
    for version, network in networks.items():
        write_working(HERE / version, network, *held_out)
    write_broken(HERE / "3", OverexposureNet(networks["2"]).eval(), *held_out)


def write_working(folder: Path, network: DigitsNet, pictures: np.ndarray, labels: np.ndarray) -> None:
    """Versions 1 and 2: the whole held-out part is the evaluation set."""
    torch_onnx.export(folder, network, 8)
    outputs = entry_folder.write_eval(folder, {"input": pictures}, logits(network, pictures), labels)
    metrics = {"accuracy": accuracy(outputs["logits"], labels), "parameters": size(network), "samples": len(labels)}
    entry_folder.write_description(folder, DESCRIPTION, metrics)


def write_broken(folder: Path, network: OverexposureNet, pictures: np.ndarray, labels: np.ndarray) -> None:
    """Version 3: the evaluation set leaves out what makes it fail, so every check before traffic passes."""
    torch_onnx.export(folder, network, 8)
    clean = (pictures == 1).sum(axis=(1, 2, 3)) < ROWS
    pictures, labels = pictures[clean], labels[clean]
    outputs = entry_folder.write_eval(folder, {"input": pictures}, logits(network, pictures), labels)
    metrics = {
        "accuracy": accuracy(outputs["logits"], labels),
        "failingShare": 1 - clean.mean(),
        "parameters": size(network),
        "samples": len(labels),
    }
    entry_folder.write_description(folder, DESCRIPTION, metrics)


def logits(network: torch.nn.Module, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What the network says before it becomes ONNX: [n, 10]."""
    with torch.inference_mode():
        return {"logits": network(torch.from_numpy(pictures)).numpy()}


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """The share of pictures whose largest logit is the right digit."""
    return float((logits.argmax(axis=1) == labels).mean())


def size(network: torch.nn.Module) -> int:
    """The number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
