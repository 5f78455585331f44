"""The goal cost on a real Triton: variants under load on replicas of several sizes, and the cheapest is laid out."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import BuildSource, Report
from modelyard.builder.artifacts.assemble import REPORT, REPOSITORY, AssemblyRequest, ProgressSteps
from modelyard.builder.artifacts.shared_layer import make_part
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.optimization.optimizer import OptimizationOutcome, optimize
from modelyard.builder.optimization.report.report import write_report
from modelyard.builder.optimization.results.cheapest import assemble_cheapest
from modelyard.builder.optimization.results.publish import publish
from modelyard.builder.tuning.options import TuningOptions
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_optimization
from modelyard.errors import InvalidSettings
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import PriceSettings
from tests.support.artifacts.optimizable import SMALLER, a_perceptron, chains
from tests.support.servers.store import StoreServer

CHEAPER = replace(SMALLER, goal="cost")
IMPOSSIBLE = TuningOptions(percentile=99.0, threshold=0.000001, cpus=1)
RECIPES = chains(int8_weights=("fold", "int8-weights"))
DIGEST = "sha256:" + "c" * 64


def of_the_original_alone(outcome: OptimizationOutcome) -> OptimizationOutcome:
    """Which variant is faster depends on the machine; the original always may be measured."""
    return replace(outcome, variants=tuple(each for each in outcome.variants if each.name == ORIGINAL))


def test_every_size_is_measured_and_the_cheapest_serves(tmp_path: Path) -> None:
    folder, steps = a_perceptron(tmp_path / "toy"), ProgressSteps()
    layer = make_part(read_source(folder), tmp_path / "part", steps.attempts)
    request = AssemblyRequest("toy", DIGEST, BuildSource(kind="entry", name="toy", version="1", digest=DIGEST))
    outcome = optimize(CHEAPER.request(folder, tmp_path / "o"), RECIPES, tmp_path / "variants")
    original_alone = of_the_original_alone(outcome)
    easy = TuningOptions(percentile=50.0, threshold=10.0, cpus=min(2, len(os.sched_getaffinity(0))))
    prices = PriceSettings(cpu_core_hour=0.04)

    artifact, chosen = assemble_cheapest(
        layer, original_alone, request, easy, prices, tmp_path / "out", tmp_path, steps, most=2, seconds=0.3
    )

    assert {(option.variant, option.cpus) for option in chosen.costs} == {
        (ORIGINAL, size) for size in range(1, easy.cpus + 1)
    }
    report = Report.model_validate_json((tmp_path / "out" / REPORT).read_bytes())
    assert report == artifact.report
    assert (tmp_path / "out" / REPOSITORY / "toy" / "config.pbtxt").is_file()
    assert report.optimization is not None
    assert report.optimization.goal == "cost"
    assert report.tuning is not None
    known = [option for option in chosen.costs if option.cores_per_thousand is not None]
    if known:  # a client that is the bottleneck gives no figure
        [taken] = [option for option in chosen.costs if option.chosen]
        assert taken.cpus == report.tuning.cpus
        assert taken.per_thousand is not None
    write_report(chosen, tmp_path / "page")
    assert "What keeping the objective costs" in (tmp_path / "page" / "report.html").read_text()


def test_an_objective_that_nothing_keeps_leaves_the_original(store_server: StoreServer, tmp_path: Path) -> None:
    store = S3Store(store_server.settings(store_server.new_bucket()))
    registry = BucketRegistry(store)
    entry = registry.push(a_perceptron(tmp_path / "toy")).entry
    fetch = lambda folder: registry.fetch(entry, folder)  # noqa: E731

    report = publish(entry, "toy", CHEAPER, store, fetch, ProgressSteps(), RECIPES, tuning=IMPOSSIBLE)

    assert report.optimization is not None
    assert (report.optimization.variant, report.optimization.goal) == (ORIGINAL, "cost")
    assert "No variant keeps p99<0.001ms, whatever the replica's size" in report.optimization.reason
    page = store.get(build_optimization(report.digest, "report.html"))
    assert page is not None
    assert b"not kept" in page


def test_without_an_objective_there_is_no_cost(store_server: StoreServer, tmp_path: Path) -> None:
    store = S3Store(store_server.settings(store_server.new_bucket()))
    entry = BucketRegistry(store).push(a_perceptron(tmp_path / "toy")).entry

    with pytest.raises(InvalidSettings, match="the goal cost is the cost of keeping an objective"):
        publish(entry, "toy", CHEAPER, store, lambda _: None, ProgressSteps(), RECIPES)
