"""scikit-learn's digits as pictures of 32x32: three quarters of a seeded shuffle to learn from, the rest held out.

They lie beside this file, because whoever trains has torch and numpy and need not have scikit-learn. The split is
that of the entry `digits`. Pictures keep 256 levels, as from a file, so that the held-out ones compress.
"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

FILE = Path(__file__).with_name("digits.npz")
SEED, SIDE, CALIBRATION, SHIFTS = 2026, 32, 128, ((0, 0), (1, -1), (-1, 1))


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [n, 1, 32, 32] in 0..1, float32, and their digits [n], int64.

    "train" holds every picture three times, two of them shifted by one of the original's pixels; "calibration" is
    128 others and "held-out" 450 more, which no training sees. ValueError for another name.
    """
    with np.load(FILE) as digits:
        pixels, truth = digits["pixels"], digits["labels"]
    order = np.random.default_rng(SEED).permutation(len(truth))
    small, labels = (pixels[order] / 16).astype(np.float32).reshape(-1, 1, 8, 8), truth[order].astype(np.int64)
    kept = len(labels) * 3 // 4
    if split == "held-out":
        return _large(small[kept:]), labels[kept:]
    known = kept - CALIBRATION
    if split == "calibration":
        return _large(small[known:kept]), labels[known:kept]
    if split != "train":
        raise ValueError(f"there is no split {split!r}; there are train, calibration and held-out.")
    moved = [_moved(small[:known], *by) for by in SHIFTS]
    return _large(np.concatenate(moved)), np.tile(labels[:known], len(SHIFTS))


def _large(small: np.ndarray) -> np.ndarray:
    grown = functional.interpolate(torch.from_numpy(small), (SIDE, SIDE), mode="bilinear")
    return (torch.round(grown * 255) / 255).numpy()


def _moved(small: np.ndarray, down: int, right: int) -> np.ndarray:
    padded = np.pad(small, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return padded[:, :, 1 + down : 9 + down, 1 + right : 9 + right]
