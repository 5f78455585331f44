"""How long a sync with MLflow takes, and what a round without news costs: platform/docs/benchmarks/mlflow.md.

    MODELYARD_MLFLOW_PYTHON=PYTHON python -m tests.bench.registry.mlflow [MODELS [ROUNDS]]     (500, 10)

A real MLflow server with SQLite and a real store on this machine; every model has one version of 90 kB and an alias.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from modelyard.clients.mlflow import MlflowServer
from modelyard.clients.store import S3Store
from modelyard.mlflow_settings import MlflowSettings
from modelyard.mlflow_sync.synchronizer import Synchronizer, SyncOptions
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files
from tests.support.servers.mlflow.real import real_mlflow
from tests.support.servers.store import running_store


def main(models: int, rounds: int) -> None:
    """Prints the table as Markdown."""
    with TemporaryDirectory() as scratch:
        folders = [Path(scratch, name) for name in ("mlflow", "store")]
        for folder in folders:
            folder.mkdir()
        with real_mlflow(folders[0]) as mlflow, running_store(folders[1]) as store:
            user, files = MlflowUser(mlflow.url), onnx_files(a_layer())
            began = time.monotonic()
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda number: _registered(user, f"model-{number:04d}", files), range(models)))
            print(f"{models} models registered in {time.monotonic() - began:.0f} s\n", flush=True)
            server, bucket = MlflowServer(MlflowSettings(url=mlflow.url)), S3Store(store.settings(store.new_bucket()))
            _measured(server, bucket, models, rounds)


def a_layer() -> Any:
    """A model of 90 kB: 150 x 150 weights."""
    weights = numpy_helper.from_array(np.ones((150, 150), np.float32), "w")
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 150]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ports[:1], ports[1:], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _registered(user: MlflowUser, name: str, files: dict[str, bytes]) -> None:
    user.register(name, files)
    user.set_alias(name, "champion", "1")


def _measured(server: MlflowServer, bucket: S3Store, models: int, rounds: int) -> None:
    synchronizer = Synchronizer(server, bucket, SyncOptions())
    print("| round | wall s | CPU s of the sync |\n|---|---|---|")
    for name, times in (("first, all of them new", 1), ("nothing new", rounds)):
        took = [_timed(synchronizer, models) for _ in range(times)]
        wall, cpu = (median(column) for column in zip(*took, strict=True))
        print(f"| {name} | {wall:.3f} | {cpu:.3f} |", flush=True)
    wall, cpu = _timed(Synchronizer(server, bucket, SyncOptions()), models)
    print(f"| after a restart, all of them here | {wall:.3f} | {cpu:.3f} |", flush=True)


def _timed(synchronizer: Synchronizer, models: int) -> tuple[float, float]:
    wall, cpu = time.monotonic(), time.process_time()
    summary = synchronizer.round(None)
    synchronizer.beat(30)
    assert (summary.names, summary.refused, summary.missing) == (models, [], [])
    return time.monotonic() - wall, time.process_time() - cpu


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [500, 10][len(numbers) :]))
