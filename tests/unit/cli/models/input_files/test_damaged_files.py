"""A damaged file of inputs is read or refused with a sentence, whatever the model takes; nothing warns."""

import io
from functools import partial

import numpy as np
import pytest

from modelyard.cli.models.input_files.reader import read
from modelyard.errors import InvalidInput
from tests.support.artifacts.damaged import complaint, damaged


def _arrays(save):
    held = io.BytesIO()
    save(held)
    return held.getvalue()


FILES = {
    "in.csv": b"a,b,c,d\n1,2,3,4\n5,6,7,8\n",
    "in.json": b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2.5, 3, 4]}]}',
    "in.npz": _arrays(lambda held: np.savez(held, x=np.ones((2, 4), np.float32))),
    "in.npy": _arrays(lambda held: np.save(held, np.ones((2, 4)))),
}


@pytest.mark.parametrize("datatype", ["FP32", "FP16", "INT64", "UINT8", "BOOL", "BYTES"])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.filterwarnings("error")
def test_a_damaged_file_is_read_or_refused(file, taking, name, datatype):
    for shape in ((-1, 4), (4,)):
        for content in damaged(FILES[name], 15):
            said = complaint(partial(read, file(name, content), taking(datatype, *shape)), InvalidInput)

            assert not said or name in said
