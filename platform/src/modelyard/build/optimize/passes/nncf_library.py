"""NNCF as the passes use it: quiet, seeded, and silent towards the network.

Without an environment variable of theirs, NNCF reports each use to its makers; it is set before the first import.
"""

import os
import random
from collections.abc import Sequence
from typing import Any

from .calibration import Feed


def nncf(seed: int) -> Any:
    """The module, with every source of chance seeded."""
    os.environ["NNCF_CI"] = "1"
    import logging

    import nncf as module
    import numpy as np

    module.set_log_level(logging.ERROR)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    return module


def settings(module: Any, feeds: Sequence[Feed], transformer: bool) -> dict[str, Any]:
    """Arguments every kind of quantization shares: for CPUs, over all feeds; transformers keep S8 weights and
    asymmetric activations, with their outliers moved into the weights (SmoothQuant)."""
    return {
        "calibration_dataset": module.Dataset(list(feeds)),
        "subset_size": len(feeds),
        "target_device": module.TargetDevice.CPU,
        "model_type": module.ModelType.TRANSFORMER if transformer else None,
        "preset": module.QuantizationPreset.MIXED,
    }
