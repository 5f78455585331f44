"""What this machine offers: cores this process may use, CPU features, a GPU that the installed runtime can use."""

import math
import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_TELLING = ("avx", "amx", "f16c", "fma", "vnni", "asimd", "neon", "i8mm", "bf16", "sve", "fphp")
_LIBRARIES = ("onnxruntime", "onnxruntime-gpu", "onnx", "onnxscript", "openvino", "nncf", "numpy", "optuna")


@dataclass(frozen=True)
class Hardware:
    """What variants are measured on: cores this process may use, CPU flags as Linux writes them, the GPU's name."""

    cores: int
    flags: frozenset[str]
    gpu: str | None = None


def this_machine() -> Hardware:
    """Cores, CPU flags and the GPU of the machine this process runs on."""
    return Hardware(cores(), _flags(), gpu())


def cores() -> int:
    """Cores this process may run on, less what the container's quota takes away; at least 1."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return allowed
    return allowed if quota == "max" else max(1, min(allowed, math.floor(int(quota) / int(period))))


def gpu() -> str | None:
    """Name of the first GPU as nvidia-smi tells it; None without a GPU or without onnxruntime-gpu."""
    if shutil.which("nvidia-smi") is None or not _version("onnxruntime-gpu"):
        return None
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return (result.stdout.strip().splitlines() or [None])[0] if result.returncode == 0 else None


def processor() -> str:
    """Name of the CPU, as /proc/cpuinfo has it; the architecture where that has none."""
    return _cpuinfo().get("model name", "").strip() or os.uname().machine


def telling_flags(flags: frozenset[str]) -> tuple[str, ...]:
    """Those of the CPU flags that say how fast small number types are (avx, amx, vnni, bf16, ...), sorted."""
    return tuple(sorted(flag for flag in flags if any(word in flag for word in _TELLING)))


def libraries() -> dict[str, str]:
    """Versions by package of the installed libraries that make and run variants."""
    return {name: installed for name in _LIBRARIES if (installed := _version(name))}


def _flags() -> frozenset[str]:
    facts = _cpuinfo()
    return frozenset((facts.get("flags") or facts.get("Features") or "").split())


def _cpuinfo() -> dict[str, str]:
    lines = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    return {name.strip(): value for name, _, value in lines}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
