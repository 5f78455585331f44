"""Holders and operators are killed while a Model goes to zero and back: what nobody held is answered."""

from collections.abc import Iterator

import pytest

from tests.support.cluster.kubectl import PLATFORM, eventually, get
from tests.support.cluster.rollout_under_load import kill_operators
from tests.support.cluster.scaling.resting import (
    RESTS,
    Asking,
    ask_all,
    asleep,
    awake,
    held,
    holder_processes,
    holders,
    kill_holder,
    rests,
)
from tests.support.cluster.watch import Watch

pytestmark = pytest.mark.proof
EACH = 20


@pytest.fixture
def two_holders() -> Iterator[None]:
    """A second holder, as every platform but the local cluster has it."""
    number = (get("deployment", "modelyard-holder", PLATFORM) or {})["spec"]["replicas"]
    holders(2)
    yield
    holders(number)


def test_a_holder_that_dies_loses_what_it_held_and_nothing_else(namespace: str, two_holders: None) -> None:
    if not holder_processes():
        pytest.skip("a holder can be killed on the local cluster only")
    revision = rests(namespace)
    asleep(namespace)

    first = Asking(namespace, EACH)
    waiting = eventually(
        lambda: found if sum((found := held(namespace)).values()) == 2 * EACH else None, "all wait", 20, 0.05
    )
    victim = max(waiting, key=lambda pod: waiting[pod])
    kill_holder(victim)
    later = Asking(namespace, EACH)
    lost, answered = first.failures(), later.answered()
    print(f"{waiting} waited; {victim} died; {len(lost)} of {2 * EACH} lost: {lost[:2]}")

    assert min(waiting.values()) > 0, "both held some"
    assert 0 < len(lost) <= waiting[victim]
    assert answered == {revision: 2 * EACH}, "who comes later gets an answer"
    awake(namespace)


@pytest.mark.parametrize("state", ["Holding", "Zero", "Waking", "HandingOver", "Awake"])
def test_operators_killed_between_two_steps_lose_no_request(namespace: str, state: str) -> None:
    revision = rests(namespace)
    with Watch("model", "digits", namespace) as watch:

        def reaches(wanted: str) -> None:
            watch.until(lambda model: model["status"].get("idle", {}).get("state") == wanted, f"it is {wanted}", 150)

        if state in ("Holding", "Zero"):
            reaches(state)
            kill_operators()
            answered = ask_all(namespace, 5)
        else:
            asleep(namespace)
            asking = Asking(namespace, 5)
            reaches(state)
            kill_operators()
            answered = asking.answered()
        answered += ask_all(namespace, 5)

        assert answered == {revision: 20}
        awake(namespace)
        asleep(namespace)
        assert ask_all(namespace, 5) == {revision: 10}, f"it rests again, {RESTS['idleAfter']} later"
