"""What a Model costs, as `modelyard get` and `explain` say it."""

from typing import Any

import pytest

from modelyard.cli.models.cost_view import cost_sentence, cost_words
from modelyard.cli.models.diagnosis import cost_step
from modelyard.cli.models.get import overview
from tests.support.machine.captured_output import printed
from tests.support.worlds.builders import a_model

EXACT = {"perThousand": 0.000125, "idleShare": 0.63, "time": "2026-01-01T00:00:00.000Z"}


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        (EXACT, "0.000125 per 1,000 requests, 63% idle"),
        ({**EXACT, "guess": True}, "0.000125 per 1,000 requests, at least 63% idle"),
        ({"idleShare": 1.0, "guess": True, "time": EXACT["time"]}, "no requests, at least 100% idle"),
    ],
)
def test_the_cost_in_words(cost: dict[str, Any], words: str) -> None:
    model = a_model(status={"cost": cost})

    assert cost_words(model) == words
    assert cost_sentence(model).startswith(f"{words}, over ten minutes up to 2026-01-01T00:00:00.000Z: so much of ")
    assert [step.subject for step in cost_step(model)] == ["Cost"]
    shown = printed(overview([model.model_dump(by_alias=True)], {}, wide=False), width=200)
    assert "COST" in shown
    assert words in shown


def test_without_prices_there_is_no_word() -> None:
    assert (cost_words(a_model()), cost_sentence(a_model()), cost_step(a_model())) == ("", "", [])
