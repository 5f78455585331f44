"""Generated Models, right, wrong and hostile, through a real API server and the decision: `make proof` tries 2,000.

Whatever is refused is refused with a sentence; whatever is accepted can be read, decided about without a crash, and
makes objects of a bounded size that the API server takes as well.
"""

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from kubernetes import client
from pydantic import ValidationError

from modelyard.api.model import Model
from tests.integration.api.test_model_on_the_api_server import create
from tests.support.objects.generated_models import ModelGenerator
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.repository.proof import PROOF
from tests.support.worlds.builders import settings
from tests.support.worlds.world import World

pytestmark = pytest.mark.integration

MODELS, ROUNDS = (2000, 8) if PROOF else (150, 3)
PARTS = 10
MOST_OBJECT, MOST_STATUS, MOST_MESSAGE, MOST_OBJECTS = 32_000, 32_000, 1024, 30
SHORTEST_SENTENCE = 20
_REFUSALS = (400, 413, 422)


def answered(apiserver: RealApiServer, model: dict[str, Any]) -> dict[str, Any] | str:
    """The Model as the API server would keep it, or the sentence it refuses it with."""
    try:
        return create(apiserver, model)
    except client.ApiException as refused:
        if refused.status not in _REFUSALS:
            raise
        return str(json.loads(str(refused.body))["message"])


def decided(document: dict[str, Any]) -> World:
    """A world with that Model after some passes; every object, status and Event of it has a bounded size."""
    document["metadata"] |= {"uid": "uid-0", "generation": 1}
    world = World(settings(), Model.model_validate({key: document[key] for key in ("metadata", "spec")}))
    for round_ in range(ROUNDS):
        plan = world.look()
        for thing in plan.apply:
            assert len(json.dumps(thing)) <= MOST_OBJECT
        assert len(plan.apply) <= MOST_OBJECTS
        assert len(json.dumps(plan.status)) <= MOST_STATUS
        assert all(0 < len(event.message) <= MOST_MESSAGE for event in plan.events)
        if round_ == 1:
            world.build_everything()
        world.step()
    assert all(condition.message for condition in world.status.conditions)
    return world


def refused_by_us(model: dict[str, Any]) -> None:
    """An operator that meets such a Model, kept by an older definition, refuses it as any other and does not break."""
    with suppress(ValidationError):
        Model.model_validate({key: model[key] for key in ("metadata", "spec")})


@pytest.mark.parametrize("part", range(PARTS))
def test_no_model_breaks_the_platform_and_every_refusal_says_why(apiserver: RealApiServer, part: int) -> None:
    ended: Counter[str] = Counter()
    for seed in range(part, MODELS, PARTS):
        model = ModelGenerator(seed).model()
        answer = answered(apiserver, model)
        if isinstance(answer, str):
            ended["refused"] += 1
            assert len(answer) > SHORTEST_SENTENCE, (seed, answer)
            refused_by_us(model)
            continue
        ended["accepted"] += 1
        try:
            decided(answer)
        except Exception as bad:
            raise AssertionError(f"seed {seed}: {json.dumps(model)[:2000]}") from bad

    assert min(ended["refused"], ended["accepted"]) >= MODELS // PARTS // 10, ended
