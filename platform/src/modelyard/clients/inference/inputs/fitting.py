"""Values with the datatype and the shape of one input of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelyard.clients.inference.predictions import TensorSpec

from .datatypes import converted
from .shapes import shaped

if TYPE_CHECKING:
    import numpy as np


def fitted(values: Any, spec: TensorSpec) -> np.ndarray:
    """`values` with the datatype and shape of `spec`; raises InvalidInput when they do not fit."""
    import numpy as np

    return np.asarray(shaped(converted(values, spec), spec), order="C")
