"""What our Python backends for CPUs share: one model run on what Triton batched together.

Requests that Triton batched together are run as one and split again; when such a run fails, each request is run
alone, so that only the guilty one gets the error. A backend says how its runtime opens a file and answers a feed.

Whose fault an error is decides its code, for rollouts count INTERNAL (HTTP 500) against the model and INVALID_ARG (400)
against nobody. A request is to blame only where that is known: text that is not UTF-8, an input that is missing or of a
shape the graph refuses, an index outside a table that stands as this number in an integer input. An index that the
graph computed itself is the model's failure.

Parameters of `config.pbtxt`: `intra_op_thread_count`. Without it the CPUs this container may use are shared evenly
among the model's instances.
"""

import json
import math
import os
import re
import time
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils

_CGROUP_V2 = "/sys/fs/cgroup/cpu.max"
_CGROUP_V1 = ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us")

_WORTH_ASKING_SECONDS = 0.005
"""Asking Triton whether a client has gone takes a tenth of a millisecond a request; what waited behind a run of less
than this is computed in less than it is worth."""

_REFUSED_INPUT = re.compile(r"(?:Invalid rank|Got invalid dimensions) for input: ")
_OUTSIDE_TABLE = re.compile(r"indices element out of data bounds, idx=(-?\d+) ")


class BadRequest(ValueError):
    """The request itself is wrong; the message says what to change."""


class ModelFailure(Exception):
    """The model is to blame, whatever the words sound like."""


def usable_cpus() -> int:
    """CPUs this container may use: the smaller of its affinity and its CPU limit, rounded up, at least 1."""
    affinity = len(os.sched_getaffinity(0))
    try:
        quota, period = Path(_CGROUP_V2).read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = (Path(part).read_text().strip() for part in _CGROUP_V1)
        except OSError:
            return affinity
    if quota == "max" or float(quota) <= 0 or float(period) <= 0:
        return affinity
    return max(1, min(affinity, math.ceil(float(quota) / float(period))))


def parameters(config: dict) -> dict[str, str]:
    """The model's parameters by name."""
    return {key: value["string_value"] for key, value in config.get("parameters", {}).items()}


def threads(config: dict) -> int:
    """Threads of one instance: as many as the configuration says, else the usable CPUs divided by its instances."""
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", [])) or 1
    return int(parameters(config).get("intra_op_thread_count", max(1, usable_cpus() // instances)))


def to_text(array: np.ndarray) -> np.ndarray:
    """Triton's bytes objects as text; other arrays as they are. Raises UnicodeDecodeError."""
    if array.dtype != np.object_:
        return array
    flat = [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in array.ravel()]
    return np.array(flat, dtype=np.object_).reshape(array.shape)


def to_triton(array: np.ndarray) -> np.ndarray:
    """Strings as bytes; results are made contiguous because Triton reads their memory."""
    if array.dtype.kind not in "OUS":
        return np.ascontiguousarray(array)
    flat = [item.encode("utf-8") if isinstance(item, str) else bytes(item) for item in array.ravel()]
    return np.array(flat, dtype=np.object_).reshape(array.shape)


class Model:
    """One instance of a model: the file `model_file`, when the configuration does not say another, in `runtime`.

    `open` sets `inputs` and `outputs`, the names in order; `infer` takes arrays by input name and gives those of the
    wanted outputs.
    """

    runtime: str
    model_file: str
    inputs: list[str]
    outputs: list[str]

    def open(self, path: Path, config: dict) -> None:
        raise NotImplementedError

    def infer(self, wanted: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        raise NotImplementedError

    def accepted(self, array: np.ndarray) -> np.ndarray:
        """An input as the runtime wants it."""
        return array

    @staticmethod
    def auto_complete_config(auto_complete_model_config):
        """The builder writes complete configurations; one without tensors cannot be completed from here."""
        config = auto_complete_model_config.as_dict()
        if not config.get("input") or not config.get("output"):
            raise pb_utils.TritonModelException(
                f"config.pbtxt of {config.get('name')} lists no inputs or no outputs: build it with `modelyard build`"
            )
        return auto_complete_model_config

    def initialize(self, args):
        """Opens the model; `args` holds the configuration as JSON, the model's folder and the version."""
        config = json.loads(args["model_config"])
        path = (
            Path(args["model_repository"])
            / args["model_version"]
            / (config.get("default_model_filename") or self.model_file)
        )
        try:
            self.open(path, config)
        except Exception as bad:
            raise pb_utils.TritonModelException(f"{self.runtime} cannot load {path.name}: {bad}") from bad
        self.batches = int(config.get("max_batch_size", 0)) > 0
        self.lasted = 0.0

    def execute(self, requests):
        """Answers every request, in order."""
        began, responses = time.monotonic(), [None] * len(requests)
        groups: dict[tuple, list] = {}
        for index, request in enumerate(requests):
            if self.lasted > _WORTH_ASKING_SECONDS and request.is_cancelled():
                responses[index] = _cancelled()
                continue
            try:
                feed = self._feed(request)
            except Exception as bad:  # noqa: BLE001 - whatever it is, it is this request's answer
                responses[index] = _failure(bad)
                continue
            alone = () if self.batches else (index,)
            rows = tuple((name, array.dtype.str, array.shape[1:]) for name, array in feed.items())
            groups.setdefault((alone, rows), []).append((index, feed, request.requested_output_names()))
        for members in groups.values():
            for index, response in self._answers(members):
                responses[index] = response
        self.lasted = time.monotonic() - began
        return responses

    def _feed(self, request):
        feed = {}
        for name in self.inputs:
            tensor = pb_utils.get_input_tensor_by_name(request, name)
            if tensor is not None:
                feed[name] = self._read(name, tensor)
        return feed

    def _read(self, name, tensor):
        try:
            return self.accepted(tensor.as_numpy())
        except UnicodeDecodeError as bad:
            raise BadRequest(f"input {name!r} is not UTF-8 text: {bad}") from bad

    def _answers(self, members):
        """(index, response) for requests whose tensors can be stacked; alone when running together fails."""
        try:
            return self._run(members)
        except Exception as bad:  # noqa: BLE001 - runtimes raise what they like
            if len(members) == 1:
                return [(members[0][0], _failure(bad, members[0][1]))]
            return [answer for member in members for answer in self._answers([member])]

    def _run(self, members):
        asked = {name for _, _, names in members for name in names}
        wanted = [name for name in self.outputs if name in asked]
        if len(members) == 1:
            index, feed, _ = members[0]
            return [(index, _response(wanted, self.infer(wanted, feed)))]
        sizes = [next(iter(feed.values())).shape[0] for _, feed, _ in members]
        stacked = {name: np.concatenate([feed[name] for _, feed, _ in members]) for name in members[0][1]}
        results = self.infer(wanted, stacked)
        answers, start = [], 0
        for (index, _, names), size in zip(members, sizes, strict=True):
            rows = [(name, value[start : start + size]) for name, value in zip(wanted, results, strict=True)]
            mine = [(name, value) for name, value in rows if name in names]
            answers.append((index, _response([name for name, _ in mine], [value for _, value in mine])))
            start += size
        return answers


def _response(names, values):
    tensors = [pb_utils.Tensor(name, to_triton(np.asarray(value))) for name, value in zip(names, values, strict=True)]
    return pb_utils.InferenceResponse(output_tensors=tensors)


def _cancelled():
    """What nobody waits for, so that nobody computes it."""
    error = pb_utils.TritonError("the client has cancelled the request", pb_utils.TritonError.CANCELLED)
    return pb_utils.InferenceResponse(output_tensors=[], error=error)


def _failure(bad: Exception, feed=None):
    code = pb_utils.TritonError.INVALID_ARG if _of_the_request(bad, feed or {}) else pb_utils.TritonError.INTERNAL
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(str(bad), code))


def _of_the_request(bad: Exception, feed) -> bool:
    """Whether it is known that another request to the same model would have been answered."""
    if isinstance(bad, ModelFailure):
        return False
    if isinstance(bad, BadRequest) or _REFUSED_INPUT.search(str(bad)):
        return True
    outside = _OUTSIDE_TABLE.search(str(bad))
    if outside is None:
        return False
    return any(array.dtype.kind in "iu" and int(outside[1]) in array for array in feed.values())
