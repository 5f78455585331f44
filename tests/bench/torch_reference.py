"""Times MiniLM in torch as people run it without optimizing: eager, or through torch.compile.

`builder.inference.benchmark` starts it in place of `probe` and it talks as that does, in the environment that has
torch. Its model is a JSON file that says whether to compile. (Entries with a training recipe have such references from
`builder.optimization.training`; MiniLM has none, because nothing trains it here.) Attention is `sdpa`, the default of
transformers.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

from modelyard.builder.inference.benchmark import Subject
from modelyard.builder.inference.probe import time_turns
from modelyard.builder.inference.sessions import Feed, Run
from modelyard.builder.optimization.training.environment import python
from modelyard.builder.optimization.training.torch_baseline import COMPILED, EAGER
from modelyard.errors import UnsupportedModel

ROOT = Path(__file__).resolve().parents[2]
MINILM = ROOT / "model-repo" / "minilm"
PROGRAM = "tests.bench.torch_reference"


def minilm_in_torch(folder: Path) -> list[Subject]:
    """MiniLM eager and compiled, with the files that stand for them in FOLDER."""
    found = []
    for name in (EAGER, COMPILED):
        path = folder / f"{name}.json"
        path.write_text(json.dumps({"compiled": name == COMPILED}))
        found.append(Subject(name, path, PROGRAM))
    return found


def enter() -> None:
    """Go on in the environment that has torch."""
    paths = os.pathsep.join([str(ROOT / "platform" / "src"), str(ROOT)])
    command = [python(), "-m", PROGRAM, *sys.argv[1:]]
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": paths})


def opened(path: Path, threads: int, gpu: bool) -> Run:
    """The network on so many threads; a compiled one compiles when it first meets a batch size, before it counts."""
    try:
        import torch  # type: ignore[reportMissingImports]

        sys.path.insert(0, str(MINILM))
        from encoder import pretrained  # type: ignore[reportMissingImports]
    except ImportError as bad:
        raise UnsupportedModel(f"{sys.executable} has no {bad.name}; type `make entries`.") from bad
    torch.set_num_threads(threads)
    network = pretrained("sdpa")
    if json.loads(path.read_text())["compiled"]:
        network = torch.compile(network, dynamic=False)

    def run(feed: Feed) -> Feed:
        with torch.inference_mode():
            return {"answer": network(**{name: torch.from_numpy(value) for name, value in feed.items()}).numpy()}

    return run


if __name__ == "__main__":
    if importlib.util.find_spec("torch") is None and python() != sys.executable:
        enter()
    time_turns(json.loads(Path(sys.argv[2]).read_text()), opened)
