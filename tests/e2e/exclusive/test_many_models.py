"""Many Models applied with one command: none waits for the others until it is told what happens to it."""

from datetime import datetime
from typing import Any

import pytest

from tests.support.cluster.kubectl import apply, eventually
from tests.support.cluster.models import a_model
from tests.support.cluster.watch import Watch

MODELS = 30
FIRST_WORD_SECONDS = 15
TINY = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}


def first_words(seen: Watch) -> dict[str, float]:
    """Seconds from the making of each Model to the first status with conditions, both by the API server's clock."""
    words: dict[str, float] = {}
    for model in [sight.thing for sight in seen.seen]:
        if model.get("status", {}).get("conditions"):
            words.setdefault(model["metadata"]["name"], _said(model) - _seconds(model["metadata"]["creationTimestamp"]))
    return words


def _said(model: dict[str, Any]) -> float:
    """When the status was written last."""
    return max(
        _seconds(field["time"]) for field in model["metadata"]["managedFields"] if field.get("subresource") == "status"
    )


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


@pytest.mark.proof
def test_thirty_models_applied_at_once_have_their_first_word_within_fifteen_seconds(namespace: str) -> None:
    models = [a_model(f"digits-{number}", namespace, serving={"resources": TINY}) for number in range(MODELS)]
    with Watch("models", "", namespace) as watch:
        apply(*models)
        eventually(lambda: len(first_words(watch)) == MODELS, "every Model has its first word")
        words = first_words(watch)

    print(sorted(words.values()))
    assert max(words.values()) <= FIRST_WORD_SECONDS, words
