"""Made-up rows have the shares they are made with."""

import random

import pytest

from modelyard.core.monitoring.simulation.streams import Stream, StreamModel, reference


def total(model: StreamModel, minutes: range, seed: int = 1) -> tuple[list[float], int, int, int]:
    """(shares of the bins, missing, outside, rows) over some minutes."""
    chance = random.Random(seed)
    profile = reference(model, 4000, "x", chance)
    found = [Stream(model, profile, chance).minute(minute) for minute in minutes]
    bins = [sum(column) for column in zip(*(one.bins for one in found), strict=True)]
    rows = sum(one.rows for one in found)
    return [count / sum(bins) for count in bins], sum(o.missing for o in found), sum(o.outside for o in found), rows


def test_the_reference_has_deciles_and_all_rows_in_bins() -> None:
    profile = reference(StreamModel(missing=(0.1, 0.1)), 4000, "x", random.Random(1))
    assert len(profile.edges) == 9
    assert profile.missing == pytest.approx(400, abs=60)
    assert profile.edges[4] == pytest.approx(0.0, abs=0.1)
    assert max(profile.bins) - min(profile.bins) <= 2


def test_before_its_change_a_stream_is_like_its_reference() -> None:
    shares, missing, outside, rows = total(StreamModel(begins=1000, shift=1.0, missing=(0.0, 0.5)), range(300))
    assert shares == pytest.approx([0.1] * 10, abs=0.02)
    assert (missing, outside, rows) == (0, 0, 30_000)


def test_after_it_the_mean_has_moved_and_rows_are_missing_or_outside() -> None:
    shares, missing, outside, rows = total(StreamModel(shift=0.5, missing=(0.0, 0.1), outside=0.02), range(300))
    assert sum(shares[5:]) == pytest.approx(0.69, abs=0.02)
    assert missing / rows == pytest.approx(0.1, abs=0.01)
    assert outside / rows == pytest.approx(0.018, abs=0.004)


def test_a_rare_category_becomes_frequent() -> None:
    shares, *_ = total(StreamModel(begins=300, category=(0.05, 0.1)), range(300))
    assert shares == pytest.approx([0.6, 0.35, 0.05, 0.0], abs=0.01)
    shares, *_ = total(StreamModel(category=(0.05, 0.1)), range(300))
    assert shares == pytest.approx([0.6, 0.3, 0.1, 0.0], abs=0.01)


def test_a_rhythm_goes_up_in_the_morning_and_down_in_the_evening() -> None:
    model = StreamModel(rhythm=0.5)
    up, down = total(model, range(330, 390))[0], total(model, range(1050, 1110))[0]
    assert sum(up[5:]) == pytest.approx(0.69, abs=0.03)
    assert sum(down[5:]) == pytest.approx(0.31, abs=0.03)


def test_bursts_vary_more_than_independent_rows() -> None:
    def variance(correlation: float) -> float:
        chance = random.Random(3)
        model = StreamModel(correlation=correlation)
        stream = Stream(model, reference(model, 4000, "x", chance), chance)
        above = [sum(stream.minute(minute).bins[5:]) for minute in range(400)]
        mean = sum(above) / len(above)
        return sum((one - mean) ** 2 for one in above) / len(above)

    assert variance(0.0) == pytest.approx(25, rel=0.25)
    assert variance(0.05) == pytest.approx(25 * (1 + 99 * 0.05), rel=0.3)


def test_many_rows_a_minute_are_drawn_in_parts() -> None:
    shares, *_, rows = total(StreamModel(rows=3000), range(5))
    assert rows == 15_000
    assert shares == pytest.approx([0.1] * 10, abs=0.03)


def test_a_stream_of_missing_rows_alone_has_no_edges() -> None:
    profile = reference(StreamModel(missing=(1.0, 1.0)), 100, "x", random.Random(1))
    assert (profile.missing, profile.edges, sum(profile.bins)) == (100, (), 0)
