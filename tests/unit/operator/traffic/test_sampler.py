"""Traffic is what the gateway's pods count, second by second, whatever becomes of the pods."""

import threading
from collections.abc import Iterator

import pytest

from modelyard.clients.metrics.counters import Reading
from modelyard.clients.metrics.envoy import EnvoyCounters
from modelyard.clients.metrics.envoy_pods import EnvoyPods
from modelyard.core.traffic import NO_TRAFFIC, Counts
from modelyard.operator.traffic.sampler import PATIENCE_SECONDS, Sampler
from modelyard.operator.traffic.windows import KEPT_SECONDS, KEPT_SLICES
from modelyard.settings import GatewaySettings
from tests.support.servers.envoys import GRPC, HTTP, HTTP_B, PATH, Envoy
from tests.support.traffic.sampled_gateway import DIGITS, FACES, NOON, SampledGateway


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[SampledGateway]:
    """Pods may take long on a busy machine; tests in which one hangs give a limit of their own."""
    made = SampledGateway(limit=getattr(request, "param", 30.0))
    yield made
    made.envoys.end()
    made.counters.close()


def test_what_all_pods_and_routes_of_a_slot_counted_is_one_slice(scene: SampledGateway) -> None:
    for cluster in (HTTP, PATH, HTTP_B):
        scene.pod.count(cluster, good=1)
        scene.other.count(cluster, good=1)
    scene.pass_by()
    scene.pod.count(HTTP, good=90, failed=10, ms=50)
    scene.other.count(PATH, good=20, ms=1)
    scene.pod.count(GRPC, good=5, codes={0: 3, 13: 2}, ms=1)
    scene.pod.count(HTTP_B, failed=7, ms=500)
    scene.pass_by()

    newest = scene.sampler.of(DIGITS).windows[-1]
    assert (newest.end, newest.seconds) == (NOON + 2, 1)
    assert newest.slots == {
        "a": Counts(125, 12, 125, {5.0: 25, 100.0: 125}),
        "b": Counts(7, 7, 7, {5.0: 0, 100.0: 0}),
    }
    assert newest.of("mirror") == NO_TRAFFIC


def test_what_pods_had_counted_before_they_were_first_seen_is_no_news(scene: SampledGateway) -> None:
    late = scene.envoys.add()
    late.count(HTTP, good=5000)
    scene.pass_by(5)
    late.count(HTTP, good=3)
    scene.pass_by()

    assert scene.cuts()[-2:] == [(5, 1, 0), (6, 1, 3)]


def test_seconds_without_requests_are_slices_too(scene: SampledGateway) -> None:
    scene.pass_by(3)

    assert scene.cuts() == [(1, 1, 0), (2, 1, 0), (3, 1, 0)]


def test_a_cluster_that_appears_on_a_known_pod_counts_from_zero(scene: SampledGateway) -> None:
    scene.pass_by()
    scene.pod.count(HTTP, good=4)
    scene.pass_by()

    assert scene.cuts()[-1] == (2, 1, 4)


def test_a_cluster_that_was_dropped_and_returns_counts_from_zero(scene: SampledGateway) -> None:
    scene.pod.count(HTTP, good=40)
    scene.pass_by()
    dropped = scene.pod.clusters.pop(HTTP)
    scene.pass_by()
    scene.pod.clusters[HTTP] = dropped
    scene.pass_by()

    assert [requests for *_, requests in scene.cuts()] == [40, 0, 40]


def test_a_restarted_pod_counts_what_it_has_counted_since(scene: SampledGateway) -> None:
    scene.pod.count(HTTP, good=40)
    scene.other.count(HTTP, good=9)
    scene.pass_by()
    scene.pod.restart()
    scene.pod.count(HTTP, good=6)
    scene.other.count(HTTP, good=1)
    scene.pass_by()

    assert scene.cuts()[-1] == (2, 1, 7)


def test_a_pod_that_vanished_takes_nothing_from_the_others(scene: SampledGateway) -> None:
    scene.pod.count(HTTP, good=40)
    scene.pass_by()
    scene.envoys.remove(scene.pod)
    scene.other.count(HTTP, good=8)
    scene.pass_by()

    assert scene.cuts()[-1] == (2, 1, 8)
    assert scene.trouble == ""


def test_a_pod_the_api_server_no_longer_knows_is_forgotten(scene: SampledGateway) -> None:
    scene.pod.count(HTTP, good=40)
    scene.pass_by()
    scene.envoys.pods.remove(scene.pod)
    scene.pass_by(6)
    scene.envoys.pods.append(scene.pod)
    scene.pod.count(HTTP, good=5)
    scene.pass_by(6)

    assert sum(requests for *_, requests in scene.cuts()) == 40


def silence(pod: Envoy, how: str) -> None:
    pod.hangs, pod.status = how == "hangs", 503 if how == "refuses" else 200


@pytest.mark.parametrize(("scene", "how"), [(1.0, "hangs"), (30.0, "refuses")], indirect=["scene"])
def test_while_a_pod_does_not_answer_no_slice_is_cut_and_no_count_is_lost(scene: SampledGateway, how: str) -> None:
    scene.pass_by()
    silence(scene.pod, how)
    scene.pod.count(HTTP, good=3)
    scene.other.count(HTTP, good=10)
    scene.pass_by()
    during = scene.cuts()
    silence(scene.pod, "answers")
    scene.other.count(HTTP, good=1)
    scene.pass_by()

    assert during == [(1, 1, 0)]
    assert scene.cuts() == [(1, 1, 0), (3, 2, 14)]


def test_a_pod_that_restarts_while_another_is_silent_loses_nothing_it_had_told(scene: SampledGateway) -> None:
    scene.pass_by()
    silence(scene.other, "refuses")
    scene.pod.count(HTTP, good=10)
    scene.pass_by()
    scene.pod.restart()
    scene.pod.count(HTTP, good=2)
    scene.pass_by()
    silence(scene.other, "answers")
    scene.pass_by()

    assert scene.cuts()[-1] == (4, 3, 12)


def test_a_short_silence_is_no_trouble_a_long_one_names_the_pod_until_it_answers(scene: SampledGateway) -> None:
    silence(scene.pod, "refuses")
    scene.pass_by(PATIENCE_SECONDS - 1)
    early = scene.trouble
    scene.pass_by()
    late = scene.trouble
    silence(scene.pod, "answers")
    scene.pass_by()

    assert early == ""
    assert "envoy-1 answered HTTP 503" in late
    assert "requests that Gateway modelyard-system/modelyard answered lately are not known" in late
    assert scene.trouble == ""
    assert scene.metrics.value("modelyard_scrape_failures_total") == PATIENCE_SECONDS
    assert scene.metrics.value("modelyard_scrape_seconds_count") == PATIENCE_SECONDS + 2


def test_a_gateway_without_pods_is_trouble_and_counting_goes_on_with_the_next(scene: SampledGateway) -> None:
    port = scene.envoys.port
    scene.envoys.remove(scene.pod)
    scene.envoys.remove(scene.other)
    scene.pass_by(2 * PATIENCE_SECONDS)
    trouble, cuts = scene.trouble, scene.cuts()
    scene.envoys.pods.append(Envoy(3, port))
    scene.pass_by(PATIENCE_SECONDS)
    scene.envoys.pods[0].count(HTTP, good=2)
    scene.pass_by()

    assert "has no running Envoy pod" in trouble
    assert cuts == []
    assert scene.trouble == ""
    assert scene.cuts()[-1] == (16, 1, 2)


def test_without_a_rollout_the_counters_are_read_every_twenty_seconds(scene: SampledGateway) -> None:
    scene.put(DIGITS, "Idle")
    scene.put(FACES)
    asked = len(scene.pod.asked)
    scene.pod.count(HTTP, good=60)
    scene.pass_by(45)

    assert len(scene.pod.asked) - asked == 2
    assert scene.cuts() == [(20, 20, 60), (40, 20, 0)]
    assert scene.woken == [DIGITS]


def test_at_rest_a_model_is_woken_when_its_users_were_failed_and_as_long_as_that_is_said(scene: SampledGateway) -> None:
    scene.put(DIGITS, "Idle")
    scene.put(FACES, "Idle")
    scene.woken.clear()
    scene.pod.count(HTTP, good=1, failed=6)
    scene.pass_by(20)
    failed = list(scene.woken)
    scene.put(DIGITS, "Idle", serving="RequestsFail")
    scene.pass_by(20)
    said = scene.woken[len(failed) :]
    scene.put(DIGITS, "Idle", serving="Answering")
    scene.pass_by(20)

    assert (failed, said) == ([DIGITS], [DIGITS])
    assert len(scene.woken) == 2


def test_at_rest_only_the_leader_reads(scene: SampledGateway) -> None:
    scene.put(DIGITS, "Idle")
    scene.leading = False
    asked = len(scene.pod.asked)
    scene.pod.count(HTTP, good=60)
    scene.pass_by(60)
    unasked = len(scene.pod.asked) - asked
    scene.leading = True
    scene.pass_by(20)
    scene.pod.count(HTTP, good=7)
    scene.pass_by(20)

    assert unasked == 0
    assert [requests for *_, requests in scene.cuts()] == [7]


def test_during_a_rollout_every_replica_reads(scene: SampledGateway) -> None:
    scene.leading = False
    scene.pass_by(3)

    assert len(scene.cuts()) == 3


def test_a_rollout_that_begins_is_read_in_the_next_second(scene: SampledGateway) -> None:
    scene.put(DIGITS, "Idle")
    scene.pass_by(25)
    scene.put(DIGITS, "Starting")
    scene.pass_by(2)

    assert scene.cuts() == [(20, 20, 0), (26, 6, 0), (27, 1, 0)]


def test_a_first_revision_which_stands_beside_none_is_read_like_a_model_at_rest(scene: SampledGateway) -> None:
    scene.put(DIGITS, "Starting", first=True)
    asked = len(scene.pod.asked)
    scene.pass_by(45)

    assert len(scene.pod.asked) - asked == 2
    assert len(scene.woken) == 1, "by the first second, when it was another's rollout"


def test_only_models_with_a_rollout_are_woken_and_others_keep_long_slices(scene: SampledGateway) -> None:
    scene.put(FACES, "Idle")
    scene.pass_by(21)

    assert set(scene.woken) == {DIGITS}
    assert len(scene.woken) == 22
    assert len(scene.cuts(DIGITS)) == 21
    assert [(end, seconds) for end, seconds, _ in scene.cuts(FACES)] == [(20, 20)]


def test_a_model_is_woken_also_when_its_counters_could_not_be_read(scene: SampledGateway) -> None:
    silence(scene.pod, "refuses")
    scene.pass_by()

    assert scene.woken == [DIGITS, DIGITS]


def test_without_models_nobody_is_asked_and_counting_begins_anew(scene: SampledGateway) -> None:
    scene.delete(DIGITS)
    asked = len(scene.pod.asked)
    scene.pod.count(HTTP, good=40)
    scene.pass_by(30)
    unasked = len(scene.pod.asked) == asked
    scene.put(DIGITS, "Advancing")
    scene.pass_by()
    scene.pod.count(HTTP, good=2)
    scene.pass_by()

    assert unasked
    assert scene.cuts() == [(32, 1, 2)]


def test_a_deleted_model_is_forgotten_and_its_successor_inherits_nothing(scene: SampledGateway) -> None:
    scene.put(FACES, "Advancing")
    scene.pod.count(HTTP, good=40)
    scene.pass_by()
    scene.delete(DIGITS)
    scene.pod.count(HTTP, good=5)
    scene.pass_by()
    gone = scene.cuts()
    scene.put(DIGITS, "Advancing")
    scene.pass_by()
    scene.pod.count(HTTP, good=1)
    scene.pass_by()

    assert gone == []
    assert scene.cuts() == [(3, 1, 0), (4, 1, 1)]


def test_between_two_surveys_only_models_with_a_rollout_are_asked_for(scene: SampledGateway) -> None:
    scene.put(FACES, "Idle")
    faces = HTTP.replace("digits", "faces")
    scene.pod.count(faces, good=5)
    scene.pass_by(19)
    asked, before = list(scene.pod.asked), scene.cuts(FACES)
    scene.pass_by()

    assert before == []
    assert ["demo" in query for query in asked] == [False] + [True] * 19
    assert "demo" not in scene.pod.asked[-1]
    assert scene.cuts(FACES) == [(20, 20, 5)]


def test_a_follower_takes_up_a_rollout_without_what_was_counted_long_before(scene: SampledGateway) -> None:
    scene.leading = False
    scene.put(FACES, "Idle")
    faces = HTTP.replace("digits", "faces")
    scene.pod.count(faces, good=5)
    scene.pass_by(60)
    scene.pod.count(faces, good=50_000)
    scene.put(FACES, "Advancing")
    scene.pass_by()
    scene.pod.count(faces, good=2)
    scene.pass_by()

    assert scene.cuts(FACES)[-2:] == [(61, 1, 0), (62, 1, 2)]


def test_who_becomes_the_leader_surveys_without_what_was_counted_before(scene: SampledGateway) -> None:
    scene.leading = False
    scene.put(FACES, "Idle")
    faces = HTTP.replace("digits", "faces")
    scene.pod.count(faces, good=5)
    scene.pass_by(60)
    scene.leading = True
    scene.pod.count(HTTP, good=4)
    scene.pass_by()
    scene.pod.count(faces, good=3)
    scene.pass_by(20)

    assert scene.cuts(DIGITS)[60] == (61, 1, 4)
    assert scene.cuts(FACES) == [(81, 21, 3)]


def test_ten_minutes_are_kept(scene: SampledGateway) -> None:
    scene.pod.count(HTTP, good=1)
    scene.pass_by()
    scene.counters.read = lambda models=None: Reading({})  # type: ignore[method-assign] - six hundred answers of nobody
    scene.pass_by(KEPT_SECONDS + 5)

    slices = scene.sampler.of(DIGITS).windows
    assert len(slices) == KEPT_SECONDS <= KEPT_SLICES
    assert slices[0].end == scene.second - KEPT_SECONDS + 1


def test_a_clock_that_is_set_back_makes_one_longer_slice_and_loses_nothing(scene: SampledGateway) -> None:
    scene.pass_by(5)
    scene.second -= 3
    scene.pod.count(HTTP, good=4)
    scene.pass_by(4)

    assert scene.cuts()[-2:] == [(5, 1, 0), (6, 1, 4)]


def test_the_thread_reads_by_itself_until_it_is_stopped(scene: SampledGateway) -> None:
    woken = threading.Event()
    counters = EnvoyCounters(EnvoyPods(scene.envoys, GatewaySettings()), scene.envoys.port)
    sampler = Sampler(counters, scene.cache, lambda key: woken.set(), scene.metrics)
    sampler.start()
    began = woken.wait(30)
    alive = sampler.alive
    sampler.stop(30)

    assert (began, alive, sampler.alive) == (True, True, False)
