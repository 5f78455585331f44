"""A file is changed only where the runtimes that serve it would refuse it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from modelyard.builder.artifacts.served_form import make_servable
from modelyard.builder.artifacts.validation import gather
from tests.support.artifacts import onnx_models as models

node = models.helper.make_node


def texts(**attributes: str) -> Any:
    lower = node("StringNormalizer", ["text"], ["same"], case_change_action="LOWER", **attributes)
    return models.model([lower], [models.value("text", ("n",), 8)], [models.value("same", ("n",), 8)])


def test_two_nodes_of_one_name_are_no_reason_to_refuse_a_model(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["r"], name="jit/relu"), node("Relu", ["r"], ["y"], name="jit/relu")]
    path = models.saved(
        models.model(nodes, [models.value("x", ("n", 3))], [models.value("y", ("n", 3))]), tmp_path / "model.onnx"
    )

    make_servable(path)

    assert gather(tmp_path)["batchable"]


@pytest.mark.parametrize("attributes", [{}, {"locale": "en_US"}])
def test_texts_change_their_case_in_a_locale_that_every_image_has(tmp_path: Path, attributes: dict[str, str]) -> None:
    path = models.saved(texts(**attributes), tmp_path / "model.onnx")
    np.savez(tmp_path / "eval.npz", text=np.array(["ÄPFEL", "Pie"]), same=np.array(["äpfel", "pie"]))

    make_servable(path)

    assert gather(tmp_path)["quality"]["rows"] == 2


@pytest.mark.parametrize("proto", [texts(locale="C.UTF-8"), models.doubling()], ids=["a locale of its own", "numbers"])
def test_whatever_can_be_served_stays_as_it_is(tmp_path: Path, proto: onnx.ModelProto) -> None:
    path = models.saved(proto, tmp_path / "model.onnx")
    before = path.read_bytes()

    make_servable(path)

    assert path.read_bytes() == before
