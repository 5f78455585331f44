"""The questions for Prometheus name every cluster of Envoy that sends to a revision, and no other."""

import re

import pytest

from modelyard.core.autoscaling.queries import Slot, clusters, requests_in_flight, requests_per_second, requests_waiting

MAIN = ("httproute/demo/digits", "httproute/demo/digits--path", "grpcroute/demo/digits")
OF_A = ("rule/0/backend/0", "rule/1/backend/0", "rule/3/backend/0")
OF_B = ("rule/0/backend/1", "rule/2/backend/0", "rule/3/backend/1", "rule/4/backend/0")
PREVIEWS = ("httproute/demo/digits--preview/rule/0/backend/0", "grpcroute/demo/digits--preview/rule/0/backend/0")


def counted(slot: Slot, *, candidate: bool = False) -> set[str]:
    """Those of all clusters there may be that the expression names, as Prometheus does: the whole name."""
    rules = (*OF_A, *OF_B, "rule/0-mirror-0", "rule/0/backend/2")
    routes = (*MAIN, "httproute/demo/digits-2", "httproute/other/digits", "httproute/demo/my-digits")
    there = [*(f"{route}/{rule}" for route in routes for rule in rules), *PREVIEWS]
    expression = clusters("digits", "demo", slot, candidate=candidate)
    return {cluster for cluster in there if re.fullmatch(expression, cluster)}


@pytest.mark.parametrize(("slot", "rules"), [("a", OF_A), ("b", OF_B)])
def test_a_slots_rules_of_all_routes_count(slot: Slot, rules: tuple[str, ...]) -> None:
    assert counted(slot) == {f"{route}/{rule}" for route in MAIN for rule in rules}


def test_a_candidate_has_what_is_mirrored_and_previewed_too() -> None:
    mirrored = {f"{route}/rule/0-mirror-0" for route in MAIN}

    assert counted("b", candidate=True) == counted("b") | mirrored | set(PREVIEWS)


@pytest.mark.parametrize(("window", "half"), [(60, 30), (15, 8)])
def test_every_question_is_0_only_while_somebody_counts_and_did_so_all_through_the_window(
    window: int, half: int
) -> None:
    questions = (
        requests_per_second("x", window),
        requests_in_flight("x", window),
        requests_waiting("digits-0123456789", "demo", window, 8),
    )

    for query in questions:
        assert "sum(max by (pod, " in query
        assert f"[{window}s]" in query
        assert query.startswith("(")
        assert query.endswith(
            ") or 0 * max(envoy_server_live)) and on () "
            f"count(present_over_time(envoy_server_live[{half}s] offset {half}s))"
        )


def test_a_queue_asks_for_no_more_than_some_for_each_server_there_is() -> None:
    query = requests_waiting("digits-0123456789", "demo", 60, 5)

    assert query.startswith("(clamp_max(sum(")
    assert (
        ", 5 * scalar(count(count by (pod) (nv_inference_pending_request_count"
        '{namespace="demo", pod=~"digits-0123456789-predictor-.*"}))))' in query
    )
