"""Replicas of the operator as programs of their own, started as the image starts them."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from modelyard.core.snapshot import Ref
from modelyard.operator.leader_election import LEASE_NAME
from tests.support.operator.bench import Bench

MODELYARD = Path(sys.executable).with_name("modelyard")


@contextlib.contextmanager
def replica(
    bench: Bench, name: str, lease_seconds: float, kubeconfig: Path | None = None
) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """`modelyard operator`, with its log; `kubeconfig` is another way to the API server than the bench's own."""
    store = bench.settings.store
    options = {"namespace": bench.settings.operator.namespace, "leaseSeconds": lease_seconds, "metricsPort": 0}
    config = {
        "store": {"endpoint": store.endpoint, "bucket": store.bucket},
        "gateway": {"namespace": bench.settings.gateway.namespace, "url": bench.settings.gateway.url},
        "serving": {"drainSeconds": 0.3, "settleSeconds": 0.1},
        "operator": options,
    }
    path, log = bench.folder / f"{name}.yaml", bench.folder / f"{name}.log"
    path.write_text(yaml.safe_dump(config))
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig or bench.kubeconfig),
        "MODELYARD_CONFIG": str(path),
        "MODELYARD_OPERATOR_IDENTITY": name,
        "MODELYARD_STORE_ACCESS_KEY_ID": store.access_key_id,
        "MODELYARD_STORE_SECRET_ACCESS_KEY": store.secret_access_key.get_secret_value(),
    }
    with log.open("wb") as sink:
        process = subprocess.Popen([str(MODELYARD), "operator"], env=environment, stderr=sink)
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def holder(bench: Bench) -> str:
    """Who holds the Lease; empty when nobody does."""
    found = bench.cluster.get(Ref("Lease", bench.settings.operator.namespace, LEASE_NAME))
    return found["spec"].get("holderIdentity", "") if found else ""


def said(log: Path) -> list[dict[str, Any]]:
    """What a replica logged, line by line."""
    return [json.loads(line) for line in log.read_text().splitlines()]
