"""Builds a TensorRT plan, in a process of its own: without a GPU the library crashes instead of raising.

    python -m modelyard.builder.optimization.passes.tensorrt_builder JOB RESULT

First the NVIDIA driver is asked through its own library which GPU there is, and only then is TensorRT imported.
The network is strongly typed: precision is what the ONNX graph says (fp16 weights, or QDQ pairs for int8), so
nothing is lowered behind anybody's back. RESULT holds the facts, or {"error": sentence}.
"""

import json
import sys
from pathlib import Path
from typing import Any

from modelyard.builder.inference.gpu import NoGpu, first_gpu
from modelyard.builder.inference.tensorrt_plan import FACTS, PLAN, TIMING_CACHE, PlanFacts


def build(job: dict[str, Any]) -> PlanFacts:
    """Writes model.plan, model.json and timing.cache into job["folder"]; gives what model.json says.

    `job` holds model, folder, precision, profiles (least, usual and largest shape by input), workspace (bytes) and
    timing_cache. Raises NoGpu, or RuntimeError when TensorRT cannot read or build the model.
    """
    gpu = first_gpu()
    try:
        import tensorrt as trt  # pyright: ignore[reportMissingImports]
    except ImportError as absent:
        raise NoGpu(f"{gpu.name} is here and TensorRT is not; install it from NVIDIA's index.") from absent
    folder = Path(job["folder"])
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    typed = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)  # the only kind since TensorRT 11
    network = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(job["model"]):
        message = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise RuntimeError(f"TensorRT cannot read the model: {message}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, int(job["workspace"]))
    cache = config.create_timing_cache(_bytes(job["timing_cache"]))
    config.set_timing_cache(cache, ignore_mismatch=False)
    if job["profiles"]:
        profile = builder.create_optimization_profile()
        for name, (least, usual, largest) in job["profiles"].items():
            profile.set_shape(name, tuple(least), tuple(usual), tuple(largest))
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise RuntimeError("TensorRT built no plan; its log above says why.")
    (folder / PLAN).write_bytes(bytes(plan))
    (folder / TIMING_CACHE).write_bytes(bytes(config.get_timing_cache().serialize()))
    facts = PlanFacts(
        tensorrt=trt.__version__,
        gpu=gpu.name,
        capability=gpu.capability,
        precision=job["precision"],
        profiles=job["profiles"],
    )
    (folder / FACTS).write_text(facts.model_dump_json(indent=2))
    return facts


def _bytes(path: str | None) -> bytes:
    """A timing cache of an earlier build, or an empty one."""
    return Path(path).read_bytes() if path and Path(path).is_file() else b""


def main(job: Path, result: Path) -> int:
    """Writes the facts or the reason; 0 in both cases."""
    try:
        outcome = build(json.loads(job.read_text())).model_dump()
    except (NoGpu, RuntimeError) as bad:
        outcome = {"error": str(bad)}
    result.write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
