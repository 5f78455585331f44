"""`python -m tests.bench.scaling.node_cache`: the start of a pod with and without the cache of its node, as Markdown.

* On the cluster (needs the local cluster with Modelyard): the pod of a Model with a large build is made by hand, once
  with the store as the address that its storage initializer has, once with the node's cache, in turn and the other one
  first in every second pair. Seconds from its creation to Ready, and those of the initializer, which Kubernetes tells
  in whole ones. The store is in the cluster, so this is the least that a cache can gain. The release gets
  `nodeCache.size`, and loses it afterwards.
* `--here` (needs nothing): a build is downloaded as KServe does it, from a real store behind a link of so many bits a
  second, in turn with a cache on this side of the link that has it, and with one that has not.
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from modelyard.clients.store import S3Store
from modelyard.core.names import REVISION_LABEL
from tests.bench.scaling.cold_starts import bare
from tests.support.artifacts import quantizable
from tests.support.artifacts.entries import an_entry
from tests.support.cluster.kubectl import PLATFORM, items, run
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import a_model, applied, until
from tests.support.nodes.cached_cluster import cached_nodes
from tests.support.nodes.running_cache import downloaded, put_build, running_cache, s3_client
from tests.support.nodes.slow_link import slow_link
from tests.support.servers.store import running_store

SIDES = {"store": "modelyard-store", "node": "modelyard-nodecache"}
PORTS = {"store": 8333, "node": 8334}
MEMORY = "config.build.memoryLimit=4Gi"
_ADDRESS = ("AWS_ENDPOINT_URL", "S3_ENDPOINT")
_BYTES_OF_A_UNIT = 84
_MEGABYTE = 1_000_000


def pod_of(namespace: str, megabytes: int, folder: Path) -> dict[str, Any]:
    """The pod of a Model with weights of that size, once it serves."""
    name = f"heavy-{megabytes}"
    proto = quantizable.perceptron(megabytes * _MEGABYTE // _BYTES_OF_A_UNIT)
    version = hashlib.sha256(os.urandom(8)).hexdigest()[:12]
    run("modelyard", "push", str(an_entry(folder / name, proto, name=name, version=version)), seconds=300)
    applied(a_model(name, namespace, name, version))
    revision = until(name, namespace, "Reconciling", "False", "Done", 600)["status"]["revision"]
    [pod] = items("pods", namespace, f"{REVISION_LABEL}={revision}")
    return pod


def told(pod: dict[str, Any], side: str) -> dict[str, Any]:
    """The pod with another address of the store."""
    address = f"http://{SIDES[side]}.{PLATFORM}.svc.cluster.local:{PORTS[side]}"
    containers = [
        {
            **container,
            "env": [{**row, "value": address} if row["name"] in _ADDRESS else row for row in container.get("env", [])],
        }
        for container in pod["spec"]["initContainers"]
    ]
    return {**pod, "spec": {**pod["spec"], "initContainers": containers}}


def on_the_cluster(sizes: Sequence[int], pairs: int) -> None:
    """Prints a row a size and side."""
    print("| weights, MB | downloads from | creation to Ready, median s | slowest, s | of it the initializer, mean s |")
    print("|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as scratch,
        cached_nodes(Path(scratch), "--set", MEMORY),
        a_namespace() as namespace,
    ):
        for size in sizes:
            pod = pod_of(namespace, size, Path(scratch))
            bare(namespace, told(pod, "node"))  # fetches the build, if the Model's own pod has not
            took, copied = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
            for pair in range(pairs):
                for side in sorted(SIDES, reverse=bool(pair % 2)):
                    seconds, made = bare(namespace, told(pod, side))
                    took[side].append(seconds)
                    copied[side].append(_initializer(made))
            for side in SIDES:
                median, mean = statistics.median(took[side]), statistics.mean(copied[side])
                print(f"| {size} | {side} | {median:.2f} | {max(took[side]):.2f} | {mean:.1f} |", flush=True)
            ratios = [node / store for node, store in zip(took["node"], took["store"], strict=True)]
            print(f"| {size} | node / store | {statistics.median(ratios):.2f} | {max(ratios):.2f} | |", flush=True)


def _initializer(pod: dict[str, Any]) -> float:
    """Seconds that the storage initializer ran."""
    [status] = pod["status"]["initContainerStatuses"]
    ended = status["state"]["terminated"]
    began, finished = (datetime.fromisoformat(ended[name]) for name in ("startedAt", "finishedAt"))
    return (finished - began).total_seconds()


def here(sizes: Sequence[int], megabits: Sequence[int], repeats: int) -> None:
    """Prints a row a size and link."""
    print("| build, MB | link, Mbit/s | without, median s | node has it, median s | node has not, median s |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch, running_store(Path(scratch)) as server:
        folder, bucket = Path(scratch, "downloads"), server.new_bucket()
        for size in sizes:
            store = S3Store(server.settings(bucket))
            digest = put_build(store, {"heavy/1/model.onnx": os.urandom(size * _MEGABYTE)}, f"{size:064x}")
            for rate in megabits:
                with slow_link(server.endpoint, rate * 125_000) as link:
                    took = defaultdict[str, list[float]](list)
                    settings = server.settings(bucket, "reader").model_copy(update={"endpoint": link.endpoint})
                    for turn in range(repeats):
                        with tempfile.TemporaryDirectory() as empty, running_cache(settings, Path(empty)) as cache:
                            asked = {"without": link.endpoint, "first": cache.endpoint, "again": cache.endpoint}
                            for side in (*asked,) if turn % 2 else ("first", "again", "without"):
                                client = s3_client(asked[side], "reader", "reader-secret")
                                began = time.perf_counter()
                                downloaded(client, bucket, digest, folder)
                                took[side].append(time.perf_counter() - began)
                shown = " | ".join(f"{statistics.median(took[side]):.2f}" for side in ("without", "again", "first"))
                print(f"| {size} | {rate or 'none'} | {shown} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--megabits", type=int, nargs="+", default=[0, 1000, 400])
    asked = parser.parse_args()
    if asked.here:
        here(asked.megabytes, asked.megabits, asked.pairs)
    else:
        on_the_cluster(asked.megabytes, asked.pairs)


if __name__ == "__main__":
    main()
