"""Reports of builds as builders write them."""

import json
from typing import Any

from modelyard.api.report import OptimizationSummary

WRITTEN: dict[str, Any] = {
    "format": 1,
    "digest": "sha256:" + "0" * 64,
    "model": "digits",
    "source": {"kind": "entry", "name": "digits", "version": "1", "digest": "sha256:" + "1" * 64},
    "target": "cpu",
    "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 1, 8, 8]}],
    "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 10]}],
    "opset": 18,
    "batching": {"batchable": True, "reason": "rows of a batch of 2 are those of two of 1", "maxBatchSize": 8},
    "proof": {
        "server": "Triton 2.51",
        "loadSeconds": 1.8,
        "latencyMilliseconds": 3.2,
        "largestDifference": {"logits": 0.0},
    },
    "warmup": {"path": "warmup.json"},
    "files": [{"path": "config.pbtxt", "size": 3, "sha256": "2" * 64}],
    "size": 3,
    "timings": {"inspect": 0.1},
    "builder": "0.1.0",
    "created": "2026-01-01T00:00:00Z",
}
FASTER = OptimizationSummary(
    goal="latency",
    variant="openvino-int8",
    runtime="openvino",
    precision="int8",
    speedup=3.1,
    quality_loss=0.002,
    size_ratio=0.26,
    metric="accuracy",
    quality=0.97,
    reason="It is the fastest that keeps its quality.",
    tried=9,
)


def optimized(summary: OptimizationSummary = FASTER) -> bytes:
    """The report of an optimized build."""
    return json.dumps({**WRITTEN, "optimization": summary.model_dump(by_alias=True, mode="json")}).encode()
