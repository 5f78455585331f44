"""What a gateway, an operator, Tritons, a kubelet, an evaluator and a recorder say of three Models, on one port.

What the exporter writes are the series of Envoy, Triton and cAdvisor that rules and dashboards read, with counters that
rise at the same rates for ever; what operator, evaluator and recorder say is written by their own collectors.

| Model of monitored | requests/s | fail | promised |
|---|---|---|---|
| digits, recorded | 50 | half | 1 % may fail, p99 within 100 ms (5 % take longer), 99.9 % of the time |
| iris | 40 | 1.5 % | 1 % may fail |
| quiet | 10 | none | 1 % may fail |
"""

import contextlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from modelyard.core.conditions import timestamp
from modelyard.core.slo.objectives import LATENCY_BOUNDS_MS
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.settings import PriceSettings
from tests.support.monitoring.recorded_rows import RecordedRows, monitoring_status, retraining_status

NAMESPACE = "monitored"
SLO: dict[str, Any] = {
    "errorRate": "1%",
    "latency": {"percentile": 99, "threshold": "100ms"},
    "availability": "99.9%",
}
_FEW = {"errorRate": "1%"}
MODELS: dict[str, tuple[float, float, dict[str, Any]]] = {
    "digits": (50, 0.5, SLO),
    "iris": (40, 0.015, _FEW),
    "quiet": (10, 0.0, _FEW),
}
"""Name -> requests a second, share that fails, promises."""
_SLOW = 0.05


def revision(model: str) -> str:
    """The revision of a Model that serves."""
    return f"{model}-0123456789"


def _line(name: str, value: float, **labels: str) -> str:
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{pairs}}} {value:.6f}"


def gateway_text(seconds: float) -> str:
    """What an Envoy says after so many seconds."""
    lines = ["envoy_server_live 1"]
    for model, (rate, share, _) in MODELS.items():
        cluster = {"envoy_cluster_name": f"httproute/{NAMESPACE}/{model}/rule/0/backend/0"}
        count = rate * seconds
        for code, part in (("2", 1 - share), ("5", share)):
            if part:
                labels = {**cluster, "envoy_response_code_class": code}
                lines.append(_line("envoy_cluster_upstream_rq_xx", count * part, **labels))
        for bound in LATENCY_BOUNDS_MS:
            within = count * (1.0 if bound > 150 else 1 - _SLOW if bound >= 20 else bound / 40)
            lines.append(_line("envoy_cluster_upstream_rq_time_bucket", within, le=f"{bound:g}", **cluster))
        lines.append(_line("envoy_cluster_upstream_rq_time_bucket", count, le="+Inf", **cluster))
        lines.append(_line("envoy_cluster_upstream_rq_time_count", count, **cluster))
        lines.append(_line("envoy_cluster_upstream_rq_active", 3, **cluster))
    return "\n".join(lines) + "\n"


def triton_text(model: str, seconds: float) -> str:
    """What a Triton says: batches of four, 2 ms in the queue and 5 ms of computing for each request."""
    count = MODELS[model][0] * seconds
    of_model, gpu = {"model": model, "version": "1"}, {"gpu_uuid": "GPU-1"}
    counted = {"request_success": 1, "count": 1, "exec_count": 0.25, "queue_duration_us": 2e3}
    lines = [_line(f"nv_inference_{name}", count * each, **of_model) for name, each in counted.items()]
    lines.append(_line("nv_inference_compute_infer_duration_us", count * 5e3, **of_model))
    lines.append(_line("nv_inference_pending_request_count", 1, **of_model))
    lines += [_line("nv_gpu_utilization", 0.4, **gpu), _line("nv_gpu_memory_used_bytes", 2e9, **gpu)]
    return "\n".join(lines) + "\n"


def kubelet_text(seconds: float) -> str:
    """What a kubelet's cAdvisor says: 0.3 cores and 500 MB of every model's pod."""
    lines = []
    for model in MODELS:
        place = {"namespace": NAMESPACE, "pod": pod(model), "container": "kserve-container"}
        lines.append(_line("container_cpu_usage_seconds_total", 0.3 * seconds, **place))
        lines.append(_line("container_memory_working_set_bytes", 5e8, **place))
    return "\n".join(lines) + "\n"


def pod(model: str) -> str:
    """The pod of a Model's revision, as Kubernetes names it."""
    return f"{revision(model)}-predictor-5d8f9c7b6d-x2x4z"


def _operator() -> ControllerMetrics:
    """The operator's own collector over a cache with the Models; digits has a rollout under way, iris had one."""
    cache = ObjectCache()
    prices = PriceSettings(cpu_core_hour=0.04, memory_gib_hour=0.005, gpu_hour=1.5)
    requests = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}
    pods = {"containers": [{"name": "kserve-container", "resources": {"requests": requests}}]}
    now = time.time()
    gate = {"name": "errors", "verdict": "CONTINUE", "requests": 900, "failedRequests": 4, "evidenceAgainst": 3.0}
    gate |= {"failThreshold": 100.0, "evidenceFor": 40.0, "passThreshold": 90.0}
    ratio = {"name": "sampleRatio", "verdict": "CONTINUE", "requests": 100, "stableRequests": 900}
    ended = {"revision": "iris-1", "version": "1", "strategy": "Canary", "outcome": "Promoted", "reason": "Promoted"}
    ended |= {"message": "", "startTime": timestamp(now - 500), "endTime": timestamp(now + 1)}
    rollouts = {
        "digits": {"phase": "Analyzing", "reason": "Analyzing", "weight": 10, "requests": 100, "gates": [gate, ratio]},
        "iris": {"phase": "Idle", "reason": "", "history": [ended]},
        "quiet": {"phase": "Idle", "reason": ""},
    }
    for number, (model, (_, _, slo)) in enumerate(MODELS.items()):
        meta = {"namespace": NAMESPACE, "resourceVersion": "1", "labels": {"modelyard.dev/model": model}}
        serving = {"name": revision(model), "slot": "a", "digest": "sha256:1", "version": "1", "runtime": "r"}
        serving |= {"stage": "Serving", "weight": 100, "stageStartTime": timestamp(now - 3600)}
        ready = {"type": "Ready", "status": "True"}
        status = {"conditions": [ready], "revisions": [serving], "rollout": rollouts[model]}
        if model == "digits":
            status["monitoring"] = monitoring_status(revision(model), now)
            status["retraining"] = retraining_status(revision(model), now)
        metadata = {**meta, "name": model, "uid": f"model-{number}"}
        cache.put({"kind": "Model", "metadata": metadata, "spec": {"slo": slo}, "status": status})
        metadata = {**meta, "name": f"{revision(model)}-predictor", "uid": f"deployment-{number}"}
        spec = {"replicas": 2, "template": {"spec": pods}}
        there = {"replicas": 2, "readyReplicas": 2}
        cache.put({"kind": "Deployment", "metadata": metadata, "spec": spec, "status": there})
    metrics = ControllerMetrics(cache, lambda: 0, lambda: True, prices)
    for outcome in ("settled", "changed"):
        metrics.reconcile_seconds.labels(outcome).observe(0.01)
    metrics.wrote("apply", "HTTPRoute")
    metrics.saw("Pod")
    metrics.built("succeeded", 30.0)
    metrics.warmed(True)
    metrics.scraped(0.02, True)
    return metrics


class Exporter:
    """Everything that is scraped, on one port."""

    def __init__(self) -> None:
        self._began, self._operator = time.monotonic(), _operator()
        self._recorded = RecordedRows(NAMESPACE, "digits", revision("digits"), time.time())
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def text(self, path: str) -> str:
        """The exposition at a path; empty where nothing is."""
        seconds = time.monotonic() - self._began
        part, _, model = path.strip("/").partition("/")
        if part == "operator":
            self._operator.wrote("apply", "HTTPRoute")
            self._operator.reconcile_seconds.labels("settled").observe(0.01)
            return self._operator.text().decode()
        if part in ("evaluator", "recorder"):
            return self._recorded.text(part)
        if part == "triton":
            return triton_text(model, seconds)
        return {"gateway": gateway_text, "kubelet": kubelet_text}[part](seconds)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        text = self.text

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = text(self.path.partition("?")[0]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # a scrape that was given up
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler
