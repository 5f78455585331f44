"""Tuned builds in the store, as the Job makes them."""

from pathlib import Path

import pytest

from modelyard.api.tuning.spec import Tune
from modelyard.builder.artifacts.assemble import ProgressSteps
from modelyard.builder.artifacts.publish import published
from modelyard.builder.optimization.results.publish import publish as publish_optimized
from modelyard.builder.tuning.options import TuningOptions, parse_tuning
from modelyard.builder.tuning.publish import publish_tuned
from modelyard.clients.store import S3Store
from modelyard.core.names import build_digest
from modelyard.core.storage.keys import build_repository
from modelyard.errors import InvalidSettings
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.artifacts.optimizable import SMALLER, a_perceptron, chains
from tests.support.machine.command_line import modelyard
from tests.support.servers.store import StoreServer

IMPOSSIBLE = TuningOptions(percentile=99.0, threshold=0.000001, cpus=1)


def test_a_tuned_build_is_in_the_store_once_with_what_came_of_it(store_server: StoreServer, tmp_path: Path) -> None:
    where = store_server.settings(store_server.new_bucket())
    modelyard("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)
    store, said = S3Store(where), list[str]()
    registry = BucketRegistry(store)
    entry = registry.resolve("toy", version="1")
    fetch = lambda folder: registry.fetch(entry, folder)  # noqa: E731

    report = publish_tuned(entry, "toy", IMPOSSIBLE, store, fetch, ProgressSteps(), seconds=0.3)
    again = publish_tuned(entry, "toy", IMPOSSIBLE, store, fetch, ProgressSteps(said.append))

    assert (again, said) == (report, ["already built"])
    assert (
        report.digest == build_digest(entry.digest, "toy", IMPOSSIBLE.options) != build_digest(entry.digest, "toy", {})
    )
    assert published(store, report.digest) == report
    assert report.optimization is not None
    assert report.optimization.tuned is not None
    assert (report.optimization.variant, report.optimization.tuned.requests_per_second) == ("original", 0.0)
    assert "cannot be kept" in report.optimization.reason
    assert store.get(f"{build_repository(report.digest)}toy/config.pbtxt")


def test_a_chosen_variant_is_tuned_before_it_is_published(store_server: StoreServer, tmp_path: Path) -> None:
    where = store_server.settings(store_server.new_bucket())
    store = S3Store(where)
    registry = BucketRegistry(store)
    entry = registry.push(a_perceptron(tmp_path / "toy")).entry
    fetch = lambda folder: registry.fetch(entry, folder)  # noqa: E731
    recipes = chains(int8_weights=("fold", "int8-weights"))

    report = publish_optimized(entry, "toy", SMALLER, store, fetch, ProgressSteps(), recipes, tuning=IMPOSSIBLE)

    assert report.digest == build_digest(entry.digest, "toy", {**SMALLER.options, **IMPOSSIBLE.options})
    assert report.optimization is not None
    assert report.optimization.variant.endswith("int8-weights")
    assert report.optimization.tuned is not None
    assert not report.optimization.tuned.changed


def test_options_mean_the_same_to_the_spec_and_to_the_job() -> None:
    requested = Tune().options(99.0, 0.05, {"limits": {"cpu": "2"}})

    assert parse_tuning('{"percentile": 99, "threshold": 0.05, "cpus": 2}').options == requested


@pytest.mark.parametrize("text", ["{}", "[]", '{"percentile": 100, "threshold": 1, "cpus": 1}'])
def test_options_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match=r"--tune .* is not usable"):
        parse_tuning(text)


def test_tuning_without_publishing_has_a_verb_of_its_own(tmp_path: Path) -> None:
    ran = modelyard("build", "toy:1", "--tune", "{}", cwd=tmp_path)

    assert ran.code == 2
    assert "`modelyard tune` tunes what lies here" in " ".join(ran.err.replace("│", " ").split())
