"""Times a torch network as people run it without optimizing: eager, or through torch.compile.

`build.measure` starts it by its name in place of `build.probe` and it talks as that does, in the environment that has
torch (MODELYARD_TORCH_PYTHON, else the one `make entries` makes). Its model is a JSON file: `entry`, an entry's folder,
and `compiled`. The network is that of the entry's training recipe, or MiniLM with the attention torch is fastest with.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from modelyard.build.probe import time_turns
from modelyard.build.runtimes import Feed, Run
from modelyard.errors import UnsupportedModel

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "tests.bench.torch_reference"


def subject_file(folder: Path, entry: Path, compiled: bool) -> Path:
    """The file that stands for a model where files are expected."""
    path = folder / f"{'compiled' if compiled else 'eager'}.json"
    path.write_text(json.dumps({"entry": str(entry.resolve()), "compiled": compiled}))
    return path


def interpreter() -> Path:
    """The Python that has torch, whether it exists yet or not."""
    named = os.environ.get("MODELYARD_TORCH_PYTHON")
    return Path(named) if named else module(ROOT / "model-repo" / "environment.py").python()


def module(path: Path) -> ModuleType:
    """The Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def enter() -> None:
    """Go on in the environment that has torch."""
    python = interpreter()
    if not python.exists():
        print(json.dumps({"error": f"{python} is missing; type `make entries`, which makes it."}), flush=True)
        sys.exit(0)
    paths = os.pathsep.join([str(ROOT / "platform" / "src"), str(ROOT)])
    os.execve(python, [str(python), "-m", PROGRAM, *sys.argv[1:]], {**os.environ, "PYTHONPATH": paths})  # noqa: S606


def network(entry: Path) -> Any:
    """The entry's torch module, ready to answer."""
    recipe = entry / "training" / "recipe.yaml"
    if not recipe.exists():
        return module(entry.parent / "encoder.py").pretrained("sdpa")
    import yaml
    from safetensors.torch import load_file

    said = yaml.safe_load(recipe.read_text())
    file, _, name = said["module"].partition(":")
    made = getattr(module(recipe.parent / file), name)(**said.get("architecture", {}))
    made.load_state_dict(load_file(recipe.parent / said["weights"]))
    return made.eval()


def opened(path: Path, threads: int, gpu: bool) -> Run:
    """The network on so many threads; a compiled one compiles when it first meets a batch size, before it counts."""
    import torch

    torch.set_num_threads(threads)
    said = json.loads(path.read_text())
    try:
        ran = network(Path(said["entry"]))
    except (OSError, ImportError) as bad:
        raise UnsupportedModel(f"its torch module cannot be loaded: {bad}") from bad
    if said["compiled"]:
        ran = torch.compile(ran, dynamic=False)

    def run(feed: Feed) -> Feed:
        with torch.inference_mode():
            return {"answer": ran(**{name: torch.from_numpy(value) for name, value in feed.items()}).numpy()}

    return run


def main() -> None:
    """`time JOB`, as in `build.probe`."""
    time_turns(json.loads(Path(sys.argv[2]).read_text()), opened)


if __name__ == "__main__":
    if importlib.util.find_spec("torch") is None:
        enter()
    main()
