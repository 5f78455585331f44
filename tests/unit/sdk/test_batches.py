"""Parts whose answers make no whole, and who is shown a bar."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from modelyard.clients.inference.predictions import Description, TensorSpec
from modelyard.errors import InvalidInput
from modelyard.sdk import batches
from modelyard.sdk.address import ServerAddress
from modelyard.sdk.batches import Batch, in_notebook, joined
from modelyard.sdk.values import given
from modelyard.sdk.wire.calls import Call, CallKind, InferenceAnswer

MODEL = Description("rows", (TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1, 2)),))
CALL = Call(CallKind.INFER, ServerAddress("http://gateway").endpoint("rows"))
BATCH = Batch(given(np.zeros((4, 2)), MODEL), 4, [(range(2), CALL), (range(2, 4), CALL)])


def whole(*arrays: np.ndarray) -> object:
    return joined(BATCH, [InferenceAnswer({"y": array}, "", "") for array in arrays])


def test_answers_with_another_number_of_rows_make_no_whole() -> None:
    with pytest.raises(InvalidInput, match=r"y has shapes \[2, 1\] and \[1, 1\] for 2 rows each"):
        whole(np.zeros((2, 1)), np.zeros((1, 1)))


def test_answers_of_different_widths_make_no_whole() -> None:
    with pytest.raises(InvalidInput, match="rows of different shapes in y"):
        whole(np.zeros((2, 1)), np.zeros((2, 3)))


def test_only_a_notebooks_kernel_is_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_notebook()

    for config, expected in (({"IPKernelApp": {}}, True), ({"TerminalIPythonApp": {}}, False)):
        shell = SimpleNamespace(config=config)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert in_notebook() is expected


@pytest.mark.parametrize(("widgets", "kind"), [(True, "notebook"), (False, "std")])
def test_a_notebook_without_widgets_gets_a_line_of_text(
    monkeypatch: pytest.MonkeyPatch, widgets: bool, kind: str
) -> None:
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(batches, "find_spec", lambda name: object() if widgets else None)

    assert batches._bar(total=1, disable=True).__class__.__module__ == f"tqdm.{kind}"
