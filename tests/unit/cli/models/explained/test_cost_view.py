"""What a Model costs, as `modelyard get` and `explain` say it."""

from typing import Any

import pytest

from modelyard.cli.models.diagnosis import ClusterObjects, cost_steps
from modelyard.cli.models.explained.cost_view import cache_sentence, cost_sentence, cost_words
from modelyard.cli.models.get import overview
from modelyard.clients.metrics.response_cache import CacheCounts, counted
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
    assert [step.subject for step in cost_steps(ClusterObjects(model))] == ["Cost"]
    shown = printed(overview([model.model_dump(by_alias=True)], {}, wide=False), width=200)
    assert "COST" in shown
    assert words in shown


def test_without_prices_there_is_no_word() -> None:
    assert (cost_words(a_model()), cost_sentence(a_model()), cost_steps(ClusterObjects(a_model()))) == ("", "", [])


METRICS = """\
# HELP nv_cache_num_hits_per_model Number of cache hits per model
nv_cache_num_hits_per_model{model="digits",version="1"} 972
nv_cache_num_misses_per_model{model="digits",version="1"} 2.8e+01
nv_inference_count{model="digits",version="1"} 40
"""


@pytest.mark.parametrize(
    ("text", "counts", "ratio"),
    [(METRICS, CacheCounts(972, 28), 0.972), ("nv_inference_count 40\n", CacheCounts(), 0.0), ("", CacheCounts(), 0.0)],
)
def test_answers_that_were_given_again_are_counted(text: str, counts: CacheCounts, ratio: float) -> None:
    assert counted(text) == counts
    assert counted(text).ratio == ratio


@pytest.mark.parametrize(
    ("kept", "counts", "said"),
    [
        (64_000_000, CacheCounts(972, 28), "97% of 1,000 questions were answered from memory, 64,000,000 bytes"),
        (64_000_000, None, "how often that helps cannot be read from here"),
        (None, CacheCounts(1, 1), ""),
    ],
)
def test_what_a_cache_saves_is_said(kept: int | None, counts: CacheCounts | None, said: str) -> None:
    serves = {
        "name": "digits-1", "slot": "a", "digest": "sha256:1", "version": "1", "runtime": "r", "stage": "Serving",
        **({"cache": kept} if kept else {}),
    }  # fmt: skip
    model = a_model(status={"revision": "digits-1", "revisions": [serves]})

    sentence = cache_sentence(model, counts)
    assert said in sentence
    assert bool(sentence) is bool(kept)
    assert [step.subject for step in cost_steps(ClusterObjects(model, cache_counts=counts))] == ["Cache"] * bool(kept)
