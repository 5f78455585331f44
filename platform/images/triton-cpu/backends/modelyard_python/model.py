"""Triton backend `modelyard_python`: serves what cannot become ONNX, by the Python of an entry's author.

    1/code/model.py       class Model: __init__(folder), predict(inputs) -> outputs
    1/code/...            whatever else the entry holds
    1/environment.zip     its packages, as the entry pins them; absent without any

The packages are unpacked once into the folder for temporary files, for all instances and restarts of a container, and
come before everything else that could be imported. The author's module is called `model`, as in a folder of its own.

What a client sent is held to config.pbtxt by Triton, and what the author's code gives is held to it here: a missing
output, another type or another shape is the model's failure, as every exception is. Numbers of a wider type of the same
kind are narrowed where nothing is lost but digits. A class `BadRequest` in model.py, where there is one, is how the
author says that a request is to blame.
"""

import hashlib
import importlib.util
import os
import shutil
import site
import stat
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Mapping
from pathlib import Path

# What our backends share lies beside them, and this interpreter heeds no PYTHONPATH.
site.addsitedir(str(Path(__file__).resolve().parents[2] / "site"))

import modelyard_serving as serving
import numpy as np
import triton_python_backend_utils as pb_utils

sys.path.remove(str(Path(__file__).resolve().parents[2] / "site"))  # what an entry does not pin is not there

_ENVIRONMENT = "environment.zip"


class TritonPythonModel(serving.Model):
    """One instance of the author's model."""

    runtime = "Python"
    model_file = "code/model.py"

    def open(self, path, config):
        """Puts the packages on the path, reads model.py and makes its Model."""
        self.path = path
        os.environ.setdefault("OMP_NUM_THREADS", str(serving.threads(config)))
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        batches = int(config.get("max_batch_size", 0)) > 0
        self.declared = {tensor["name"]: _Declared(tensor, batches) for tensor in config["output"]}
        try:
            _import_from(path.parent, path.parents[1] / _ENVIRONMENT)
            author = _module(path)
            self.model = author.Model(path.parent)
        except Exception as bad:
            traceback.print_exc()
            raise RuntimeError(_told(bad, path)) from bad
        refusal = getattr(author, "BadRequest", None)
        self.refusals = (refusal,) if isinstance(refusal, type) else ()

    def accepted(self, array):
        """Strings as text."""
        return serving.to_text(array)

    def infer(self, wanted, feed):
        """The author's answer, held to what was declared."""
        missing = sorted(set(self.inputs) - set(feed))
        if missing:
            raise serving.BadRequest(f"the request lacks the input {missing[0]!r}; add it")
        rows = len(next(iter(feed.values())))
        try:
            answer = self.model.predict(feed)
        except Exception as bad:
            if isinstance(bad, self.refusals):
                raise serving.BadRequest(str(bad)) from bad
            traceback.print_exc()
            raise serving.ModelFailure(f"model.py raised {_told(bad, self.path)}") from bad
        if not isinstance(answer, Mapping):
            raise serving.ModelFailure(
                f"predict of model.py gives a {type(answer).__name__}, not a dict of arrays by name"
            )
        return [self.declared[name].of(answer, rows) for name in wanted]

    def finalize(self):
        """Frees the model before the process ends."""
        self.model = None


class _Declared:
    """An output as config.pbtxt has it."""

    def __init__(self, tensor, batches):
        self.name = tensor["name"]
        datatype = tensor["data_type"].removeprefix("TYPE_")
        self.datatype = "BYTES" if datatype == "STRING" else datatype
        self.dtype = np.dtype(pb_utils.triton_string_to_numpy(tensor["data_type"]))
        dims = tensor["reshape"].get("shape", []) if "reshape" in tensor else tensor["dims"]
        self.dims = [int(dim) for dim in dims]
        self.batches = batches

    def of(self, answer, rows):
        """This output of an answer to so many rows, in the declared type; raises ModelFailure when it does not fit."""
        if self.name not in answer:
            raise serving.ModelFailure(f"predict of model.py gives no {self.name!r}, which modelyard.yaml declares")
        value = np.asarray(answer[self.name])
        dims = [rows, *self.dims] if self.batches else self.dims
        fits = value.ndim == len(dims) and all(dim in (-1, size) for dim, size in zip(dims, value.shape, strict=True))
        converted = self._converted(value) if fits else None
        if converted is None:
            raise serving.ModelFailure(
                f"predict of model.py gives {self.name!r} as {value.dtype} {list(value.shape)}, and modelyard.yaml "
                f"declares {self.datatype} {dims}"
            )
        return converted

    def _converted(self, value):
        if self.dtype == np.object_:
            return value if all(isinstance(item, str | bytes) for item in value.ravel()) else None
        if not np.can_cast(value.dtype, self.dtype, "same_kind"):
            return None
        converted = value.astype(self.dtype)
        return converted if value.dtype.kind not in "iu" or (converted == value).all() else None


def _told(bad, path):
    """An exception in one line, with the line of model.py that it came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(bad.__traceback__) if frame.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    return f"{type(bad).__name__}{where}: {bad}"


def _module(path):
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module  # what was pickled as model.Something is found again
    spec.loader.exec_module(module)
    return module


def _import_from(code, environment):
    """Puts the author's files and packages before all else that is imported."""
    before = [*sys.path]
    if environment.is_file():
        site.addsitedir(str(_unpacked(environment)))
    sys.path[:] = [str(code), *(place for place in sys.path if place not in before), *before]


def _unpacked(archive):
    """The folder with the archive's files, which another instance may have unpacked already."""
    with archive.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    place = Path(tempfile.gettempdir(), f"modelyard-environment-{digest[:16]}")
    if _is_ours(place):
        return place
    made = Path(tempfile.mkdtemp(prefix="modelyard-unpacking-"))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(made)
    try:
        made.rename(place)
    except OSError:  # another instance was faster, or somebody else has that name
        if not _is_ours(place):
            return made
        shutil.rmtree(made)
    return place


def _is_ours(folder):
    """Whether it is a folder that nobody else could have filled."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
