"""What an inference needs of NVIDIA's CUDA runtime library (libcudart), through ctypes: memory, copies, one stream.

The library lies where Python packages bring it (`nvidia/<part>/lib`, of the wheels that TensorRT and onnxruntime-gpu
need) or on the system. The oldest is taken: a driver runs every runtime up to its own version, and none beyond.
Every code but 0 is an error, in the library's own words.
"""

import ctypes
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import blamed
from modelyard.errors import UnsupportedModel

_NAME = "libcudart.so."
_SYSTEM = ("libcudart.so.12", "libcudart.so.13", "/usr/local/cuda/lib64/libcudart.so")
_TO_DEVICE, _TO_HOST = 1, 2
_ADDRESS, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_ARGUMENTS: dict[str, list[Any]] = {
    "cudaMalloc": [ctypes.POINTER(_ADDRESS), _SIZE],
    "cudaFree": [_ADDRESS],
    "cudaMemcpyAsync": [_ADDRESS, _ADDRESS, _SIZE, _INT, _ADDRESS],
    "cudaStreamCreate": [ctypes.POINTER(_ADDRESS)],
    "cudaStreamSynchronize": [_ADDRESS],
    "cudaStreamDestroy": [_ADDRESS],
}


def package_folders() -> list[Path]:
    """The folders nvidia/*/lib of installed Python packages; empty when none is installed."""
    package = importlib.util.find_spec("nvidia")
    places = (package.submodule_search_locations or ()) if package else ()
    return [folder for place in places for folder in sorted(Path(place).glob("*/lib"))]


def library(folders: Iterable[Path] | None = None, system: Iterable[str] = _SYSTEM) -> Any:
    """The first CUDA runtime library that opens, those in `folders` first; raises UnsupportedModel when none does."""
    packaged = [path for folder in (package_folders() if folders is None else folders) for path in _of(folder)]
    for where in [*map(str, sorted(packaged, key=_major)), *system]:
        try:
            return ctypes.CDLL(where)
        except OSError:
            continue
    raise UnsupportedModel("there is no CUDA runtime library (libcudart) here; install nvidia-cuda-runtime with pip.")


def _of(folder: Path) -> list[Path]:
    return [path for path in folder.glob(f"{_NAME}*") if path.name.removeprefix(_NAME)[:1].isdigit()]


def _major(path: Path) -> int:
    """The 12 of libcudart.so.12."""
    return int(path.name.removeprefix(_NAME).split(".")[0])


class Cuda:
    """Memory of the first GPU and one stream, in which copies and inferences follow each other.

    Every method raises UnsupportedModel when the GPU declines. `runtime` is the library as ctypes opens it.
    """

    def __init__(self, runtime: Any) -> None:
        for name, arguments in _ARGUMENTS.items():
            function = getattr(runtime, name)
            function.argtypes, function.restype = arguments, _INT
        runtime.cudaGetErrorString.argtypes, runtime.cudaGetErrorString.restype = [_INT], ctypes.c_char_p
        self._runtime = runtime
        self._rooms: dict[str, tuple[int, int]] = {}
        stream = _ADDRESS()
        self._call("cudaStreamCreate", ctypes.byref(stream))
        self.stream = stream.value or 0

    def room(self, name: str, size: int) -> int:
        """The address on the GPU of at least `size` bytes for `name`, the same as before while they suffice.

        What was there is lost when they do not. Memory is kept between inferences: asking for it takes longer than a
        small one.
        """
        address, size_before = self._rooms.get(name, (0, -1))
        if size_before >= size:
            return address
        if self._rooms.pop(name, None):
            self._call("cudaFree", address)
        pointer = _ADDRESS()
        self._call("cudaMalloc", ctypes.byref(pointer), max(1, size))  # 0 bytes would have no address
        self._rooms[name] = (pointer.value or 0, size)
        return self._rooms[name][0]

    def upload(self, array: Any, address: int) -> None:
        """Copies a contiguous array to the GPU; it must stay as it is until `wait` returns."""
        self._call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, _TO_DEVICE, self.stream)

    def download(self, address: int, array: Any) -> None:
        """Fills a contiguous array from the GPU; it holds the values once `wait` returns."""
        self._call("cudaMemcpyAsync", array.ctypes.data, address, array.nbytes, _TO_HOST, self.stream)

    def wait(self) -> None:
        """Returns when everything in the stream is done."""
        self._call("cudaStreamSynchronize", self.stream)

    def close(self) -> None:
        """Frees all memory and ends the stream; the object cannot be used afterwards."""
        while self._rooms:
            _, (address, _) = self._rooms.popitem()
            self._call("cudaFree", address)
        self._call("cudaStreamDestroy", self.stream)

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._runtime, name)(*arguments)
        if code != 0:
            words = (self._runtime.cudaGetErrorString(code) or b"no words for it").decode(errors="replace")
            raise blamed(RuntimeError(words), f"the GPU declined {name}: {words} (code {code}); look at nvidia-smi.")
