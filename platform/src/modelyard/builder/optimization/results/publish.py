"""Optimized builds: on this machine, and in the store with a checkpoint that survives the Job.

The shared layer is that of the plain build of the same entry, and the variant is laid out in its place. What people
read about the optimization lies beside the build; `report.json` of the build is written last, as always.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from modelyard.api.entry import Entry
from modelyard.api.optimization import Progress
from modelyard.api.report import BuildSource, Report
from modelyard.builder.artifacts.assemble import Artifact, AssemblyRequest, ProgressSteps
from modelyard.builder.artifacts.publish import Fetch, Signature, part_of, published, upload
from modelyard.builder.artifacts.shared_layer import SharedLayer, make_part
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.optimization.optimizer import OptimizationOutcome, Recipes, Watch, optimize
from modelyard.builder.optimization.options import OptimizationOptions
from modelyard.builder.optimization.progress_reporter import ProgressReporter
from modelyard.builder.optimization.report.report import write_report
from modelyard.builder.optimization.search.recipes import recipes as every_recipe
from modelyard.builder.optimization.training.starting_points import begin
from modelyard.builder.optimization.trials.checkpoint import StoredCheckpoint
from modelyard.builder.optimization.trials.memory import Checkpoint
from modelyard.builder.tuning.options import TuningOptions
from modelyard.builder.tuning.publish import with_tuning
from modelyard.builder.tuning.response_cache import require_deterministic, require_no_chance, with_cache
from modelyard.core.artifacts.signatures import SIGNED
from modelyard.core.names import build_digest
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidSettings, OutsideError
from modelyard.settings import Settings
from modelyard.signing.build_provenance import BuildSigner

from .artifact import assemble
from .cheapest import assemble_cheapest

OPTIMIZATION = "optimization"


def build(
    path: Path,
    optimization: OptimizationOptions,
    request: AssemblyRequest,
    out: Path,
    steps: ProgressSteps,
    watch: Watch,
    recipes: Recipes = every_recipe,
    *,
    trust_code: bool = False,
) -> Artifact:
    """The optimized artifact of what is at PATH in OUT, with OUT/optimization beside the repository.

    Options that train run the Python of the entry: InvalidEntry without `trust_code`. Raises what `optimize` raises.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-optimize-") as scratch:
        folder = Path(scratch)
        with steps.step("evidence", "trying the model"):
            shared_layer = make_part(read_source(path), folder / "part", steps.attempts)
        outcome = _optimized(_Task(path, optimization, recipes, trust_code), folder, steps, watch, Checkpoint())
        artifact, outcome = assemble(shared_layer, outcome, request, out, folder, steps)
        shutil.rmtree(out / OPTIMIZATION, ignore_errors=True)
        write_report(outcome, out / OPTIMIZATION)
        return artifact


def publish(
    entry: Entry,
    model: str,
    optimization: OptimizationOptions,
    store: Store,
    fetch: Fetch,
    steps: ProgressSteps,
    recipes: Recipes = every_recipe,
    *,
    trust_code: bool = False,
    tuning: TuningOptions | None = None,
    cache: bool = False,
    signer: BuildSigner | None = None,
) -> Report:
    """The report of the optimized build of an entry under a model's name; builds it unless it is there.

    With `tuning` the chosen variant is tuned as well; the goal cost needs it, and is InvalidSettings without. With a
    `signer` it is another build, which is signed; one whose Job was evicted then begins anew, because whoever can write
    to the store could have written what an earlier Job found.
    """
    if optimization.goal == "cost" and tuning is None:
        raise InvalidSettings(
            "the goal cost is the cost of keeping an objective: say which by --tune, in a Model by slo.latency."
        )
    if cache:
        require_deterministic(entry)
    options = {**optimization.options, **(tuning.options if tuning is not None else {})}
    options |= {**({"cache": True} if cache else {}), **(SIGNED if signer is not None else {})}
    signature = Signature(signer, options) if signer is not None else None
    digest = build_digest(entry.digest, model, options)
    present = published(store, digest)
    if present is not None:
        steps.say("already built")
        return present
    with tempfile.TemporaryDirectory(prefix="modelyard-optimize-") as scratch:
        request = AssemblyRequest(model, digest, _source(entry), optimization.target)
        task = _Task(Path(scratch, "entry"), optimization, recipes, trust_code, tuning, cache, signature)
        report = _published(entry, request, task, store, fetch, steps, Path(scratch))
    return published(store, digest) or report


@dataclass(frozen=True)
class _Task:
    """What is to be optimized: the entry's folder, the options, the recipes, whether its code is trusted, how the
    result is tuned, whether its server may keep answers, and who signs it."""

    path: Path
    optimization: OptimizationOptions
    recipes: Recipes
    trust_code: bool
    tuning: TuningOptions | None = None
    cache: bool = False
    signature: Signature | None = None


def _published(
    entry: Entry, request: AssemblyRequest, task: _Task, store: Store, fetch: Fetch, steps: ProgressSteps, folder: Path
) -> Report:
    digest = request.digest
    shared_layer = part_of(entry, None if task.signature else store, fetch, folder, steps)
    if task.cache:
        require_no_chance(shared_layer)
    if not task.path.is_dir():
        with steps.step("fetch", f"fetching {entry.name}:{entry.version}"):
            fetch(task.path)
    asked = task.optimization.request(task.path, folder / OPTIMIZATION)
    checkpoint = StoredCheckpoint(store, digest, asked, recalls=task.signature is None)

    def tell(progress: Progress) -> None:
        checkpoint.tick()
        store.put(keys.build_progress(digest), progress.model_dump_json(by_alias=True).encode())

    log = Watch(say=steps.say, tried=lambda trial: steps.say(f"{trial.name}: {trial.refused or 'answers'}"))
    with ProgressReporter(tell, lambda: checkpoint.seconds, log, before=_last_progress(store, digest)) as reporter:
        outcome = _optimized(task, folder, steps, reporter.watch(), checkpoint)
        reporter.say("proving what was chosen")
        if task.tuning is not None and outcome.request.goal == "cost":
            reporter.say("finding the cheapest under load")
            prices = Settings.read().prices
            artifact, outcome = assemble_cheapest(
                shared_layer, outcome, request, task.tuning, prices, folder / "out", folder, steps
            )
        else:
            artifact, outcome = assemble(shared_layer, outcome, request, folder / "out", folder, steps)
            if task.tuning is not None:
                reporter.say("tuning what was chosen")
                artifact = with_tuning(artifact, task.tuning, steps)
        if task.cache:
            artifact = with_cache(artifact, shared_layer)
        reporter.say("publishing")
        _upload(artifact, outcome, shared_layer, entry, store, folder / OPTIMIZATION, task.signature)
    _tidy(checkpoint, store, digest)
    return artifact.report


def _last_progress(store: Store, digest: str) -> Progress | None:
    """The progress that an interrupted run wrote last; None when there is none, or it cannot be read."""
    content = store.get(keys.build_progress(digest))
    try:
        return None if content is None else Progress.model_validate_json(content)
    except ValidationError:
        return None


def _source(entry: Entry) -> BuildSource:
    return BuildSource(kind="entry", name=entry.name, version=entry.version, digest=entry.digest)


def _optimized(
    task: _Task, folder: Path, steps: ProgressSteps, watch: Watch, checkpoint: Checkpoint
) -> OptimizationOutcome:
    request = task.optimization.request(task.path, folder / OPTIMIZATION)
    if not task.optimization.train:
        checkpoint.start()
        with steps.step("optimization", "optimizing"):
            return optimize(request, task.recipes, folder / "variants", watch, checkpoint)
    with steps.step("training", "training"):
        start = begin(request, task.trust_code, watch.say, checkpoint)
    checkpoint.start()
    with steps.step("optimization", "optimizing"):
        outcome = optimize(start.request, start.recipes, folder / "variants", watch, checkpoint)
    start.log(outcome, watch.say)
    return outcome


def _upload(
    artifact: Artifact,
    outcome: OptimizationOutcome,
    shared_layer: SharedLayer,
    entry: Entry,
    store: Store,
    folder: Path,
    signature: Signature | None,
) -> None:
    """Uploads the report for people first, then the build: whoever sees the build sees the report too."""
    digest = artifact.report.digest
    shutil.rmtree(folder, ignore_errors=True)
    write_report(outcome, folder)
    for path in sorted(folder.iterdir()):
        store.upload(path, keys.build_optimization(digest, path.name))
    upload(artifact, keys.part_digest(entry.digest), shared_layer, digest, store, signature)


def _tidy(checkpoint: StoredCheckpoint, store: Store, digest: str) -> None:
    """Removes what only an unfinished optimization needs."""
    checkpoint.forget()
    try:
        store.delete(keys.build_progress(digest))
    except OutsideError:
        return
