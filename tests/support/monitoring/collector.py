"""The collector of the local cluster, as its add-on configures it, on free ports of this machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from localcluster.install.prerequisites import manifest
from localcluster.install.tracing import COLLECTOR
from tests.support.monitoring.live import running
from tests.support.monitoring.programs import program
from tests.support.repository.charts import one
from tests.support.servers.store import free_ports


@dataclass(frozen=True)
class RunningCollector:
    """Where it takes OTLP over gRPC, its metrics, and the file that it writes spans into."""

    address: str
    metrics: str
    log: Path

    def spans(self) -> str:
        """Every span it got, with all that it says."""
        return self.log.read_text()

    def accepted(self) -> float:
        """How many spans it has counted."""
        text = httpx.get(self.metrics, trust_env=False).text
        return sum(map(float, re.findall(r"^otelcol_receiver_accepted_spans\S*{.*} (\S+)$", text, re.MULTILINE)))


@contextmanager
def local_collector(folder: Path) -> Iterator[RunningCollector]:
    """A collector that runs until the end of the block; it is compiled when that was never done."""
    objects = list(yaml.safe_load_all(manifest("tracing.yaml", collector="image:1")))
    config = yaml.safe_load(one(objects, "ConfigMap", COLLECTOR)["data"]["collector.yaml"])
    over_grpc, over_http, metrics = free_ports(3)
    protocols = config["receivers"]["otlp"]["protocols"]
    protocols["grpc"]["endpoint"] = f"127.0.0.1:{over_grpc}"
    protocols["http"]["endpoint"] = f"127.0.0.1:{over_http}"
    [reader] = config["service"]["telemetry"]["metrics"]["readers"]
    reader["pull"]["exporter"]["prometheus"] |= {"host": "127.0.0.1", "port": metrics}
    (folder / "collector.yaml").write_text(yaml.safe_dump(config))
    log, url = folder / "collector.log", f"http://127.0.0.1:{metrics}/metrics"
    with running([program(COLLECTOR), "--config=collector.yaml"], url, log):
        yield RunningCollector(f"127.0.0.1:{over_grpc}", url, log)
