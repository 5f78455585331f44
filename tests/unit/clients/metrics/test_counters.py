"""What is counted between two looks at one cluster's counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.clients.metrics.counters import CounterSource, Totals, collect, source_of
from modelyard.core.traffic import MIRROR, NO_TRAFFIC, Counts

HTTP = CounterSource("demo", "digits", "a", "httproute/demo/digits/rule/0/backend/0")
GRPC = CounterSource("demo", "digits", "a", "grpcroute/demo/digits/rule/0/backend/0")
MIRRORED = CounterSource("demo", "digits", MIRROR, "grpcroute/demo/digits/rule/0-mirror-0")
ANSWERS, TIMED, GIVEN_UP = (
    "envoy_cluster_upstream_rq_xx",
    "envoy_cluster_upstream_rq_time_count",
    "envoy_cluster_upstream_rq_tx_reset",
)
BUCKET = "envoy_cluster_upstream_rq_time_bucket"


def totals(good: int = 0, failed: int = 0, codes: dict[int, int] | None = None, fast: int = 0, slow: int = 0) -> Totals:
    """Counters with so many answers by class and gRPC code, and in the histogram so many below and over 10 ms."""
    made = Totals()
    made.add(ANSWERS, "2", good)
    made.add(ANSWERS, "5", failed)
    for code, number in (codes or {}).items():
        made.add(f"envoy_cluster_grpc_ModelInfer_{code}", "", number)
    if fast + slow:
        for bound, number in (("10", fast), ("+Inf", fast + slow)):
            made.add(BUCKET, bound, number)
        made.add(TIMED, "", fast + slow)
    return made


@pytest.mark.parametrize(
    ("cluster", "slot"),
    [
        ("httproute/demo/digits/rule/0/backend/0", "a"),
        ("httproute/demo/digits/rule/0/backend/1", "b"),
        ("httproute/demo/digits--path/rule/0/backend/1", "b"),
        ("grpcroute/demo/digits/rule/0/backend/0", "a"),
        ("httproute/demo/digits/rule/0-mirror-0", MIRROR),
        ("grpcroute/demo/digits/rule/0-mirror-1", MIRROR),
    ],
)
def test_a_cluster_of_the_main_rule_counts_for_its_slot(cluster: str, slot: str) -> None:
    assert source_of(cluster) == ("demo", "digits", slot, cluster)


@pytest.mark.parametrize(("rule", "slot"), [("3/backend/0", "a"), ("3/backend/1", "b"), ("4/backend/0", "b")])
def test_users_who_keep_their_side_count_for_the_slot_of_that_side(rule: str, slot: str) -> None:
    source = source_of(f"httproute/demo/digits/rule/{rule}")

    assert source is not None
    assert source.slot == slot


@pytest.mark.parametrize(
    "cluster",
    [
        "httproute/demo/digits/rule/1/backend/0",
        "httproute/demo/digits/rule/2/backend/0",
        "httproute/demo/digits--preview/rule/0/backend/0",
        "httproute/demo/digits/rule/0",
        "tcproute/demo/digits/rule/0/backend/0",
        "prometheus_stats",
    ],
)
def test_pinned_rules_previews_and_strangers_do_not_count(cluster: str) -> None:
    assert source_of(cluster) is None


def test_http_errors_are_those_of_the_server() -> None:
    found = totals(good=90, failed=10, fast=70, slow=30).since(totals(good=40, failed=4, fast=30, slow=14), HTTP)

    assert found == Counts(56, 6, 56, {10.0: 40})


def test_what_http_calls_the_clients_mistake_is_rejected_and_no_error() -> None:
    before, now = Totals(), Totals()
    for made, good, rejected in ((before, 3, 1), (now, 10, 8)):
        made.add(ANSWERS, "2", good)
        made.add(ANSWERS, "4", rejected)

    assert now.since(before, HTTP) == Counts(14, 0, 0, {}, rejected=7)


def test_what_a_client_cancelled_was_not_rejected() -> None:
    assert totals(codes={0: 2, 1: 3}).since(None, GRPC) == Counts(5, 0, 0, {})


def test_grpc_calls_are_judged_by_their_status_not_by_http() -> None:
    codes = {0: 60, 3: 4, 5: 1, 2: 1, 4: 2, 8: 3, 13: 4, 14: 5, 15: 6}

    assert totals(good=86, codes=codes).since(None, GRPC) == Counts(86, 21, 0, {}, rejected=5)


def test_what_envoy_answers_itself_to_a_grpc_call_is_one_error_though_counted_twice() -> None:
    found = totals(good=10, failed=7, codes={0: 10, 14: 7}).since(totals(good=10, codes={0: 10}), GRPC)

    assert found == Counts(7, 7, 0, {})


def test_mirrored_grpc_calls_count_by_http_alone() -> None:
    assert totals(good=9, failed=2).since(None, MIRRORED) == Counts(11, 2, 0, {})


def test_methods_of_a_grpc_service_add_up() -> None:
    cluster = "grpcroute/demo/digits/rule/0/backend/0"
    lines = [(f"envoy_cluster_grpc_{method}_0", cluster, "", 3) for method in ("ModelInfer", "ServerLive")]
    others = [(f"envoy_cluster_grpc_ModelInfer_{end}", cluster, "", 9) for end in ("total", "success", "failure")]

    assert collect([*lines, *others])[GRPC].since(None, GRPC).requests == 6


@pytest.mark.parametrize(
    ("before", "now", "counted"),
    [
        (totals(good=50), totals(good=3), Counts(3, 0, 0, {})),
        (totals(good=5), totals(failed=9), Counts(9, 9, 0, {})),
        (totals(good=9, slow=9), totals(good=9, fast=4), Counts(9, 0, 4, {10.0: 4})),
        (totals(good=4, slow=4), totals(good=9, fast=9), Counts(9, 0, 9, {10.0: 9})),
    ],
    ids=["fewer in all", "fewer good ones", "fewer timed ones", "more fast ones than there were any"],
)
def test_counters_that_cannot_follow_the_last_ones_began_anew(before: Totals, now: Totals, counted: Counts) -> None:
    assert now.since(before, HTTP) == counted


def test_a_histogram_without_buckets_begins_anew_too() -> None:
    before, now = Totals(), Totals()
    before.add(TIMED, "", 9)
    now.add(TIMED, "", 4)

    assert now.since(before, HTTP) == Counts(0, 0, 4, {})


def test_nothing_new_is_nothing() -> None:
    assert totals(good=5, fast=5).since(totals(good=5, fast=5), HTTP) is NO_TRAFFIC


COUNTERS = st.builds(
    totals,
    good=st.integers(0, 9),
    failed=st.integers(0, 9),
    codes=st.dictionaries(st.sampled_from([0, 3, 13, 14]), st.integers(0, 9)),
    fast=st.integers(0, 9),
    slow=st.integers(0, 9),
)


@given(before=COUNTERS, now=COUNTERS, source=st.sampled_from([HTTP, GRPC, MIRRORED]))
def test_whatever_restarts_there_are_never_more_errors_than_requests(
    before: Totals, now: Totals, source: CounterSource
) -> None:
    found = now.since(before, source)

    assert 0 <= found.errors <= found.requests
    assert all(0 <= number <= found.timed for number in found.within.values())


def test_a_request_its_client_gave_up_on_took_longer_than_any_bound_and_is_no_error() -> None:
    now = Totals()
    now.add(ANSWERS, "2", 7)
    now.add(TIMED, "", 7)
    now.add(BUCKET, "100", 7)
    now.add(GIVEN_UP, "", 3)

    counts = now.since(None, HTTP)

    assert (counts.requests, counts.errors) == (7, 0)
    assert (counts.timed, counts.within) == (10, {100.0: 7})
