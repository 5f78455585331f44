"""A TensorRT plan opened on the GPU it was built for: arrays by input name in, arrays by output name out.

    before   the record beside the plan (model.json), then the driver, then the package: without a GPU, TensorRT's
             calls end the process, so none is made until all three fit each other
    opening  the engine, a context, and the one optimisation profile that `passes.tensorrt_builder` gives a plan
    running  shapes, copies to the GPU, the inference and copies back follow each other in one stream, and the
             answer is returned when the stream is done: that is what timing counts

This has been tried without a GPU only, against stand-ins for the two libraries; on one it has not been run yet.
"""

import weakref
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.builder.evaluation.evaluation_set import Feed, Run
from modelyard.errors import InvalidInput, UnsupportedModel

from .cuda import Cuda, library
from .gpu import Gpu, NoGpu, first_gpu
from .tensorrt_plan import PlanFacts, against_here, recorded

_PROFILE = 0
_SAME = ("bool", "int8", "uint8", "int32", "int64")
_TYPES = {"FLOAT": "float32", "HALF": "float16"} | {name.upper(): name for name in _SAME}
"""numpy's names for TensorRT's element types."""


def open_plan(
    path: Path,
    gpu: Callable[[], Gpu] = first_gpu,
    module: Callable[[], Any] = lambda: import_module("tensorrt"),
    cuda: Callable[[], Cuda] = lambda: Cuda(library()),
) -> Run:
    """A function from arrays by input name to arrays by output name; raises UnsupportedModel.

    The function raises InvalidInput for a feed that the plan does not take.
    """
    facts = recorded(path)
    try:
        here = gpu()
        trt = module()
    except NoGpu as none:
        raise UnsupportedModel(str(none)) from none
    except ImportError as absent:
        words = f"the plan needs TensorRT {facts.tensorrt}, which is not installed; install it from NVIDIA's index."
        raise UnsupportedModel(words) from absent
    reason = against_here(facts, trt.__version__, here.name, here.capability)
    if reason is not None:
        raise UnsupportedModel(reason)
    return _Engine(path.read_bytes(), facts, trt, cuda()).run


def _new_listener(trt: Any) -> Any:
    """A logger that keeps TensorRT's last error; its own prints to stdout, where timing processes answer."""

    class Listener(trt.ILogger):
        last = "it does not say why"

        def log(self, severity: Any, msg: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.last = " ".join(msg.split())[:300]

    return Listener()


class _Engine:
    """A plan with its context on the GPU; both end with the last reference to it."""

    def __init__(self, plan: bytes, facts: PlanFacts, trt: Any, cuda: Cuda) -> None:
        weakref.finalize(self, cuda.close).atexit = False  # the driver tidies up after processes
        self._cuda, self._facts = cuda, facts
        self._listener = _new_listener(trt)
        self._runtime = trt.Runtime(self._listener)
        self._engine = self._succeeded(self._runtime.deserialize_cuda_engine(plan), "read the plan")
        self._context = self._succeeded(self._engine.create_execution_context(), "open the plan")
        self._select()
        names = [self._engine.get_tensor_name(place) for place in range(self._engine.num_io_tensors)]
        self._types = {name: self._type(name, trt) for name in names}
        self._inputs = [name for name in names if self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in self._inputs]

    def run(self, feed: Feed) -> Feed:
        """Arrays by output name, in memory of their own."""
        inputs = {name: self._array(name, feed) for name in self._inputs}
        answers = {name: np.empty(self._shape(name), self._types[name]) for name in self._outputs}
        places = {name: self._place(name, array.nbytes) for name, array in {**inputs, **answers}.items()}
        for name, array in inputs.items():
            self._cuda.upload(array, places[name])
        self._succeeded(self._context.execute_async_v3(self._cuda.stream), "run the plan")
        for name, array in answers.items():
            self._cuda.download(places[name], array)
        self._cuda.wait()
        return answers

    def _select(self) -> None:
        try:
            self._context.set_optimization_profile_async(_PROFILE, self._cuda.stream)
        except RuntimeError as bad:  # it says so itself, where the other calls return None or False
            raise UnsupportedModel(f"TensorRT did not take the plan's profile: {self._listener.last}.") from bad
        self._cuda.wait()

    def _type(self, name: str, trt: Any) -> str:
        """The elements of a tensor, in numpy's word."""
        kind = self._engine.get_tensor_dtype(name).name
        if kind not in _TYPES:
            raise UnsupportedModel(f"tensor {name!r} is of TensorRT's type {kind}, which numpy does not have.")
        if self._engine.get_tensor_location(name) != trt.TensorLocation.DEVICE:
            raise UnsupportedModel(f"tensor {name!r} holds a shape that TensorRT wants in the CPU's memory.")
        return _TYPES[kind]

    def _array(self, name: str, feed: Feed) -> Any:
        """What the feed has for an input, as the plan wants it in memory; its shape is set."""
        if name not in feed:
            raise InvalidInput(f"there is no array for the input {name!r}.")
        array, dtype = np.asarray(feed[name]), self._types[name]
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise InvalidInput(f"input {name!r} is {array.dtype}, and the plan takes {dtype}.")
        if not self._context.set_input_shape(name, array.shape):
            raise InvalidInput(f"input {name!r} has the shape {list(array.shape)}, {self._takes(name)}.")
        return np.asarray(array, dtype, order="C")

    def _shape(self, name: str) -> tuple[int, ...]:
        """Of an output, once all inputs have theirs."""
        shape = tuple(self._context.get_tensor_shape(name))
        if any(size < 0 for size in shape):
            raise UnsupportedModel(f"the shape of the output {name!r} depends on values; keep the model in ONNX.")
        return shape

    def _place(self, name: str, size: int) -> int:
        """The address on the GPU of a tensor of `size` bytes, which the context knows from here on."""
        address = self._cuda.room(name, size)
        self._succeeded(self._context.set_tensor_address(name, address), f"take an address for {name!r}")
        return address

    def _takes(self, name: str) -> str:
        if name not in self._facts.profiles:
            return f"and the plan takes {list(self._engine.get_tensor_shape(name))}"
        least, _, largest = self._facts.profiles[name]
        return f"and the plan takes {list(least)} to {list(largest)}"

    def _succeeded(self, result: Any, what: str) -> Any:
        """What TensorRT gave; None and False are its refusals."""
        if result is None or result is False:
            raise UnsupportedModel(f"TensorRT did not {what}: {self._listener.last}.")
        return result
