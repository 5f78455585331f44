"""What is kept of Models at rest is a rollout's history, has a bound, and goes when they go."""

from collections.abc import Iterator

import pytest

from modelyard.core.analysis.gates import evaluate
from modelyard.core.analysis.state import from_json
from modelyard.core.traffic import Counts
from modelyard.operator.cache.objects import Key
from modelyard.operator.traffic.windows import IDLE_SECONDS, KEPT_SECONDS, TrafficWindows
from tests.support.servers.envoys import HTTP, HTTP_B
from tests.support.traffic.sampled_gateway import DIGITS, SampledGateway
from tests.support.worlds.gate_inputs import a_look

MODELS = [Key("demo", f"model-{number}") for number in range(100)]
SOME = {"a": Counts(9, 1, 9, {5.0: 8, 100.0: 9})}


def test_ten_minutes_in_twentieths_are_kept_of_every_model_however_long_it_serves() -> None:
    kept = TrafficWindows()
    kept.keep(MODELS)
    for end in range(IDLE_SECONDS, 5 * KEPT_SECONDS + 1, IDLE_SECONDS):
        kept.owe(dict.fromkeys(MODELS, SOME))
        kept.cut(end, (), survey=True)

    assert {len(kept.of(key)) for key in MODELS} == {KEPT_SECONDS // IDLE_SECONDS}
    assert {window.of("a").requests for window in kept.of(MODELS[0])} == {9}
    kept.keep(MODELS[:1])
    assert [bool(kept.of(key)) for key in MODELS[:2]] == [True, False]


@pytest.fixture
def scene() -> Iterator[SampledGateway]:
    made = SampledGateway(limit=30.0)
    yield made
    made.envoys.end()
    made.counters.close()


def test_a_model_at_rest_gives_its_next_rollout_a_history(scene: SampledGateway) -> None:
    """The slices of three minutes at rest are what the rollout's gates know of the stable."""
    scene.put(DIGITS, "Idle")
    for _ in range(9):
        scene.pod.count(HTTP, good=300, failed=1)
        scene.pass_by(20)
    scene.put(DIGITS, "Advancing")
    begun = scene.second
    scene.pod.count(HTTP, good=9)
    scene.pod.count(HTTP_B, good=1)
    scene.pass_by()

    gates = evaluate(a_look(scene.sampler.of(DIGITS).windows, since=begun))
    state = next(from_json(gate.state) for gate in gates if gate.name == "errors" and gate.state)

    assert state.history == ((903, 3), (903, 3), (903, 3))
    assert (state.requests, state.stable_requests) == (1, 9)


def test_how_long_nobody_has_asked_is_known_beyond_the_slices_that_are_kept() -> None:
    kept, key = TrafficWindows(), MODELS[0]
    kept.keep([key])
    assert kept.quiet(key) == 0.0
    for end in range(IDLE_SECONDS, 5 * KEPT_SECONDS + 1, IDLE_SECONDS):
        kept.cut(end, (), survey=True)
    assert kept.quiet(key) == 5 * KEPT_SECONDS - IDLE_SECONDS, "from the first reading on"

    kept.owe({key: SOME})
    kept.cut(5 * KEPT_SECONDS + IDLE_SECONDS, (), survey=True)
    assert kept.quiet(key) == 0.0
    kept.cut(5 * KEPT_SECONDS + 3 * IDLE_SECONDS, (), survey=True)
    assert kept.quiet(key) == 2 * IDLE_SECONDS

    kept.restart([key])
    assert kept.quiet(key) == 0.0, "what was counted meanwhile is not known"
