"""Which GPU this machine has, asked through the NVIDIA driver's own library: TensorRT crashes where there is none."""

import ctypes
from dataclasses import dataclass

_DRIVER = "libcuda.so.1"
_MAJOR, _MINOR = 75, 76
"""cuDeviceGetAttribute's numbers for the two parts of the compute capability."""


class NoGpu(Exception):
    """Why no GPU can be used here, as a sentence."""


@dataclass(frozen=True)
class Gpu:
    """The first GPU: its name and compute capability, such as 9.0."""

    name: str
    capability: str


def first_gpu() -> Gpu:
    """Asks the NVIDIA driver for its device 0; raises NoGpu when there is no driver, no GPU or no answer."""
    try:
        cuda = ctypes.CDLL(_DRIVER)
    except OSError as absent:
        raise NoGpu(
            f"there is no NVIDIA driver here ({_DRIVER} is missing); TensorRT plans are built on the GPU they "
            "will run on."
        ) from absent
    count, device, name, capability = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(256), []
    failed = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if failed or count.value == 0:
        raise NoGpu(f"the NVIDIA driver finds no GPU (code {failed}); give this container one, or build elsewhere.")
    failed = cuda.cuDeviceGet(ctypes.byref(device), 0) or cuda.cuDeviceGetName(name, len(name), device)
    for attribute in (_MAJOR, _MINOR):
        number = ctypes.c_int()
        failed = failed or cuda.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
        capability.append(number.value)
    if failed:
        raise NoGpu(f"the NVIDIA driver does not answer (code {failed}); look at nvidia-smi.")
    return Gpu(name.value.decode(), f"{capability[0]}.{capability[1]}")
