"""A gate in a few lines: bars that are full only when the gate has decided, and numbers with their meaning."""

import pytest

from modelyard.api.rollout_status import GateStatus
from modelyard.cli.rollout.gates import BAR, filled, gate, number, share, short
from tests.support.machine.captured_output import printed, row_with
from tests.support.objects.rollout_statuses import a_gate


def shown(*given, **more):
    return printed(gate(GateStatus.model_validate(a_gate(*given, **more))), 120)


@pytest.mark.parametrize(
    ("value", "cells"),
    [(0.0, 0), (1.0, 0), (10.0, 12), (99.99, 23), (100.0, 24), (1e300, 24)],
)
def test_a_bar_grows_by_the_logarithm_and_is_full_only_at_the_threshold(value, cells):
    assert filled(value, 100.0) == cells


def test_evidence_of_every_size_fits_a_bar():
    for power in range(-300, 300, 7):
        assert 0 <= filled(10.0**power, 200.0) <= BAR


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2, "0.2"), (3.456, "3.46"), (120.4, "120"), (1200.0, "1,200"), (1.23e7, "1.2e7"), (1e12, "1e12")],
)
def test_an_e_value_has_as_many_digits_as_mean_something(value, text):
    assert number(value) == text


def test_a_share_of_no_requests_has_no_percentage():
    assert share(0, 0) == "0 of 0"
    assert share(12, 1204) == "12 of 1,204 (1 %)"


def test_a_gate_that_goes_on_says_when_it_may_pass():
    assert "… errors  Continue, may pass in about 3m10s" in shown()
    assert "… errors  Continue, no pass in sight at this rate" in shown(eta=None)


def test_a_gate_that_has_decided_says_no_time():
    assert row_with(shown(verdict="Pass"), "errors") == "✓ errors  Pass"
    assert row_with(shown(verdict="Fail"), "errors") == "✗ errors  Fail"


def test_the_side_that_has_decided_says_so():
    told = shown(verdict="Fail", evidenceAgainst=250.0)

    assert row_with(told, "against").endswith(f"{'█' * BAR}  fails: 250 of 200")
    assert "enough to pass" not in told


def test_both_arms_are_counted_in_the_words_of_the_gate():
    assert "failed: candidate 4 of 1,000 (0.4 %)  stable 11 of 3,000 (0.37 %)" in shown()
    assert "too slow: candidate" in shown("latency")


def test_what_a_gate_without_bad_requests_counts_is_in_its_sentence():
    assert "0 of 1,000" not in shown(
        "sampleRatio", failedRequests=0, message="320 of 3200 requests reached it: agrees."
    )


def test_phi_is_shown_where_requests_come_in_bursts():
    assert "phi" not in shown()
    assert "phi 1.8" in shown(overdispersion=1.84)


def test_a_gate_without_evidence_is_its_verdict_and_its_sentence():
    health = GateStatus.model_validate({"name": "health", "verdict": "Pass", "message": "health: all pods are well."})

    assert printed(gate(health)).splitlines() == ["✓ health  Pass", "  all pods are well."]


def test_in_a_log_a_gate_is_a_few_words():
    assert short(GateStatus.model_validate(a_gate())) == "errors Continue (against 2.5/200, for 11/20)"
    assert short(GateStatus.model_validate({"name": "health", "verdict": "Pass"})) == "health Pass"
