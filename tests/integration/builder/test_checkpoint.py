"""A study: what an interrupted optimization found is not made again, and whatever is damaged or foreign is ignored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelyard.builder.optimization.optimizer import OptimizationOutcome, OptimizationRequest, Watch, optimize
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.search.optuna_search import JOURNAL
from modelyard.builder.optimization.trials.checkpoint import STATE, StoredCheckpoint
from modelyard.builder.optimization.trials.trial import Trial
from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from tests.support.servers.store import StoreServer
from tests.unit.builder.optimization.classifier import an_entry, an_order
from tests.unit.builder.optimization.tiny_passes import recipes

DIGEST = "sha256:" + "ab" * 32
NAMES = ("identity", "flip", "refusing")
PASSES_ARE_IN = str(Path(__file__).resolve().parents[3])


class Evicted(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _passes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", PASSES_ARE_IN)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_entry(tmp_path_factory.mktemp("checkpoint") / "entry")


@pytest.fixture
def order(entry: Path, tmp_path: Path) -> OptimizationRequest:
    return an_order(entry, tmp_path / "first")


class Job:
    """One process of the optimization: which recipes it tried, and how it ended."""

    def __init__(self, store: S3Store, order: OptimizationRequest, scratch: Path, *names: str) -> None:
        self.study = StoredCheckpoint(store, DIGEST, order)
        self.study.start()
        self.order, self.scratch, self.names = order, scratch, names or NAMES
        self.tried: list[str] = []

    def run(self, until: str = "") -> OptimizationOutcome:
        """To the end, or until the recipe of that name is about to be tried."""

        def trying(name: str) -> None:
            if name == until:
                raise Evicted
            self.tried.append(name)

        return optimize(self.order, recipes(*self.names), self.scratch, Watch(trying=trying), self.study)


def stored(store: S3Store) -> set[str]:
    prefix = keys.build_study(DIGEST, "")
    return {one.key.removeprefix(prefix) for one in store.list(prefix)}


@pytest.fixture(scope="module")
def first_job(store_server: StoreServer, entry: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A Job that was evicted before its last recipe."""
    folder, where = tmp_path_factory.mktemp("first-job"), store_server.settings(store_server.new_bucket())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", PASSES_ARE_IN)
        job = Job(S3Store(where), an_order(entry, folder / "first"), folder / "one")
        with pytest.raises(Evicted):
            job.run(until="refusing")
    return job


@pytest.fixture
def evicted(first_job: Job, store: S3Store, order: OptimizationRequest, tmp_path: Path) -> Job:
    """The evicted Job, and what it left in this test's own store."""
    left = first_job.study._store
    for one in left.list(keys.build_study(DIGEST, "")):
        store.put(one.key, left.get(one.key) or b"")
    job = Job(store, order, tmp_path / "one")
    job.tried = first_job.tried
    return job


def by_name(outcome: OptimizationOutcome) -> dict[str, tuple[Any, ...]]:
    return {one.name: (one.quality, one.quality_loss, one.size, one.passes) for one in outcome.variants}


def test_the_next_job_tries_only_what_is_left_and_times_all(
    store: S3Store, order: OptimizationRequest, evicted: Job, tmp_path: Path
) -> None:
    job = Job(store, order, tmp_path / "two")

    outcome = job.run()

    whole = optimize(order, recipes(*NAMES), tmp_path / "whole")
    assert (evicted.tried, job.tried) == (["identity", "flip"], ["refusing"])
    assert by_name(outcome) == by_name(whole)
    assert {name for name, one in ((v.name, v) for v in outcome.variants) if 1 in one.latency} == {
        "original", "identity", "flip",
    }  # fmt: skip
    assert outcome.spent > job.study.spent > 0


def test_the_seconds_of_the_first_job_count(
    store: S3Store, order: OptimizationRequest, first_job: Job, evicted: Job
) -> None:
    spent = first_job.study.seconds

    assert 0 < StoredCheckpoint(store, DIGEST, order).spent <= spent


def test_a_job_that_comes_when_the_budget_is_spent_times_what_was_found(
    store: S3Store, order: OptimizationRequest, evicted: Job, tmp_path: Path
) -> None:
    evicted.study.spent += order.budget
    evicted.study.tick()
    job = Job(store, order, tmp_path / "two")

    outcome = job.run()

    assert job.tried == []
    refused = {one.name: one.refused or "" for one in outcome.variants}
    assert f"of the budget of {order.budget:g} s was spent" in refused["refusing"]
    assert {one.name for one in outcome.variants if 1 in one.latency} == {"original", "identity", "flip"}


def _damage(store: S3Store, end: str, content: bytes) -> None:
    for name in stored(store):
        if name.endswith(end):
            store.put(keys.build_study(DIGEST, name), content)


def _lose(store: S3Store, end: str) -> None:
    for name in stored(store):
        if name.endswith(end):
            store.delete(keys.build_study(DIGEST, name))


DAMAGE: dict[str, Callable[[S3Store], None]] = {
    "models cut short": lambda store: _damage(store, "model.onnx", b"half"),
    "facts that are none": lambda store: _damage(store, ".json", b'{"spent": "much"}'),
    "facts that are no JSON": lambda store: _damage(store, ".json", b"\xff"),
    "models that are gone": lambda store: _lose(store, "model.onnx"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_made_again(
    damage: str, store: S3Store, order: OptimizationRequest, evicted: Job, tmp_path: Path
) -> None:
    DAMAGE[damage](store)
    job = Job(store, order, tmp_path / "two")

    outcome = job.run()

    assert job.tried == list(NAMES)
    assert {one.name for one in outcome.variants if 1 in one.latency} == {"original", "identity", "flip"}


def test_a_file_that_would_leave_its_folder_is_ignored(
    store: S3Store, order: OptimizationRequest, evicted: Job, tmp_path: Path
) -> None:
    for name in stored(store):
        if name.endswith(".json") and name != STATE:
            place = keys.build_study(DIGEST, name)
            store.put(place, (store.get(place) or b"").replace(b'"model.onnx"', b'"../model.onnx"'))

    assert (
        StoredCheckpoint(store, DIGEST, order).recall(Recipe("identity", (("identity", {}),)), tmp_path / "here")
        is None
    )
    assert not (tmp_path / "model.onnx").exists()


def test_what_another_kind_of_machine_found_does_not_count(
    store: S3Store, order: OptimizationRequest, evicted: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "modelyard.builder.optimization.trials.checkpoint.telling_flags", lambda flags: ("avx512_vnni", "another")
    )
    job = Job(store, order, tmp_path / "two")

    job.run()

    assert job.tried == list(NAMES)


def test_a_recipe_that_was_under_way_when_the_builder_ended_twice_is_left_out(
    store: S3Store, order: OptimizationRequest, tmp_path: Path
) -> None:
    recipe = Recipe("identity", (("identity", {}),))
    for _ in range(2):
        assert StoredCheckpoint(store, DIGEST, order).begin(recipe) is None

    outcome = Job(store, order, tmp_path / "work", "identity", "flip").run()

    refused = {one.name: one.refused or "" for one in outcome.variants}
    assert "stopped 2 times while it was under way" in refused["identity"]
    assert "is lost" in refused["flip"]


def test_a_recipe_that_fails_is_not_tried_again_either(
    store: S3Store, order: OptimizationRequest, tmp_path: Path
) -> None:
    Job(store, order, tmp_path / "one", "refusing").run()
    job = Job(store, order, tmp_path / "two", "refusing")

    outcome = job.run()

    assert job.tried == []
    assert "refusing does not apply" in (outcome.variants[1].refused or "")


def test_a_search_goes_on_from_its_draws_with_the_models_of_the_best(
    store: S3Store, tmp_path: Path, order: OptimizationRequest
) -> None:
    first = an_order(order.path, tmp_path / "first", goal="size", budget=400.0, search=True)
    found = Job(store, first, tmp_path / "one", "tunable").run().search_result
    second = an_order(order.path, tmp_path / "second", goal="size", budget=400.0, search=True)
    job = Job(store, second, tmp_path / "two", "tunable")
    made: list[str] = []

    def recall(recipe: Recipe, folder: Path) -> Trial | None:
        known = StoredCheckpoint.recall(job.study, recipe, folder)
        if known is None:
            made.append(recipe.name)
        return known

    job.study.recall = recall  # type: ignore[method-assign]
    again = job.run()

    assert found.best
    assert (again.search_result.drawn, made) == (found.drawn, [])
    assert {one.size for one in again.search_result.best} == {one.size for one in found.best}


@pytest.mark.parametrize("content", [b"no journal", b"no\n", b'{"op_code": 0}\n', b'{"op_code": 99}\n{'])
def test_a_journal_that_optuna_cannot_read_is_as_if_there_were_none(
    content: bytes, store: S3Store, order: OptimizationRequest
) -> None:
    store.put(keys.build_study(DIGEST, JOURNAL), content)

    StoredCheckpoint(store, DIGEST, order)

    assert not (order.out / JOURNAL).exists()


def test_nothing_is_left_when_it_is_forgotten(store: S3Store, evicted: Job) -> None:
    assert STATE in stored(store)

    evicted.study.forget()

    assert stored(store) == set()


def trained(folder: Path, content: str = "a model") -> Path:
    """A folder as training leaves it."""
    (folder / "student").mkdir(parents=True)
    (folder / "student" / "model.onnx").write_text(content)
    (folder / "stages.json").write_text("{}")
    return folder


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_was_trained_is_not_trained_again(store: S3Store, order: OptimizationRequest, tmp_path: Path) -> None:
    StoredCheckpoint(store, DIGEST, order).keep_trained(trained(tmp_path / "one" / "0123"))
    study = StoredCheckpoint(store, DIGEST, order)

    study.recall_trained(tmp_path / "two" / "0123")
    study.recall_trained(tmp_path / "two" / "4567")

    assert files(tmp_path / "two" / "0123") == files(tmp_path / "one" / "0123")
    assert not (tmp_path / "two" / "4567").exists()
    study.forget()
    assert stored(store) == set()


def test_what_is_damaged_is_trained_again(store: S3Store, order: OptimizationRequest, tmp_path: Path) -> None:
    StoredCheckpoint(store, DIGEST, order).keep_trained(trained(tmp_path / "one" / "0123"))
    [place] = [name for name in stored(store) if name.startswith("trained-")]
    whole = store.get(keys.build_study(DIGEST, place)) or b""
    store.put(keys.build_study(DIGEST, place), whole[: len(whole) // 2])

    StoredCheckpoint(store, DIGEST, order).recall_trained(tmp_path / "two" / "0123")

    assert not (tmp_path / "two" / "0123").exists()


def test_training_takes_nothing_of_the_budget(store: S3Store, order: OptimizationRequest) -> None:
    study = StoredCheckpoint(store, DIGEST, order)
    study.tick()
    assert study.seconds == 0.0

    study.start()

    assert study.seconds > 0.0


class OvertakenLock:
    """A lock that another thread always gets first: `first` runs before whoever asks for it."""

    def __init__(self, first: Callable[[], object]) -> None:
        self.first: Callable[[], object] | None = first

    def __enter__(self) -> None:
        first, self.first = self.first, None
        if first is not None:
            first()

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""


def test_a_tick_never_undoes_what_another_thread_has_begun(store: S3Store, order: OptimizationRequest) -> None:
    study, recipe = StoredCheckpoint(store, DIGEST, order), Recipe("flip", (("flip", {}),))
    study._lock = OvertakenLock(lambda: study.begin(recipe))  # type: ignore[assignment]

    study.tick()

    begun = StoredCheckpoint(store, DIGEST, order)
    assert begun.begin(recipe) is None
    assert StoredCheckpoint(store, DIGEST, order).begin(recipe) is not None


def test_a_study_that_does_not_recall_begins_anew_whatever_lies_in_the_store(
    evicted: Job, store: S3Store, order: OptimizationRequest, tmp_path: Path
) -> None:
    recipe = Recipe("identity", (("identity", {}),))
    assert StoredCheckpoint(store, DIGEST, order).recall(recipe, tmp_path / "there") is not None

    study = StoredCheckpoint(store, DIGEST, order, recalls=False)

    assert study.spent == 0
    assert study.recall(recipe, tmp_path / "here") is None
    study.recall_trained(tmp_path / "trained")
    assert not (tmp_path / "trained").exists()
