"""Two revisions of a real server are asked the same over HTTP and gRPC; known differences are found and said."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from modelyard.api.rollout import Tolerance
from modelyard.clients.inference import comparison
from modelyard.clients.inference.comparison import Connections, Findings, Side
from modelyard.clients.inference.comparison_report import report, short
from modelyard.clients.inference.predictions import Description, Endpoint, Prediction, connect
from modelyard.errors import Refused, Unreachable
from tests.support.servers import inference_server
from tests.support.servers.inference_server import HOST, Manners

STABLE, CANDIDATE = inference_server.REVISIONS
Compare = Callable[..., Findings]


def feeds(count: int) -> list[dict[str, Any]]:
    """Requests that differ."""
    words = np.array(["one"], dtype=object)
    return [{"x": np.array([[index + 1, 2]], "float32"), "word": words} for index in range(count)]


@pytest.fixture
def manners() -> dict[str, Manners]:
    """How the two revisions answer; the same unless a test says otherwise."""
    return {STABLE: Manners(), CANDIDATE: Manners()}


@pytest.fixture
def compare(manners: dict[str, Manners]) -> Iterator[Compare]:
    with inference_server.running(manners) as served:

        def run(asked: list[Any], seconds: float = 60.0, **more: Any) -> Findings:
            def opened(revision: str, grpc: bool) -> Any:
                return connect(Endpoint(served.grpc if grpc else served.http, "double", HOST, revision), grpc=grpc)

            sides = comparison.opened(opened, STABLE, CANDIDATE)
            try:
                return comparison.compare(sides, asked, Tolerance(), seconds, **more)
            finally:
                comparison.close(sides)

        yield run


def test_the_same_model_twice_passes(compare: Compare) -> None:
    found = report(compare(feeds(6)), 0.01, "somewhere")

    assert found["passed"] is True
    assert (found["asked"], found["compared"], found["disagreeing"]) == (6, 6, 0)
    assert found["outputs"]["y"] == {"maxAbsolute": 0, "maxRelative": 0, "disagreeing": 0, "top1Agreement": 1}
    assert set(found["latencyRatio"]) == {"http", "grpc"}
    assert found["message"].startswith("All 6 compared requests got the same answer (at most 0 apart)")


def test_other_numbers_are_found_with_their_size(manners: dict[str, Manners], compare: Compare) -> None:
    manners[CANDIDATE].factor = -2.0

    found = report(compare(feeds(4)), 0.01, "somewhere")

    assert found["passed"] is False
    assert found["share"] == 1.0
    assert found["outputs"]["y"]["maxAbsolute"] == pytest.approx(16.0)
    assert found["outputs"]["y"]["maxRelative"] == pytest.approx(2.0)
    assert found["outputs"]["y"]["top1Agreement"] < 1
    assert found["outputs"]["word"]["disagreeing"] == 0
    assert "4 of 4 compared requests (100.00%) got another answer, 1% may" in found["message"]
    assert "http: y differs by up to 8" in found["message"]


def test_a_candidate_that_fails_over_grpc_alone_is_found(manners: dict[str, Manners], compare: Compare) -> None:
    manners[CANDIDATE].fails_each, manners[CANDIDATE].fails_over = 2, ("grpc",)

    found = compare(feeds(4))

    assert found.disagreeing == 2
    assert all(word.startswith("grpc: the candidate did not answer") for word in found.words)


def test_some_disagreement_may_be_allowed(manners: dict[str, Manners], compare: Compare) -> None:
    manners[CANDIDATE].fails_each, manners[CANDIDATE].fails_over = 4, ("http",)
    found = compare(feeds(4))

    assert found.disagreeing == 1
    assert report(found, 0.25, "")["passed"] is True
    assert report(found, 0.24, "")["passed"] is False


def test_requests_the_stable_does_not_answer_are_passed_over(manners: dict[str, Manners], compare: Compare) -> None:
    manners[STABLE].fails_each, manners[STABLE].fails_over = 1, ("http",)

    found = compare(feeds(2))

    assert (found.compared, found.disagreeing) == (2, 0)
    assert found.times["http"] == []


def test_without_the_stables_answers_nothing_is_said_of_the_candidate(
    manners: dict[str, Manners], compare: Compare
) -> None:
    manners[STABLE].fails_each = 1

    with pytest.raises(Unreachable, match="answered 0 of 3 requests, too few to compare with"):
        compare(feeds(3))


def test_an_answer_by_another_revision_ends_it(manners: dict[str, Manners], compare: Compare) -> None:
    manners[CANDIDATE].as_revision = STABLE

    with pytest.raises(Refused, match=f"revision {CANDIDATE} was asked and {STABLE} answered"):
        compare(feeds(1))


class Timed:
    """A connection whose answers take a known time of a clock that only it moves."""

    now = 0.0

    def __init__(self, revision: str, seconds: float) -> None:
        self.revision, self.seconds = revision, seconds

    def describe(self) -> Description:
        return Description("double", (), ())

    def predict(self, inputs: Any) -> Prediction:
        Timed.now += self.seconds
        return Prediction({}, self.revision)

    def close(self) -> None:
        return


def test_the_ratio_is_that_of_the_median_times() -> None:
    sides = [Connections("http", Side(STABLE, Timed(STABLE, 2.0)), Side(CANDIDATE, Timed(CANDIDATE, 5.0)))]

    found = comparison.compare(sides, feeds(4), Tolerance(), 1000.0, clock=lambda: Timed.now)

    assert found.ratios() == {"http": 2.5}
    assert len(found.times["http"]) == 3, "the first pair also opens the connections"


def test_it_ends_in_time_with_one_request_at_least(compare: Compare) -> None:
    assert compare(feeds(5), seconds=0.0).asked == 1


def test_where_only_failures_count_other_outputs_are_shown_and_pass(
    manners: dict[str, Manners], compare: Compare
) -> None:
    manners[CANDIDATE].factor = -2.0

    found = report(compare(feeds(4)), 0.01, "somewhere", failures_only=True)

    assert (found["passed"], found["disagreeing"], found["failed"]) == (True, 4, 0)
    assert "4 of 4 compared requests (100.00%) got another answer, none failed, which 1% may" in found["message"]


def test_where_only_failures_count_a_candidate_that_fails_does_not_pass() -> None:
    found = report(Findings(10, 10, 3, failed=3, words=["http: the candidate did not answer"]), 0.2, "", True)

    assert (found["passed"], found["failed"]) == (False, 3)
    assert "3 got none, which 20% may: for example, http: the candidate did not answer" in found["message"]
    assert report(Findings(10, 10, 3, failed=2), 0.2, "", True)["passed"] is True


def test_percentiles_of_both_sides_stand_side_by_side() -> None:
    times = {"http": [(index / 1000, 2 * index / 1000) for index in range(1, 101)], "grpc": []}

    assert report(Findings(101, 101, times=times), 0.0, "")["latency"] == {
        "http": {"stable": {"p50": 50.0, "p99": 99.0}, "candidate": {"p50": 100.0, "p99": 198.0}}
    }


def test_the_short_report_fits_a_status(compare: Compare) -> None:
    found = report(compare(feeds(2)), 0.01, "somewhere")

    assert set(short(found)) == {
        "asked", "compared", "disagreeing", "failed", "share", "allowed", "failuresOnly", "latencyRatio", "outputs",
    }  # fmt: skip
