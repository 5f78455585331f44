"""When somebody is told that a budget burns, as Prometheus itself (promtool) evaluates the rules.

Models that promised errors may have 1 % of them, and have 20 requests a second.
"""

from collections.abc import Mapping

import pytest

from modelyard.core.prometheus_rules.objectives import FAST, SLOW
from tests.support.monitoring.rule_tests import Story, complaints, counter, steady, told

pytestmark = pytest.mark.integration

END = 150
"""Minutes that are told of."""
BURN, ERRORS = "model:modelyard_slo_burn:rate1h{}", "model:modelyard_errors:rate2m{}"
TIMES = "envoy_cluster_upstream_rq_time_bucket"


def an_outage_pages_when_the_hour_has_burned_14_4_times_its_budget(story: Story) -> None:
    """14.4 % of an hour, which is 8 min 38 s."""
    story.promises(END).fails((130, 0.0), (20, 1.0))
    story.tells(130 + 7.5, FAST).tells(130 + 10.5, FAST, "errors")


def a_slower_burn_pages_over_six_hours(story: Story) -> None:
    """10 % fail: the hour never burns 14.4 times; the half hour that went before is outweighed after 45 minutes."""
    story.promises(END).fails((30, 0.0), (110, 0.1))
    story.tells(30 + 43, FAST).tells(30 + 49, FAST, "errors")


def the_page_ends_soon_after_its_cause(story: Story) -> None:
    story.promises(END).fails((60, 0.0), (15, 1.0), (70, 0.0))
    story.tells(74, FAST, "errors").tells(75 + 33, FAST)


def a_burn_just_above_what_is_allowed_is_a_ticket_and_no_page(story: Story) -> None:
    story.promises(END).fails((140, 0.015))
    story.tells(120, SLOW, "errors").tells(120, FAST)


def nobody_is_told_of_less_than_is_allowed_nor_of_quiet(story: Story) -> None:
    story.promises(END).fails((60, 0.009), (80, 0.0))
    for minutes in (30, 59, 120):
        story.tells(minutes, FAST).tells(minutes, SLOW)


def nobody_is_told_of_a_model_that_promised_nothing(story: Story) -> None:
    story.fails((140, 1.0))
    story.tells(120, FAST).tells(120, SLOW).gives(120, "model:modelyard_errors:ratio2m{}", 1)


def a_few_requests_wake_nobody(story: Story) -> None:
    """Nine of nine fail in an hour: a share of 100 %, and less than ten requests."""
    story.promises(END).answers(5, counter((60, 9 / 3600), (60, 0)))
    story.tells(58, FAST).tells(58, SLOW)


def without_a_single_error_there_is_no_series_of_errors_and_the_burn_is_zero(story: Story) -> None:
    story.promises(END).answers(2, counter((140, 20)))
    story.gives(120, BURN, 0, objective="errors").tells(120, FAST)


def an_idle_model_has_no_burn_at_all(story: Story) -> None:
    story.promises(END).answers(2, steady((140, 500)))
    story.gives(120, "model:modelyard_slo_burn:rate5m{}").tells(120, FAST)


def a_promise_that_was_taken_back_pages_nobody(story: Story) -> None:
    """The operator is there all the time; the Model's promise only for 20 minutes."""
    story.says(f"{steady((20, 0.01))} stale", "slo_allowed_ratio", objective="errors").fails((60, 0.0), (60, 1.0))
    story.tells(100, FAST)


def both_slots_and_every_gateway_pod_add_up_and_a_second_scrape_does_not(story: Story) -> None:
    """What is mirrored, pinned or previewed is no user's."""
    story.answers(5, counter((20, 1))).answers(5, counter((20, 2)), pod="envoy-2", instance="envoy-2")
    story.answers(5, counter((20, 4)), "rule/0/backend/1").answers(5, counter((20, 4)), "rule/0/backend/1", job="again")
    story.answers(5, counter((20, 8)), "--path/rule/0/backend/0")
    for cluster in ("rule/0-mirror-0", "rule/1/backend/0", "--preview/rule/0/backend/0"):
        story.answers(5, counter((20, 50)), cluster)
    story.gives(15, ERRORS, 15)


def users_who_keep_their_side_count_for_the_slot_of_their_side(story: Story) -> None:
    for cluster, rate in (("3/backend/0", 1), ("3/backend/1", 2), ("4/backend/0", 4), ("0/backend/1", 8)):
        story.answers(2, counter((20, rate)), f"rule/{cluster}")
    query = 'sum by (namespace, model) (slot:modelyard_requests:rate2m{namespace="demo",model="%s",slot="%s"})'
    story.gives(15, query % (story.model, "a"), 1).gives(15, query % (story.model, "b"), 14)


def failures_of_grpc_hide_behind_http_200_and_what_envoy_answers_itself_counts_once(story: Story) -> None:
    """3/s are UNAVAILABLE, 1/s of which Envoy answered itself (HTTP 503); 1/s NOT_FOUND is the client's mistake."""
    calls = "grpcroute/{}/rule/0/backend/0"
    story.answers(2, counter((20, 9)), calls).answers(5, counter((20, 1)), calls)
    for code, rate in ((0, 6), (5, 1), (13, 0), (14, 3)):
        story.counts(counter((20, rate)), f"envoy_cluster_grpc_ModelInfer_{code}", calls)
    story.gives(15, "model:modelyard_requests:rate2m{}", 10).gives(15, ERRORS, 3)


def slow(story: Story, end: str) -> None:
    """p99 within 100 ms; of 20 requests a second one takes longer, and one is given up by its client."""
    story.promises(END, "latency").says(steady((END, 1)), "slo_latency_bound", le="100")
    for le, rate in ((f"50{end}", 10), (f"100{end}", 18), ("+Inf", 19)):
        story.counts(counter((80, rate)), TIMES, le=le)
    story.counts(counter((80, 1)), "envoy_cluster_upstream_rq_tx_reset")
    story.gives(70, BURN, 10, objective="latency").tells(70, FAST, "latency")


def slow_answers_burn_the_budget_of_latency(story: Story) -> None:
    slow(story, "")


def slow_answers_burn_it_as_prometheus_3_writes_bounds_too(story: Story) -> None:
    slow(story, ".0")


def availability_is_lost_while_not_ready_and_while_half_of_the_requests_fail(story: Story) -> None:
    """99 % of the time: six minutes not Ready, six failing, in 40: 30 times what is allowed."""
    story.promises(END, "availability").says(steady((20, 1), (6, 0), (40, 1)), "model_ready")
    story.fails((30, 0.1), (6, 0.6), (24, 0.0))
    for minutes, value in ((10, 1), (24, 0), (28.5, 1), (34, 0), (45, 1)):
        story.gives(minutes, "model:modelyard_available:now{}", value)
    story.tells(15, FAST).tells(36, FAST, "availability")


def the_newer_of_two_revisions_named_for_a_slot_counts(story: Story) -> None:
    story.answers(2, counter((20, 7)))
    for revision, since in (("r-old", 1000), ("r-new", 2000)):
        story.says(steady((20, since)), "revision_slot", revision=revision, slot="a", version="1", pod=revision)
    story.gives(15, "revision:modelyard_requests:rate2m{}", 7, revision="r-new")


TOLD = (
    an_outage_pages_when_the_hour_has_burned_14_4_times_its_budget,
    a_slower_burn_pages_over_six_hours,
    the_page_ends_soon_after_its_cause,
    a_burn_just_above_what_is_allowed_is_a_ticket_and_no_page,
    nobody_is_told_of_less_than_is_allowed_nor_of_quiet,
    nobody_is_told_of_a_model_that_promised_nothing,
    a_few_requests_wake_nobody,
    without_a_single_error_there_is_no_series_of_errors_and_the_burn_is_zero,
    an_idle_model_has_no_burn_at_all,
    a_promise_that_was_taken_back_pages_nobody,
    both_slots_and_every_gateway_pod_add_up_and_a_second_scrape_does_not,
    users_who_keep_their_side_count_for_the_slot_of_their_side,
    failures_of_grpc_hide_behind_http_200_and_what_envoy_answers_itself_counts_once,
    slow_answers_burn_the_budget_of_latency,
    slow_answers_burn_it_as_prometheus_3_writes_bounds_too,
    availability_is_lost_while_not_ready_and_while_half_of_the_requests_fail,
    the_newer_of_two_revisions_named_for_a_slot_counts,
)


def the_operator_is_gone_and_a_page_comes_all_the_same(story: Story) -> None:
    story.promises(20).fails((60, 0.0), (25, 1.0))
    story.tells(60 + 12, FAST, "errors")


def the_operator_is_gone_and_the_revision_is_still_named(story: Story) -> None:
    story.says(steady((20, 1000)), "revision_slot", revision="r-1", slot="a", version="1").answers(2, counter((60, 7)))
    story.gives(50, "revision:modelyard_requests:rate2m{}", 7, revision="r-1")


GONE = (
    the_operator_is_gone_and_a_page_comes_all_the_same,
    the_operator_is_gone_and_the_revision_is_still_named,
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What promtool finds different, by story."""
    folder = tmp_path_factory.mktemp("rules")
    there = complaints(told(TOLD), steady((END, 1)), folder / "there")
    return {**there, **complaints(told(GONE), steady((20, 1)), folder / "gone")}


@pytest.mark.parametrize("story", [tell.__name__ for tell in (*TOLD, *GONE)])
def test_story(found: Mapping[str, str], story: str) -> None:
    assert found[story] == ""
