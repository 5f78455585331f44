"""What a tuner concludes from measurements, with simulated servers in the place of a Triton."""

import os
from pathlib import Path

import pytest

from modelyard.api.tuning.report import TuningTrial
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.builder.tuning.bench import ClientTooSlow, LatencyTarget, written
from modelyard.builder.tuning.tuner import TuningRequest, apply, tune, tuned
from modelyard.core.tuning.search import TunedTrial
from modelyard.core.tuning.settings import ServerSettings, SettingsSpace, space_of
from modelyard.errors import InvalidSettings
from tests.support.servers.simulated_server import SimulatedServer

SLOW = SimulatedServer(fixed=0.001, row=0.02, scales=0.0, crowding=0.0)
USUAL = ServerSettings(1, 2, 64)
CONFIG = (
    'name: "m"\nbackend: "onnxruntime"\nmax_batch_size: 64\ndynamic_batching {\n}\ninstance_group {\n  count: 1\n}\n'
)


class Simulated:
    """Measures a simulated server, whose figures are multiplied by what `luck` says of each measurement in turn."""

    def __init__(self, server: SimulatedServer, threshold: float, luck: dict[int, float] | None = None) -> None:
        self.server, self.threshold, self.luck, self.measured = server, threshold, luck or {}, 0

    def measure(self, settings: ServerSettings, to_beat: float = 0.0) -> tuple[TunedTrial, TuningTrial]:
        trial = self.server.measure(settings, self.threshold, to_beat)
        luck = self.luck.get(self.measured, 1.0)
        self.measured += 1
        trial = TunedTrial(settings, luck * trial.capacity, trial.saturated, trial.alone)
        report = TuningTrial(
            settings=written(settings), requests_per_second=trial.capacity, saturated=trial.saturated, alone=1.0
        )
        return trial, report


class TooFast:
    """Takes on more than the client can ask."""

    def __init__(self, highest: float) -> None:
        self.highest = highest

    def measure(self, settings: ServerSettings, to_beat: float = 0.0) -> tuple[TunedTrial, TuningTrial]:
        raise ClientTooSlow(self.highest)


def space(threshold: float, largest: int = 64) -> SettingsSpace:
    return space_of(ServerSettings(1, 2, largest), 2, largest, threshold)


def test_settings_that_are_worth_it_replace_the_usual_ones() -> None:
    said: list[str] = []

    tuning = tuned(Simulated(SLOW, 0.2), space(0.2), LatencyTarget(99.0, 0.2), said.append)

    assert tuning.changed
    assert tuning.settings.instances == 2
    assert tuning.requests_per_second is not None
    assert tuning.usual is not None
    assert tuning.requests_per_second > 1.05 * tuning.usual > 0.0
    assert "times what the usual ones do" in tuning.reason
    assert len(said) == len(tuning.trials) <= 10
    assert said[0].startswith("1: 1 instance of 2 threads")
    assert tuning.at == "p99<200ms"


def test_where_only_other_settings_keep_the_objective_that_is_said() -> None:
    batches = SimulatedServer(fixed=0.0001, row=0.004, scales=0.95, crowding=0.0, protocol=0.0)
    usual = ServerSettings(1, 1, 1, 0)

    tuning = tuned(Simulated(batches, 0.003), space_of(usual, 2, 1, 0.003), LatencyTarget(99.0, 0.003))

    assert (tuning.usual, tuning.changed) == (0.0, True)
    assert "where the usual ones never do" in tuning.reason


def test_settings_that_were_lucky_once_are_measured_again() -> None:
    crowded = SimulatedServer(fixed=0.0, row=0.005, scales=0.0, crowding=1.5)

    tuning = tuned(Simulated(crowded, 0.1, luck={1: 3.0}), space(0.1, 1), LatencyTarget(99.0, 0.1))

    assert not tuning.changed
    assert tuning.requests_per_second == tuning.usual
    assert tuning.reason.startswith("The usual settings keep p99<100ms up to")


def test_an_impossible_objective_is_said_with_the_best_there_is() -> None:
    tuning = tuned(Simulated(SLOW, 0.001), space(0.001), LatencyTarget(99.0, 0.001))

    assert (tuning.requests_per_second, tuning.changed) == (0.0, False)
    assert "p99<1ms cannot be kept: one request alone takes 21.1 ms at best" in tuning.reason


@pytest.mark.parametrize(("highest", "words"), [(900.0, "more than 900 requests/s"), (0.0, "not known")])
def test_a_client_that_is_the_bottleneck_gives_no_figure(highest: float, words: str) -> None:
    tuning = tuned(TooFast(highest), space(0.1), LatencyTarget(99.0, 0.1))

    assert (tuning.requests_per_second, tuning.usual, tuning.changed, tuning.trials) == (None, None, False, ())
    assert words in tuning.reason


def test_what_was_found_is_written_into_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config.pbtxt"
    config.write_text(CONFIG)
    tuning = tuned(Simulated(SLOW, 0.2), space(0.2), LatencyTarget(99.0, 0.2))

    apply(tuning.model_copy(update={"changed": False}), config)
    assert config.read_text() == CONFIG
    apply(tuning, config)
    assert "count: 2" in config.read_text()


def test_more_cores_than_there_are_is_refused(tmp_path: Path) -> None:
    here = len(os.sched_getaffinity(0))
    request = TuningRequest(tmp_path, "m", RequestBody(b"{}"), LatencyTarget(99.0, 0.1), cpus=here + 1)

    with pytest.raises(InvalidSettings, match=f"this machine has {here} cores"):
        tune(tmp_path, request)
