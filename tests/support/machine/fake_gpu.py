"""A GPU of ordinary memory: stand-ins for libcudart and the tensorrt package, where neither has a GPU to work with.

`FakeCudart` has the functions of the library as C would call them, so that what goes in and out passes through
ctypes. `FakeTensorRt` runs a plan that doubles its input `x`; it finds inputs and leaves outputs only at the
addresses it was given, and takes the shapes that its one profile has.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

OUT_OF_MEMORY = 2
_WORDS = ctypes.create_string_buffer(b"out of memory")
STREAM = 77
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


class FakeCudart:
    """`memory` is what is allocated, by address; a function named in `failing` returns its code and does nothing."""

    def __init__(self, failing: dict[str, int] | None = None) -> None:
        self.memory: dict[int, Any] = {}
        self.streams: set[int] = set()
        self.failing = failing or {}
        out = ctypes.POINTER(_ADDRESS)
        self.cudaMalloc = self._function("cudaMalloc", self._malloc, out, _SIZE)
        self.cudaFree = self._function("cudaFree", self._free, _ADDRESS)
        self.cudaMemcpyAsync = self._function("cudaMemcpyAsync", self._copy, _ADDRESS, _ADDRESS, _SIZE, _INT, _ADDRESS)
        self.cudaStreamCreate = self._function("cudaStreamCreate", self._create, out)
        self.cudaStreamSynchronize = self._function("cudaStreamSynchronize", self._synchronize, _ADDRESS)
        self.cudaStreamDestroy = self._function("cudaStreamDestroy", self._destroy, _ADDRESS)
        self.cudaGetErrorString = ctypes.CFUNCTYPE(_ADDRESS, _INT)(self._words)

    def _function(self, name: str, work: Callable[..., int], *arguments: Any) -> Any:
        def called(*given: Any) -> int:
            return self.failing.get(name) or work(*given)

        return ctypes.CFUNCTYPE(_INT, *arguments)(called)

    def _words(self, code: int) -> int | None:
        return ctypes.addressof(_WORDS) if code == OUT_OF_MEMORY else None

    def _malloc(self, out: Any, size: int) -> int:
        block = ctypes.create_string_buffer(size)
        address = ctypes.addressof(block)
        self.memory[address] = block
        out[0] = address
        return 0

    def _free(self, address: int) -> int:
        return 0 if self.memory.pop(address, None) is not None else 1

    def _copy(self, to: int, source: int, size: int, kind: int, stream: int | None) -> int:
        """Code 1 unless the side that `kind` says is the GPU's has room for `size` bytes, in a stream there is."""
        on_gpu = {1: to, 2: source}.get(kind)
        if on_gpu not in self.memory or len(self.memory[on_gpu]) < size or stream not in self.streams:
            return 1
        ctypes.memmove(to, source, size)
        return 0

    def _create(self, out: Any) -> int:
        self.streams.add(STREAM)
        out[0] = STREAM
        return 0

    def _synchronize(self, stream: int | None) -> int:
        return 0 if stream in self.streams else 1

    def _destroy(self, stream: int) -> int:
        self.streams.remove(stream)
        return 0


class _Named:
    """A value of one of TensorRT's enumerations."""

    def __init__(self, name: str) -> None:
        self.name = name


class FakeTensorRt:
    """What `import tensorrt` would give; `kind` is the element type and `most` the largest batch of the plan.

    `refusing` names the step that TensorRT declines, having said why to its logger.
    """

    __version__ = "10.15.1"

    class ILogger:
        ERROR, INTERNAL_ERROR, WARNING = "error", "internal error", "warning"

    class TensorIOMode:
        INPUT, OUTPUT = "input", "output"

    class TensorLocation:
        DEVICE, HOST = "device", "host"

    def __init__(self, kind: str = "FLOAT", most: int = 64, refusing: str = "", shape: tuple[int, ...] = (4,)) -> None:
        self.kind, self.most, self.refusing, self.rest = kind, most, refusing, shape
        self.location = self.TensorLocation.DEVICE
        self.num_io_tensors = 2
        self.batch = -1
        self.addresses: dict[str, int] = {}
        self.stream: int | None = None
        self.values_decide = False

    def Runtime(self, logger: Any) -> "FakeTensorRt":  # noqa: N802 - TensorRT's name
        self.logger = logger
        return self

    def deserialize_cuda_engine(self, plan: bytes) -> "FakeTensorRt | None":
        return self._unless("deserialize", self if plan == b"plan" else None)

    def create_execution_context(self) -> "FakeTensorRt | None":
        return self._unless("context", self)

    def set_optimization_profile_async(self, place: int, stream: int) -> bool:
        if self._unless("profile", place == 0) is None:
            raise RuntimeError("Error in set optimization profile async.")
        self.stream = stream
        return True

    def get_tensor_name(self, place: int) -> str:
        return ("x", "y")[place]

    def get_tensor_mode(self, name: str) -> str:
        return self.TensorIOMode.INPUT if name == "x" else self.TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> _Named:
        return _Named(self.kind)

    def get_tensor_location(self, name: str) -> str:
        return self.location

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.batch = shape[0] if shape else 1
        return shape[1:] == self.rest and 1 <= self.batch <= self.most

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return (-1 if self.values_decide else self.batch, *self.rest)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return bool(self._unless("address", True))

    def execute_async_v3(self, stream: int) -> bool:
        if stream != self.stream or self._unless("execute", True) is None:
            return False
        kind = np.dtype({"FLOAT": "float32", "HALF": "float16"}.get(self.kind, self.kind.lower()))
        size = self.batch * int(np.prod(self.rest))
        memory = {name: (ctypes.c_char * (size * kind.itemsize)).from_address(self.addresses[name]) for name in "xy"}
        x, y = (np.frombuffer(memory[name], kind) for name in "xy")
        y[:] = x + x
        return True

    def _unless(self, step: str, given: Any) -> Any:
        if self.refusing != step:
            return given
        self.logger.log(self.ILogger.WARNING, "a warning")
        self.logger.log(self.ILogger.ERROR, f"the {step}\n  does not fit")
        self.logger.log(self.ILogger.WARNING, "another")
        return None
