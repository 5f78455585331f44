"""What was promised, in the form in which it is counted."""

import pytest

from modelyard.api.model import Slo
from modelyard.core.slo.objectives import Promise, promised


def test_every_promise_of_the_spec_allows_what_it_leaves():
    slo = Slo.model_validate(
        {"errorRate": "0.1%", "latency": {"percentile": 99, "threshold": "100ms"}, "availability": "99.95%"}
    )
    found = {objective.promise: objective for objective in promised(slo)}
    assert {promise: objective.allowed for promise, objective in found.items()} == pytest.approx(
        {Promise.ERRORS: 0.001, Promise.LATENCY: 0.01, Promise.AVAILABILITY: 0.0005}
    )
    assert [objective.text for objective in found.values()] == [
        "0.1% may fail", "p99 within 100ms", "99.95% of the time",
    ]  # fmt: skip
    assert all(objective.countable for objective in found.values())


@pytest.mark.parametrize("slo", [None, Slo()])
def test_what_was_not_promised_is_not_counted(slo):
    assert promised(slo) == ()


@pytest.mark.parametrize(
    ("threshold", "bound"), [("100ms", 100), ("120ms", 100), ("7.5ms", 7.5), ("1m", 10000), ("0.5ms", None)]
)
def test_the_largest_bucket_that_is_not_above_the_threshold_judges(threshold, bound):
    [latency] = promised(Slo.model_validate({"latency": {"percentile": 99, "threshold": threshold}}))
    assert (latency.bound, latency.countable) == (bound, bound is not None)
