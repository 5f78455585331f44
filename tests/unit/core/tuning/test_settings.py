"""Settings of a server, and which of them lie next to one another."""

import pytest

from modelyard.core.tuning.settings import ServerSettings, SettingsSpace, space_of

USUAL = ServerSettings(1, 4, 64)
SPACE = SettingsSpace(4, 64, (0, 500, 2000), USUAL)


def test_they_are_said_in_words() -> None:
    assert str(ServerSettings(1, 2)) == "1 instance of 2 threads, alone"
    assert str(ServerSettings(4, 1, 8, 500)) == "4 instances of 1 thread, up to 8 rows together, waiting 500 µs"


def test_the_grid_never_asks_for_more_cores_than_there_are() -> None:
    grid = SPACE.everything()

    assert USUAL in grid
    assert max(settings.instances * settings.threads for settings in grid) == 4
    assert not [settings for settings in grid if settings.batch == 1 and settings.delay]


def test_a_number_of_cores_that_is_no_power_of_two_is_tried_too() -> None:
    assert SettingsSpace(6, 1, (0,), USUAL).counts == (1, 2, 4, 6)
    assert SettingsSpace(1, 12, (0,), USUAL).batches == (1, 2, 4, 8, 12)


def test_the_cores_can_be_used_in_four_ways() -> None:
    assert SPACE.ways_to_use_cores() == ((4, 1), (2, 2), (1, 4), (1, 1))


def test_neighbours_differ_by_one_step_and_stay_within_the_cores() -> None:
    steps = SPACE.neighbours(ServerSettings(2, 2, 16, 500))

    assert ServerSettings(4, 1, 16, 500) in steps
    assert ServerSettings(2, 2, 8, 500) in steps
    assert ServerSettings(2, 2, 16, 2000) in steps
    assert all(step.instances * step.threads <= 4 for step in steps)


def test_what_is_never_put_together_does_not_wait() -> None:
    assert SPACE.without_idle_delay(ServerSettings(1, 1, 1, 500)) == ServerSettings(1, 1)
    assert SPACE.longer_delays(ServerSettings(1, 1, 1)) == []
    assert [step.delay for step in SPACE.longer_delays(ServerSettings(1, 1, 8))] == [500, 2000]


def test_delays_are_shares_of_the_time_an_answer_may_take() -> None:
    assert space_of(USUAL, 4, 64, threshold=0.1).delays == (0, 5000, 20000)


@pytest.mark.parametrize("settings", SPACE.everything())
def test_no_settings_are_their_own_neighbour(settings: ServerSettings) -> None:
    assert settings not in SPACE.neighbours(settings)
