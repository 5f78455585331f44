"""A pickle or a .skops, converted in a process of its own: what its author put there meets no key of the store's.

    python -m modelyard.builder.conversion.apart ORDER RESULT

ORDER is JSON: {"path", "target", "evaluation", "sample", "trusted"}. RESULT gets the fields of a `ConversionProof`,
{"error": {"reason", "message"}}, or {"missing": a package of ours}. The process has limits on memory and time, and an
environment without keys.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelyard.builder.inference.sandbox import WorkerDied, confined
from modelyard.child_environment import without_keys
from modelyard.core.failure_causes import cause_of, sentence
from modelyard.errors import HostFailure, InvalidEntry, ModelyardError

from .proof import ConversionProof
from .sklearn import convert_joblib

SECONDS = 900.0
_MODULE = "modelyard.builder.conversion.apart"


def convert_apart(
    path: Path, target: Path, evaluation: Path | None = None, sample: Path | None = None, trusted: bool = True
) -> ConversionProof:
    """As `sklearn.convert_joblib`, whose errors it raises, in a process of its own.

    Raises HostFailure when the machine ended that process, ModuleNotFoundError for a package that is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-conversion-") as scratch:
        order, result = Path(scratch, "order.json"), Path(scratch, "result.json")
        files = {"path": path, "target": target, "evaluation": evaluation, "sample": sample}
        written = {name: str(file.absolute()) if file is not None else None for name, file in files.items()}
        order.write_text(json.dumps({**written, "trusted": trusted}))
        try:
            told = confined(_MODULE, [str(order), str(result)], result, SECONDS, surroundings=without_keys())
        except WorkerDied as death:
            raise _ended(path, death) from death
        except FileNotFoundError as silent:
            raise _ends_the_program(path, "and says nothing") from silent
    if "missing" in told:
        raise ModuleNotFoundError(f"No module named {told['missing']!r}", name=told["missing"])
    return ConversionProof(**told)


def main(order: str, result: str) -> None:
    """What the process does."""
    given: dict[str, Any] = json.loads(Path(order).read_text())
    evaluation, sample = (Path(given[name]) if given[name] else None for name in ("evaluation", "sample"))
    try:
        proof = convert_joblib(Path(given["path"]), Path(given["target"]), evaluation, sample, given["trusted"])
        answer: dict[str, Any] = asdict(proof)
    except ModelyardError as bad:
        answer = {"error": {"reason": bad.reason, "message": str(bad)}}
    except ModuleNotFoundError as absent:
        answer = {"missing": absent.name}
    Path(result).write_text(json.dumps(answer))


def _ended(path: Path, death: WorkerDied) -> ModelyardError:
    cause, end = cause_of(death.end), death.end
    explained = bool(end.words.strip() or end.signal or end.late)
    if not cause.passes or not explained:
        return _ends_the_program(path, death.fate)
    words = f"more than {SECONDS:g} s" if end.late else death.last
    return HostFailure(cause.reason, sentence(cause, f"the conversion of {path.name}", words, end.signal))


def _ends_the_program(path: Path, how: str) -> InvalidEntry:
    return InvalidEntry(
        f"{path.name} ends the program that works with it ({how}); save the fitted model without what does so, or "
        "export it to ONNX yourself."
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
