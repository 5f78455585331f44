"""Builds a TensorRT plan, in a process of its own: without a GPU the library crashes instead of raising.

    python -m modelyard.builder.optimization.passes.tensorrt_builder JOB RESULT

First the NVIDIA driver is asked through its own library which GPU there is, and only then is TensorRT imported.
The network is strongly typed: precision is what the ONNX graph says (fp16 weights, or QDQ pairs for int8), so
nothing is lowered behind anybody's back. RESULT holds the facts, or {"error": sentence}.
"""

import ctypes
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.inspection.tensorrt_plan import FACTS, PLAN, TIMING_CACHE, PlanFacts

_DRIVER = "libcuda.so.1"
_MAJOR, _MINOR = 75, 76
"""cuDeviceGetAttribute's numbers for the two parts of the compute capability."""


class NoGpu(Exception):
    """Why nothing can be built here, as a sentence."""


@dataclass(frozen=True)
class Gpu:
    """The first GPU: its name and compute capability, such as 9.0."""

    name: str
    capability: str


def first_gpu() -> Gpu:
    """Asks the driver; raises NoGpu with the reason."""
    try:
        cuda = ctypes.CDLL(_DRIVER)
    except OSError as absent:
        raise NoGpu(
            f"there is no NVIDIA driver here ({_DRIVER} is missing); TensorRT plans are built on the GPU they "
            "will run on."
        ) from absent
    count, device, name, parts = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256), []
    failed = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if failed or count.value == 0:
        raise NoGpu(f"the NVIDIA driver finds no GPU (code {failed}); give this container one, or build elsewhere.")
    failed = cuda.cuDeviceGet(ctypes.byref(device), 0) or cuda.cuDeviceGetName(name, len(name), device)
    for attribute in (_MAJOR, _MINOR):
        part = ctypes.c_int()
        failed = failed or cuda.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
        parts.append(part.value)
    if failed:
        raise NoGpu(f"the NVIDIA driver does not answer (code {failed}); look at nvidia-smi.")
    return Gpu(name.value.decode(), f"{parts[0]}.{parts[1]}")


def build(job: dict[str, Any]) -> PlanFacts:
    """Writes model.plan, model.json and timing.cache into job["folder"]; raises NoGpu or RuntimeError."""
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
        said = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise RuntimeError(f"TensorRT cannot read the model: {said}")
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
        found = build(json.loads(job.read_text())).model_dump()
    except (NoGpu, RuntimeError) as bad:
        found = {"error": str(bad)}
    result.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
