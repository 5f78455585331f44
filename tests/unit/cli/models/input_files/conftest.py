"""Files as people have them, and models that take them."""

import json

import numpy as np
import pytest

from modelyard.clients.inference.predictions import Description, TensorSpec


@pytest.fixture
def file(tmp_path):
    """Writes a file: text, bytes, arrays by name for .npz, an array for .npy, anything else as JSON."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif name.endswith(".npz"):
            np.savez(path, **content)
        elif name.endswith(".npy"):
            np.save(path, content)
        else:
            path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def taking():
    """A model's description: `taking("FP32", -1, 4)` has one input x; with names, one input each."""

    def describe(datatype, *shape, names=("x",)):
        return Description("m", tuple(TensorSpec(name, datatype, shape) for name in names), ())

    return describe
