"""Makes resnet18-digits 1 from scikit-learn's digits: `.venv/bin/python model-repo/resnet18-digits/make.py`.

Trains the network of 1/training/module.py on 1/training/data.py, writes the weights that the recipe beside them
starts from, and the entry. Takes a few minutes on two cores.
"""

# ruff: noqa: E402  (what follows environment.enter() exists only in the training environment)

import logging
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "1"
sys.path[:0] = [str(HERE.parent), str(FOLDER / "training")]

import environment

environment.enter()

import entry_folder
import numpy as np
import torch
import torch_onnx
from data import FILE, SIDE, load
from module import Network
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch.nn import functional

SEED, EPOCHS, BATCH, RATE = 2026, 3, 64, 2e-3
DESCRIPTION = {
    "framework": "pytorch",
    "task": "image-classification",
    "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 1, SIDE, SIDE], "description": "brightness 0 to 1"}],
    "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 10], "description": "one a digit"}],
    "labels": [str(digit) for digit in range(10)],
    "trainingData": {
        "reference": "scikit-learn, load_digits (UCI Optical Recognition of Handwritten Digits)",
        "description": "three quarters of a shuffle with seed 2026, enlarged to 32x32; the rest is held out",
    },
    "licence": "Apache-2.0",
}


def main() -> None:
    """Train, export, measure and write."""
    pixels, digits = load_digits(return_X_y=True)
    np.savez_compressed(FILE, pixels=pixels.astype(np.uint8), labels=digits.astype(np.int64))
    logging.getLogger("torch").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    network = trained(*load("train"))
    save_file(network.state_dict(), FOLDER / "training" / "weights.safetensors")
    torch_onnx.export(FOLDER, network, SIDE)
    pictures, labels = load("held-out")
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures)).numpy()
    answered = entry_folder.write_eval(FOLDER, {"input": pictures}, {"logits": expected}, labels)
    metrics = {
        "accuracy": float((answered["logits"].argmax(axis=1) == labels).mean()),
        "millionParameters": sum(parameter.numel() for parameter in network.parameters()) / 1e6,
        "samples": len(labels),
    }
    entry_folder.write_description(FOLDER, DESCRIPTION, metrics)


def trained(pictures: np.ndarray, labels: np.ndarray) -> Network:
    """The network after EPOCHS over pictures [n, 1, 32, 32] and labels [n]; the same for the same seed."""
    torch.manual_seed(SEED)
    network, inputs, targets = Network(), torch.from_numpy(pictures), torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    steps = EPOCHS * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        began, losses = time.monotonic(), []
        for chosen in torch.randperm(len(inputs)).split(BATCH):
            loss = functional.cross_entropy(network(inputs[chosen]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


if __name__ == "__main__":
    main()
