"""Optimized builds in the store, as the Job makes them: complete with their report, and nothing left over."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from modelyard.api.entry import Entry
from modelyard.api.optimization import Optimization, Progress
from modelyard.api.report import Report
from modelyard.builder.artifacts.assemble import ProgressSteps
from modelyard.builder.artifacts.publish import publish as publish_plain
from modelyard.builder.artifacts.publish import published
from modelyard.builder.optimization.options import OptimizationOptions
from modelyard.builder.optimization.results.publish import publish
from modelyard.clients.store import S3Store
from modelyard.core.names import build_digest
from modelyard.core.storage import keys
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.artifacts.optimizable import SMALLER, a_perceptron, chains
from tests.support.machine.command_line import modelyard
from tests.support.servers.store import StoreServer

RECIPES = chains(int8_weights=("fold", "int8-weights"), refusing=("fuse",))
SEARCHED = replace(SMALLER, leftover=True)


def publishing(
    store: S3Store, entry: Entry, steps: ProgressSteps | None = None, options: OptimizationOptions = SMALLER
) -> Report:
    registry = BucketRegistry(store)
    fetch = lambda folder: registry.fetch(entry, folder)  # noqa: E731
    return publish(entry, "mine", options, store, fetch, steps or ProgressSteps(), RECIPES)


def under(store: S3Store, prefix: str) -> set[str]:
    return {stored.key.removeprefix(prefix) for stored in store.list(prefix)}


class Recorded(S3Store):
    """A store that remembers every progress that was written."""

    def __init__(self, settings: StoreSettings) -> None:
        super().__init__(settings)
        self.progress: list[Progress] = []

    def put(self, key: str, content: bytes) -> None:
        if key.endswith("/progress.json"):
            self.progress.append(Progress.model_validate_json(content))
        super().put(key, content)


@dataclass(frozen=True)
class Made:
    """An optimized build of an entry that was built plainly before."""

    store: Recorded
    entry: Entry
    size: int
    plain_parts: set[str]
    steps: ProgressSteps
    report: Report


@pytest.fixture(scope="module")
def made(store_server: StoreServer, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = a_perceptron(tmp_path_factory.mktemp("made") / "entry")
    store = Recorded(store_server.settings(store_server.new_bucket()))
    registry, steps = BucketRegistry(store), ProgressSteps()
    entry = registry.push(folder).entry
    publish_plain(entry, "mine", "cpu", store, lambda folder: registry.fetch(entry, folder), ProgressSteps())
    parts = under(store, "parts/")
    report = publishing(store, entry, steps, SEARCHED)
    return Made(store, entry, (folder / "model.onnx").stat().st_size, parts, steps, report)


def test_the_build_holds_the_variant_its_report_and_the_page_and_nothing_unfinished(made: Made) -> None:
    store, report = made.store, made.report

    digest = build_digest(made.entry.digest, "mine", SMALLER.options)
    assert (report.digest, published(store, digest)) == (digest, report)
    assert under(store, keys.build_repository(digest)) == {"mine/config.pbtxt", "mine/1/model.onnx"}
    served = store.get(keys.build_repository(digest) + "mine/1/model.onnx")
    assert served is not None
    assert len(served) < 0.6 * made.size
    told = Optimization.model_validate_json(store.get(keys.build_optimization(digest, "report.json")) or b"")
    assert report.optimization is not None
    assert told.chosen.name == report.optimization.variant
    assert told.chosen.name.endswith("int8-weights")
    assert any(variant.name.startswith("tuned-") for variant in told.variants), "what time was left was searched"
    assert store.get(keys.build_optimization(digest, "report.html"))
    assert (under(store, "studies/"), store.get(keys.build_progress(digest))) == (set(), None)
    assert [one.done for one in store.progress] == sorted(one.done for one in store.progress)
    assert store.progress[-1].planned >= 2
    assert store.progress[-1].best_name.endswith("int8-weights")
    assert store.progress[-1].best == pytest.approx(1 / told.chosen.size_ratio, rel=0.01)


def test_the_same_optimized_build_is_never_made_twice(made: Made) -> None:
    said = list[str]()

    again = publishing(made.store, made.entry, ProgressSteps(said.append))

    assert (again, said) == (made.report, ["already built"])
    assert made.report.digest != build_digest(made.entry.digest, "mine", {})


def test_what_the_plain_build_left_is_not_made_again(made: Made) -> None:
    assert made.plain_parts
    assert under(made.store, "parts/") == made.plain_parts
    assert "evidence" not in made.steps.seconds


class Evicted(Exception):
    """Stands for the end of the process."""


class Evicting(S3Store):
    """A store whose client's pod is evicted before the repository is uploaded."""

    def upload(self, path: Path, key: str, progress: Callable[[int], None] | None = None) -> None:
        if "/repository/" in key:
            raise Evicted
        super().upload(path, key, progress)


def test_a_job_that_is_stopped_while_it_uploads_leaves_no_build_and_the_next_one_goes_on(
    store_server: StoreServer, tmp_path: Path
) -> None:
    where = store_server.settings(store_server.new_bucket())
    store = S3Store(where)
    entry = BucketRegistry(store).push(a_perceptron(tmp_path / "entry")).entry
    digest = build_digest(entry.digest, "mine", SMALLER.options)
    with pytest.raises(Evicted):
        publishing(Evicting(where), entry)
    assert published(store, digest) is None
    study, said = under(store, keys.build_study(digest, "")), list[str]()

    report = publishing(store, entry, ProgressSteps(said.append))

    assert any(name.endswith("/model.onnx") for name in study)
    assert not [line for line in said if "trying int8" in line]
    assert report.optimization is not None
    assert report.optimization.variant.endswith("int8-weights")
    assert under(store, "studies/") == set()


def test_a_budget_too_small_for_the_model_is_said_where_the_operator_reads_it(
    store_server: StoreServer, tmp_path: Path
) -> None:
    where, log = store_server.settings(store_server.new_bucket()), tmp_path / "termination-log"
    modelyard("push", a_perceptron(tmp_path / "entry"), store=where, cwd=tmp_path)

    ran = modelyard(
        "build", "perceptron:1", "--name", "mine", "--publish", "--optimize", '{"budget": 0.2}', store=where,
        cwd=tmp_path, MODELYARD_TERMINATION_LOG=str(log),
    )  # fmt: skip

    words = json.loads(log.read_text())
    assert (ran.code, words["reason"]) == (2, "BudgetTooSmall")
    assert words["message"].startswith("A budget of 0.2 s is too small")
    assert "spec.optimize.budget" in words["message"]
