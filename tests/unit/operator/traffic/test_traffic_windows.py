"""What is kept of Models at rest has a bound, and goes when they go."""

from modelyard.core.traffic import Counts
from modelyard.operator.cache.objects import Key
from modelyard.operator.traffic.windows import IDLE_SECONDS, KEPT_SECONDS, TrafficWindows

MODELS = [Key("demo", f"model-{number}") for number in range(100)]
SOME = {"a": Counts(9, 1, 9, {5.0: 8, 100.0: 9})}


def test_ten_minutes_in_twentieths_are_kept_of_every_model_however_long_it_serves() -> None:
    kept = TrafficWindows()
    kept.keep(MODELS)
    for end in range(IDLE_SECONDS, 5 * KEPT_SECONDS + 1, IDLE_SECONDS):
        kept.owe(dict.fromkeys(MODELS, SOME))
        kept.cut(end, ())

    assert {len(kept.of(key)) for key in MODELS} == {KEPT_SECONDS // IDLE_SECONDS}
    assert {window.of("a").requests for window in kept.of(MODELS[0])} == {9}
    kept.keep(MODELS[:1])
    assert [bool(kept.of(key)) for key in MODELS[:2]] == [True, False]
