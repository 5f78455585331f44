"""NNCF as the passes use it: quiet, seeded, and silent towards the network."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.builder.inspection.openvino_library import hide_reporter

from . import calibration
from .calibration import Feed

SPACE: Mapping[str, Sequence[Any]] = {"ranges": ("mean", "widest"), **calibration.SPACE}
"""Parameters of every pass with NNCF; `ranges`: the mean of the samples' ranges, or the widest (small models)."""


def nncf(seed: int) -> Any:
    """The NNCF module, with Python's and numpy's random generators seeded and its logging off."""
    hide_reporter()
    import logging

    import nncf as module
    import numpy as np

    module.set_log_level(logging.ERROR)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    return module


def settings(module: Any, feeds: Sequence[Feed], settled: Mapping[str, Any], transformer: bool) -> dict[str, Any]:
    """Keyword arguments for NNCF's `quantize`: for CPUs, over all feeds, S8 weights and asymmetric activations.

    Transformers also get SmoothQuant, which moves outliers of activations into the weights.
    """
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    advanced = AdvancedQuantizationParameters()
    if settled["ranges"] == "widest":
        advanced.activations_range_estimator_params = RangeEstimatorParametersSet.MINMAX
    return {
        "calibration_dataset": module.Dataset(list(feeds)),
        "subset_size": len(feeds),
        "target_device": module.TargetDevice.CPU,
        "model_type": module.ModelType.TRANSFORMER if transformer else None,
        "preset": module.QuantizationPreset.MIXED,
        "advanced_parameters": advanced,
    }
