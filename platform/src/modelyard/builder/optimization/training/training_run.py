"""One run of an entry's recipe: trained in the torch environment, kept in OUT/trained, given to the optimizer.

    OUT/trained/KEY/STAGE/model.onnx   KEY is a digest of the training folder and the model's tensors
    OUT/trained/KEY/stages.json        what was trained, written last

A later run into the same folder with the same files trains nothing. What is trained takes the time its recipe says
(epochs); it is not part of the optimization's budget, which counts from when all starting points are there.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from modelyard.api.optimization import Chosen, Variant
from modelyard.builder.artifacts.source import ModelSource, read_source
from modelyard.builder.evaluation.evaluation_set import EVALUATION, copy_evaluation
from modelyard.builder.inference.hardware import cores
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.optimization.pass_api import ModelArtifact, Precision
from modelyard.errors import InvalidEntry, UnsupportedModel

from . import environment
from .architecture_search import chosen_architecture
from .recipe import FILE, TrainingRecipe, read_recipe

Tell = Callable[[str], None]

TRAINED, FOUND = "trained", "searched"
RESULT = "stages.json"
_NOTES, _SENTENCE = 3, 500


@dataclass(frozen=True)
class Trained:
    """What a training run made: models by name, its run in a tracker (empty without), and sentences for the report."""

    starts: Mapping[str, ModelArtifact]
    run: str = ""
    notes: tuple[str, ...] = ()
    track: str = ""


class _Stage(BaseModel):
    """What is believed of a stage: its name becomes a folder's, its path is looked at."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    path: str
    passes: tuple[str, ...]
    precision: Precision


@dataclass(frozen=True)
class TrainingRun:
    """An entry with a recipe; `folder` keeps what is trained, `track` is one of `tracking.KINDS`, or the trainer's."""

    source: ModelSource
    recipe: TrainingRecipe
    folder: Path
    track: str = ""

    @property
    def evaluation(self) -> Path:
        """A copy of the entry's eval.npz in `folder`, whose arrays are called input:NAME and output:NAME."""
        assert self.source.evaluation is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        copy_evaluation(self.source.evaluation, self.source.graph, self.folder / EVALUATION)
        return self.folder / EVALUATION

    def job(self, **more: Any) -> dict[str, Any]:
        """The job for `environment.run`, as JSON, with the fields in `more` added or replaced."""
        return {
            "name": self.source.name,
            "folder": str((self.source.model.parent / FILE).parent.absolute()),
            "recipe": self.recipe.model_dump(mode="json"),
            "inputs": [port.name for port in self.source.graph.inputs],
            "outputs": [port.name for port in self.source.graph.outputs],
            "out": str(self.folder.absolute()),
            "threads": cores(),
            "run": "",
            "track": self.track,
            **more,
        }


def training_run_of(entry: Path, out: Path, track: str = "") -> TrainingRun:
    """The training run of an entry's folder, kept below OUT and logged by `track`.

    Raises InvalidEntry when there is no valid recipe, no eval.npz to judge the result, or more than one output.
    """
    recipe, source = read_recipe(entry), read_source(entry)
    if source.evaluation is None:
        raise InvalidEntry(f"training changes the answers of {entry}: add an eval.npz, which judges what comes out.")
    if len(source.graph.outputs) != 1:
        raise InvalidEntry(
            f"{entry} has {len(source.graph.outputs)} outputs; a recipe can train one with a single one."
        )
    return TrainingRun(source, recipe, out / TRAINED / _key(entry, source), track)


def train(training_run: TrainingRun, tell: Tell) -> Trained:
    """What the recipe trains, from the folder when it is there already; `tell` gets progress line by line.

    Raises InvalidSettings without torch, UnsupportedModel when the training fails, HostFailure when the machine does.
    """
    kept = training_run.folder / RESULT
    earlier = _earlier(kept)
    if earlier is not None:
        tell("taking what an earlier run trained")
        return _read(training_run, earlier)
    done = environment.run("train", training_run.job(), training_run.folder, tell)
    notes = _told(done)
    if training_run.recipe.search:
        training_run = training_run if done["run"] else replace(training_run, track="none")
        search = chosen_architecture(training_run, done["run"], tell)
        notes.append(search.note)
        if search.architecture is not None:
            done["stages"] += _stages_of_found(training_run, search.architecture, done["run"], tell)
    done = {**done, "notes": notes, "track": training_run.track}
    trained = _read(training_run, done)
    kept.write_text(json.dumps(done))
    return trained


def _earlier(kept: Path) -> dict[str, Any] | None:
    """What an earlier run left at `kept`; None when there is nothing, or it was cut short and has to be made again."""
    try:
        done = json.loads(kept.read_text())
    except (OSError, ValueError):
        return None
    return done if isinstance(done, dict) else None


def log_figures(training_run: TrainingRun, trained: Trained, variants: Sequence[Variant], chosen: Chosen) -> None:
    """The figures of every timed variant into the training's run, where a tracker has one."""
    if not trained.run:
        return
    figures: dict[str, float] = {}
    for variant in variants:
        measurements = {"speedup": variant.speedup, "size": variant.size, "quality": variant.quality}
        figures |= {
            f"variants/{variant.name}/{name}": float(value) for name, value in measurements.items() if value is not None
        }
    figures["chosen/size_ratio"] = chosen.size_ratio
    figures["chosen/speedup"] = chosen.speedup or 1.0
    job = training_run.job(run=trained.run, track=trained.track, figures=figures)
    environment.run("figures", job, training_run.folder, lambda _: None)


def _stages_of_found(
    training_run: TrainingRun, architecture: Mapping[str, int], run: str, tell: Tell
) -> Sequence[dict[str, Any]]:
    """The stages of the recipe with the architecture found in place of its own student or pruning."""
    recipe = training_run.recipe.model_copy(update={"student": dict(architecture), "prune": None, "search": None})
    retraining = replace(training_run, recipe=recipe, folder=training_run.folder / FOUND)
    stages = environment.run("train", retraining.job(run=run), retraining.folder, tell)["stages"]
    return [
        {**stage, "name": stage["name"].replace("student", FOUND, 1), "path": f"{FOUND}/{stage['path']}"}
        for stage in stages
    ]


def _read(training_run: TrainingRun, done: dict[str, Any]) -> Trained:
    """The result of the training as `Trained`; raises UnsupportedModel when it is not what a training writes."""
    try:
        stages = [_Stage.model_validate(stage) for stage in done["stages"]]
    except (ValidationError, KeyError, TypeError) as bad:
        first = bad.errors()[0]["msg"] if isinstance(bad, ValidationError) else "it lists no stages"
        raise UnsupportedModel(f"what the training says of itself makes no sense: {first}.") from bad
    starts = {
        stage.name: ModelArtifact(
            environment.below(training_run.folder.absolute(), stage.path),
            "onnx",
            stage.precision,
            tuple(f"torch-{name}" for name in stage.passes),
        )
        for stage in stages
    }
    for artifact in starts.values():
        inspect(artifact.path)  # raises what is wrong with a file that the author's code had a hand in
    return Trained(starts, done["run"], tuple(done["notes"]), done.get("track", ""))


def _told(done: Mapping[str, Any]) -> list[str]:
    """What the training says of itself for the report: a few short sentences, whatever its result holds."""
    notes = done.get("notes")
    return [str(note)[:_SENTENCE] for note in notes[:_NOTES]] if isinstance(notes, list) else []


def _key(entry: Path, source: ModelSource) -> str:
    """Changes with any file of the training folder, the entry's model and its tensors' names."""
    total = hashlib.sha256(source.digest().encode())
    for path in sorted((entry / FILE).parent.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(str(path.relative_to(entry)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:12]
