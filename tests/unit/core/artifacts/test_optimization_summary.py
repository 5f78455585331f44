"""What an optimization gave, in a column and in a sentence."""

import pytest

from modelyard.core.artifacts import optimization_summary
from tests.support.objects.reports import FASTER


@pytest.mark.parametrize(
    ("speedup", "text"), [(3.14, "3.1x"), (12.34, "12.3x"), (1.04, "1.04x"), (0.5, "0.50x"), (1.999, "2.00x")]
)
def test_a_ratio_of_times_has_the_digits_that_count(speedup: float, text: str) -> None:
    assert optimization_summary.times(speedup) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.002, "0.2 %"), (0.0213, "2.1 %"), (0.0, "0 %"), (-0.0, "0 %"), (1e-9, "0 %"), (-0.003, "-0.3 %")],
)
def test_a_share_has_two_digits(ratio: float, text: str) -> None:
    assert optimization_summary.percent(ratio) == text


def test_a_variant_is_told_with_everything_it_gave_and_cost() -> None:
    text = optimization_summary.sentence(FASTER)

    assert text == ", optimized as openvino-int8: 3.1x faster, 0.2 % quality lost, 0.26 of the size."
    assert optimization_summary.summary(FASTER) == "openvino-int8 3.1x"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"speedup": 0.5}, "2.0x slower, 0.2 % quality lost"),
        ({"speedup": None}, "openvino-int8: 0.2 % quality lost"),
        ({"quality_loss": None}, "3.1x faster, 0.26 of the size"),
        ({"quality_loss": 0.0}, "no quality lost"),
        ({"quality_loss": -0.004}, "0.4 % quality won"),
    ],
)
def test_what_is_not_known_is_not_said_and_what_is_won_is(change: dict, text: str) -> None:
    assert text in optimization_summary.sentence(FASTER.model_copy(update=change))


def test_the_original_stays_for_a_reason() -> None:
    stays = FASTER.model_copy(update={"variant": "original", "reason": "the original stays: no variant was faster."})

    assert optimization_summary.sentence(stays) == "; the original stays: no variant was faster."
    assert optimization_summary.summary(stays) == "original"


def test_a_column_tells_what_the_goal_gained() -> None:
    assert optimization_summary.summary(FASTER.model_copy(update={"goal": "size"})) == "openvino-int8 0.26 of size"
    assert optimization_summary.summary(FASTER.model_copy(update={"speedup": None})) == "openvino-int8"


def test_a_very_long_name_fits_its_fields() -> None:
    status = optimization_summary.optimized(
        "sha256:" + "a" * 64, FASTER.model_copy(update={"variant": "v" * 500}), "Done."
    )

    assert len(status.variant) == 128
    assert len(status.summary) == 160
    assert status.summary.endswith(" 3.1x")


def test_a_status_has_plain_figures() -> None:
    status = optimization_summary.optimized("sha256:" + "a" * 64, FASTER, "Done.")

    assert (status.speedup, status.quality_loss, status.size_ratio) == ("3.1x", "0.2%", "0.26")
    unknown = optimization_summary.optimized(
        "sha256:1", FASTER.model_copy(update={"speedup": None, "quality_loss": None}), "Done."
    )
    assert (unknown.speedup, unknown.quality_loss) == ("", "")
