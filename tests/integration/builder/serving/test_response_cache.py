"""Answers that a real Triton keeps: given again over HTTP and gRPC, and refused where they depend on chance."""

import subprocess
import sys
from pathlib import Path

import httpx
import onnx
import pytest
from onnx import TensorProto, helper

from modelyard.builder.artifacts.assemble import ProgressSteps
from modelyard.builder.artifacts.publish import publish
from modelyard.builder.optimization.results.publish import publish as publish_optimized
from modelyard.builder.triton.install import triton_home
from modelyard.builder.tuning.publish import publish_tuned
from modelyard.clients.metrics.response_cache import CacheCounts, counted
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_repository, build_warmup
from modelyard.errors import UnsupportedModel
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.artifacts.optimizable import SMALLER
from tests.support.servers.store import StoreServer, free_ports
from tests.support.servers.triton_homes import running

_ASK_OVER_GRPC = """
import sys
import numpy as np
from tritonclient import grpc
client = grpc.InferenceServerClient(sys.argv[1])
described = client.get_model_metadata("toy").inputs
inputs = []
for each in described:
    value = np.ones([max(1, size) for size in each.shape], np.float32)
    inputs.append(grpc.InferInput(each.name, value.shape, each.datatype))
    inputs[-1].set_data_from_numpy(value)
for _ in range(200):
    client.infer("toy", inputs)
"""


def test_what_was_asked_before_is_answered_from_memory(store_server: StoreServer, tmp_path: Path) -> None:
    store = S3Store(store_server.settings(store_server.new_bucket()))
    registry = BucketRegistry(store)
    entry = registry.push(an_entry(tmp_path / "toy")).entry
    report = publish_tuned(entry, "toy", None, store, lambda to: registry.fetch(entry, to), ProgressSteps(), cache=True)
    assert report.optimization is not None
    assert report.optimization.cached
    for file in report.files:
        target = tmp_path / "repository" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        store.download(build_repository(report.digest) + file.path, target)
    body = store.get(build_warmup(report.digest))
    home, port = triton_home(), free_ports(1)[0]
    options = (
        "--cache-config=local,size=16000000", f"--cache-directory={home / 'caches'}", "--allow-metrics=true",
        f"--metrics-port={port}",
    )  # fmt: skip

    with running(home, tmp_path / "repository", "toy", tmp_path / "log", options=options) as server:
        length = report.warmup.header_length
        headers = {} if length is None else {"Inference-Header-Content-Length": str(length)}
        url = f"{server.url}/v2/models/toy/infer"
        answers = {httpx.post(url, content=body, headers=headers, trust_env=False).content for _ in range(3)}
        over_http = counted(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)
        words = [sys.executable, "-c", _ASK_OVER_GRPC, f"127.0.0.1:{server.grpc_port}"]
        subprocess.run(words, check=True, timeout=120)
        over_both = counted(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)

    assert len(answers) == 1
    assert over_http == CacheCounts(2, 1)
    assert over_both.hits - over_http.hits >= 199


def test_answers_of_chance_are_not_kept(store_server: StoreServer, tmp_path: Path) -> None:
    store = S3Store(store_server.settings(store_server.new_bucket()))
    registry = BucketRegistry(store)
    noise = helper.make_node("RandomNormalLike", ["x"], ["noise"])
    added = helper.make_node("Add", ["x", "noise"], ["y"])
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2]) for name in ("x", "y")]
    graph = helper.make_graph([noise, added], "chance", ports[:1], ports[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(proto)
    entry = registry.push(an_entry(tmp_path / "toy", proto)).entry

    with pytest.raises(UnsupportedModel, match="y of this model depends on chance"):
        publish_tuned(entry, "toy", None, store, lambda to: registry.fetch(entry, to), ProgressSteps(), cache=True)


def test_what_its_author_calls_not_deterministic_is_served_and_refused_before_anything_is_made(
    store_server: StoreServer, tmp_path: Path
) -> None:
    store, said = S3Store(store_server.settings(store_server.new_bucket())), list[str]()
    registry = BucketRegistry(store)
    entry = registry.push(an_entry(tmp_path / "toy", deterministic=False)).entry
    fetch = lambda folder: registry.fetch(entry, folder)  # noqa: E731

    for made in (
        lambda: publish_tuned(entry, "toy", None, store, fetch, ProgressSteps(said.append), cache=True),
        lambda: publish_optimized(entry, "toy", SMALLER, store, fetch, ProgressSteps(said.append), cache=True),
    ):
        with pytest.raises(UnsupportedModel, match=r"modelyard\.yaml of toy:1 says deterministic: false: .* remove"):
            made()
    assert said == []

    report = publish(entry, "toy", "cpu", store, fetch, ProgressSteps())

    assert report.proof is not None
    assert report.proof.largest_difference == {}
    assert not report.batching.batchable
