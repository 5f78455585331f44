"""A whole operator in a process of its own, and what it costs: CPU seconds, memory, writes and passes."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

import modelyard
from modelyard.settings import Settings

_TICKS = os.sysconf("SC_CLK_TCK")
_PROGRAM = "from modelyard.cli.main import run; run()"
_IMAGE = {"MALLOC_ARENA_MAX": "2"}
"""What the operator's image sets."""


class Cost(NamedTuple):
    """What an operator has used since it began: CPU seconds, KiB of memory, writes by verb and kind, passes."""

    cpu: float
    memory: int
    writes: dict[str, int]
    passes: dict[str, int]

    def since(self, before: "Cost") -> "Cost":
        """What was used between the two; memory is the later one's."""
        return Cost(
            self.cpu - before.cpu, self.memory, _less(self.writes, before.writes), _less(self.passes, before.passes)
        )


def _less(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: number - before.get(name, 0) for name, number in now.items() if number != before.get(name, 0)}


@dataclass(frozen=True)
class RunningOperator:
    """One that runs; `port` is that of its metrics."""

    process: "subprocess.Popen[bytes]"
    port: int

    def cpu(self) -> float:
        """CPU seconds of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def cost(self) -> Cost:
        """What it has used so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        writes, passes = dict[str, int](), dict[str, int]()
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=30, trust_env=False).text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "modelyard_writes_total":
                    writes[f"{sample.labels['verb']} {sample.labels['kind']}"] = int(sample.value)
                elif sample.name == "modelyard_reconcile_seconds_count":
                    passes[sample.labels["outcome"]] = int(sample.value)
        return Cost(self.cpu(), memory, writes, passes)

    def ready(self) -> bool:
        """Whether it leads with a complete cache."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=30, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.text == "leading\n"

    def quiet(self, still: float = 5.0, longest: float = 600.0) -> tuple[float, Cost]:
        """Waits until it has neither written nor passed over a Model for `still` seconds; when that began, and cost."""
        known, since = self.cost(), time.monotonic()
        end = since + longest
        while time.monotonic() < min(end, since + still):
            time.sleep(0.25)
            now = self.cost()
            if (now.writes, now.passes) != (known.writes, known.passes):
                known, since = now, time.monotonic()
        return since, self.cost()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _values(settings: Settings) -> dict[str, Any]:
    """As the chart's `config:` has them."""
    values = json.loads(settings.model_dump_json(by_alias=True))
    values["store"]["secretAccessKey"] = settings.store.secret_access_key.get_secret_value()
    return values


@contextmanager
def running(
    settings: Settings, kubeconfig: Path, folder: Path, source: str = "", identity: str = "one"
) -> Iterator[RunningOperator]:
    """An operator; its log is in `folder`. `source` is the folder of another version of Modelyard to run."""
    port = _free_port()
    operator = settings.operator.model_copy(update={"metrics_port": port, "identity": identity})
    file = folder / "operator.yaml"
    file.write_text(yaml.safe_dump(_values(settings.model_copy(update={"operator": operator}))))
    file.chmod(0o600)
    own = str(Path(modelyard.__file__).parents[1])
    access = {"MODELYARD_CONFIG": str(file), "KUBECONFIG": str(kubeconfig)}
    environment = {**os.environ, **_IMAGE, **access, "PYTHONPATH": source or own}
    with (folder / "operator.log").open("ab") as log:
        command = [sys.executable, "-c", _PROGRAM, "operator"]
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        yield RunningOperator(process, port)
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
