"""Counters are read from all Envoy pods at once, and whoever does not answer is named."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from modelyard.clients.metrics.counters import CounterSource, Totals, collect
from modelyard.clients.metrics.envoy import EnvoyCounters, series
from modelyard.clients.metrics.envoy_pods import EnvoyPods
from modelyard.settings import GatewaySettings
from tests.support.machine.fake_clock import Clock
from tests.support.servers.envoys import GRPC, HTTP, HTTP_B, Envoys

RECORDED = (Path(__file__).parent / "recordings" / "envoy.txt").read_text()
SLOT_A = CounterSource("demo", "digits", "a", HTTP)


@pytest.fixture
def envoys() -> Iterator[Envoys]:
    found = Envoys()
    found.add()
    found.add()
    yield found
    found.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(envoys: Envoys, clock: Clock) -> Iterator[EnvoyCounters]:
    made = EnvoyCounters(EnvoyPods(envoys, GatewaySettings(), clock), port=envoys.port, limit=30)
    yield made
    made.close()


@pytest.fixture
def hasty(envoys: Envoys) -> Iterator[EnvoyCounters]:
    """Waits a second at most, and has its connections already."""
    made = EnvoyCounters(EnvoyPods(envoys, GatewaySettings()), port=envoys.port, limit=1)
    made.read()
    yield made
    made.close()


def plain(totals: Totals) -> dict[str, object]:
    return {name: getattr(totals, name) for name in Totals.__slots__}


def test_a_recording_of_a_real_envoy_reads_as_the_reference_parser_reads_it() -> None:
    samples = [one for family in text_string_to_metric_families(RECORDED) for one in family.samples]
    wanted = collect(
        (
            one.name.removesuffix("_total"),
            one.labels["envoy_cluster_name"],
            one.labels.get("envoy_response_code_class") or one.labels.get("le", ""),
            int(one.value),
        )
        for one in samples
        if not one.name.endswith("_sum")
    )
    found = collect(series(RECORDED))

    assert {source: plain(totals) for source, totals in found.items()} == {
        source: plain(totals) for source, totals in wanted.items()
    }
    assert len(found) == 8
    assert sum(totals.refused for totals in found.values()) > 0
    assert all(totals.timed >= max(totals.within.values()) > 0 for totals in found.values())


def test_only_what_counts_is_asked_for(counters: EnvoyCounters, envoys: Envoys) -> None:
    counters.read()
    [asked] = envoys.pods[0].asked
    query = parse_qs(urlsplit(asked).query, keep_blank_values=True)
    [wanted] = query["filter"]

    assert urlsplit(asked).path == "/stats/prometheus"
    assert "usedonly" in query
    for name in (
        f"{HTTP}.upstream_rq_2xx",
        f"{HTTP_B}.upstream_rq_time",
        f"{HTTP_B}.upstream_rq_tx_reset",
        f"{GRPC}.grpc.inference.GRPCInferenceService.ModelInfer.14",
        "httproute/demo/digits/rule/0-mirror-0.upstream_rq_5xx",
        "httproute/demo/digits/rule/3/backend/1.upstream_rq_5xx",
    ):
        assert re.search(wanted, f"cluster.{name}"), name
    for name in (
        f"{HTTP}.external.upstream_rq_2xx",
        f"{HTTP}.upstream_rq_200",
        f"{GRPC}.grpc.inference.GRPCInferenceService.ModelInfer.total",
        "httproute/demo/digits/rule/1/backend/0.upstream_rq_2xx",
        "prometheus_stats.upstream_rq_2xx",
    ):
        assert not re.search(wanted, f"cluster.{name}"), name


def test_every_pod_has_its_own_counters(counters: EnvoyCounters, envoys: Envoys) -> None:
    first, second = envoys.pods
    first.count(HTTP, good=5)
    second.count(HTTP, good=7)

    reading = counters.read()

    assert reading.trouble == ""
    assert {uid: pod[SLOT_A].answered for uid, pod in reading.pods.items()} == {first.uid: 5, second.uid: 7}


def test_a_pod_that_hangs_is_named_and_the_others_are_read(hasty: EnvoyCounters, envoys: Envoys) -> None:
    first, second = envoys.pods
    first.hangs = True
    second.count(HTTP, good=7)

    reading = hasty.read()

    assert reading.pods.keys() == {second.uid}
    assert reading.present == {first.uid, second.uid}
    assert f"{first.name} did not answer within 1 s" in reading.trouble
    assert "NetworkPolicy" in reading.trouble


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, "no", "answered HTTP 503"),
        (200, "envoy_cluster_upstream_rq_xx{half a line", "answered something else than counters"),
        (200, 'envoy_cluster_upstream_rq_xx{envoy_cluster_name="x"} many\n', "answered something else than counters"),
    ],
)
def test_an_answer_without_counters_is_no_answer(
    counters: EnvoyCounters, envoys: Envoys, status: int, body: str, said: str
) -> None:
    envoys.pods[1].status, envoys.pods[1].body = status, body

    reading = counters.read()

    assert reading.pods.keys() == {envoys.pods[0].uid}
    assert f"{envoys.pods[1].name} {said}" in reading.trouble


def test_a_pod_that_vanished_is_not_missed(counters: EnvoyCounters, envoys: Envoys) -> None:
    counters.read()
    gone = envoys.pods[1]
    envoys.remove(gone)

    reading = counters.read()

    assert reading.trouble == ""
    assert reading.present == {envoys.pods[0].uid}


@pytest.mark.parametrize("state", ["starting", "leaving"])
def test_a_pod_that_is_not_ready_or_leaves_may_be_silent(counters: EnvoyCounters, envoys: Envoys, state: str) -> None:
    silent = envoys.pods[1]
    silent.ready, silent.leaving, silent.status = state != "starting", state == "leaving", 503

    reading = counters.read()

    assert reading.trouble == ""
    assert reading.pods.keys() == {envoys.pods[0].uid}
    assert silent.uid in reading.present


def test_a_pod_that_leaves_is_still_read_because_it_still_answers(counters: EnvoyCounters, envoys: Envoys) -> None:
    envoys.pods[1].leaving = True

    assert envoys.pods[1].uid in counters.read().pods


def test_pods_are_listed_anew_when_the_list_is_old(counters: EnvoyCounters, envoys: Envoys, clock: Clock) -> None:
    counters.read()
    envoys.add()
    early = counters.read()
    clock.now += 5
    late = counters.read()

    assert (len(early.pods), len(late.pods)) == (2, 3)
    assert set(envoys.selectors) == {
        "Pod gateway.envoyproxy.io/owning-gateway-name=modelyard,"
        "gateway.envoyproxy.io/owning-gateway-namespace=modelyard-system"
    }


def test_without_the_api_server_the_known_pods_are_read(counters: EnvoyCounters, envoys: Envoys, clock: Clock) -> None:
    counters.read()
    envoys.away = True
    clock.now += 60

    assert len(counters.read().pods) == 2


def test_no_pods_is_said_with_the_reason() -> None:
    envoys = Envoys()
    counters = EnvoyCounters(EnvoyPods(envoys, GatewaySettings(), Clock()))
    none = counters.read()
    envoys.away = True
    unlisted = counters.read()
    counters.close()

    assert "Gateway modelyard-system/modelyard has no running Envoy pod" in none.trouble
    assert "cannot be listed: the API server did not answer" in unlisted.trouble
