"""Every type of tensor through both onnxruntime backends: what comes back is bit for bit what was sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.triton.server import TritonServer
from modelyard.clients.inference.predictions import Endpoint, connect, datatype
from tests.support.artifacts import onnx_models as models
from tests.support.servers.questions import ask, data
from tests.support.servers.triton_homes import running, save_for_triton

KINDS = {
    np.float32: 1, np.uint8: 2, np.int8: 3, np.uint16: 4, np.int16: 5, np.int32: 6, np.int64: 7, np.bool_: 9,
    np.float16: 10, np.float64: 11, np.uint32: 12, np.uint64: 13,
}  # fmt: skip
"""Types of numbers, and what ONNX calls them."""
WORDS = ["", "grün", "𝔐odel", "\0", "a" * 70_000, '{"json": "\\"}']


def every_kind(without: str = "") -> Any:
    """One input of each type, of three numbers a row, and one output each that is the same."""
    kinds = {kind.__name__.strip("_"): number for kind, number in KINDS.items()} | {"text": models.STRING}
    kinds.pop(without, None)
    nodes = [models.helper.make_node("Identity", [name], [f"{name}_out"]) for name in kinds]
    inputs = [models.value(name, ("n", 3), number) for name, number in kinds.items()]
    return models.model(
        nodes, inputs, [models.value(f"{name}_out", ("n", 3), number) for name, number in kinds.items()]
    )


def rows(count: int) -> dict[str, np.ndarray]:
    """`count` rows of every type, the extremes among them."""
    draw = np.random.default_rng(count)
    feed: dict[str, np.ndarray] = {}
    for kind in KINDS:
        size = (count, 3)
        if kind is np.bool_:
            array = draw.random(size) < 0.5
        elif np.issubdtype(kind, np.integer):
            limits = np.iinfo(kind)
            array = draw.integers(limits.min, limits.max, size, dtype=kind, endpoint=True)
            array.flat[:2] = limits.min, limits.max
        else:
            array = draw.standard_normal(size).astype(kind)
            array.flat[:3] = np.inf, -0.0, np.finfo(kind).tiny
        feed[kind.__name__.strip("_")] = array
    feed["text"] = np.array([WORDS[at % len(WORDS)] for at in range(3 * count)], np.object_).reshape(count, 3)
    return feed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[TritonServer]:
    root = tmp_path_factory.mktemp("kinds")
    save_for_triton(every_kind(), "max_batch_size: 16\n", root / "repository" / "kinds")
    save_for_triton(every_kind("float16"), "max_batch_size: 16\n", root / "repository" / "without-halves")
    with running(home, root / "repository", "kinds", root / "triton.log") as started:
        yield started


@pytest.mark.parametrize("count", [1, 2, 16])
@pytest.mark.parametrize("grpc", [False, True], ids=["http", "grpc"])
def test_every_type_comes_back_bit_for_bit(server: TritonServer, count: int, grpc: bool) -> None:
    address = f"http://127.0.0.1:{server.grpc_port}" if grpc else server.url
    client = connect(Endpoint(address, "kinds", ""), grpc=grpc)
    sent = rows(count)

    try:
        outputs = client.predict(sent).outputs
    finally:
        client.close()

    assert set(outputs) == {f"{name}_out" for name in sent}
    for name, array in sent.items():
        got = outputs[f"{name}_out"]
        if name == "text":
            assert [_text(word) for word in got.ravel()] == list(array.ravel())
            continue
        assert got.dtype == array.dtype
        assert got.tobytes() == array.tobytes(), name


def test_json_says_what_the_bytes_say(server: TritonServer) -> None:
    """Halves are left out: Triton reads them as bytes alone."""
    sent = rows(2)
    del sent["float16"]
    for name in ("float32", "float64"):  # JSON has no infinity
        sent[name][~np.isfinite(sent[name])] = 0.1
    inputs = [
        {"name": name, "datatype": datatype(array), "shape": [2, 3], "data": array.ravel().tolist()}
        for name, array in sent.items()
    ]

    got = data(ask(server, "without-halves", *inputs))

    assert set(got) == {f"{name}_out" for name in sent}
    for name, array in sent.items():
        values = got[f"{name}_out"]
        if name == "float64":  # Triton writes fewer digits than a double has
            assert values == pytest.approx(array.ravel().tolist(), rel=1e-5)
        elif name == "float32":
            assert np.array(values, np.float32).tobytes() == array.tobytes()
        else:
            assert values == array.ravel().tolist()


def _text(word: Any) -> str:
    return word.decode() if isinstance(word, bytes) else str(word)
