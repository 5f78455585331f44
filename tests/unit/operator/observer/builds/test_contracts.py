"""What clients rely on, read from the reports of builds, and only while something new is wanted."""

import json
from typing import Any

import pytest

from modelyard.api.lifecycle.contract import Contract
from modelyard.api.model import Model
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure
from modelyard.core.storage.keys import build_profile, build_report
from modelyard.operator.observer.builds import BuildObserver
from tests.support.machine.fake_clock import Clock
from tests.support.operator.answers import PollingByHand, Settled
from tests.support.worlds.builders import a_model

SERVING, NEW = (f"sha256:{digit * 64}" for digit in "12")
JOB = FeatureProfile(
    name="job",
    column="job",
    role="input",
    kind="category",
    rows=2,
    missing=0,
    categories=("cook",),
    bins=(2, 0),
    seen=(7,),
)
AGE = FeatureProfile(
    name="age", column="age", role="input", kind="number", rows=2, missing=0, edges=(5.0,), bins=(1, 1)
)
PROFILE = ReferenceProfile(source="eval.npz", rows=2, features=(JOB, AGE))


def serving(**source: Any) -> Model:
    revision = {"name": "digits-1", "slot": "a", "digest": SERVING, "version": "1", "runtime": "r", "stage": "Serving"}
    status = {"revision": "digits-1", "revisions": [revision]}
    return a_model(status=status, source={"name": "digits", "version": "2", **source})


def report(width: int) -> bytes:
    x = {"name": "x", "datatype": "FP32", "shape": [-1, width]}
    return json.dumps(
        {"source": {"digest": "d", "kind": "entry"}, "inputs": [x], "outputs": [], "labels": ["a"]}
    ).encode()


@pytest.fixture
def builds(store: S3Store) -> Settled:
    polling = PollingByHand(Clock())
    for width, digest in enumerate((SERVING, NEW)):
        store.put(build_report(digest), report(width + 1))
    return Settled(BuildObserver(store, None, polling), polling)  # pyright: ignore


def test_both_contracts_are_read_with_their_categories(builds: Settled, store: S3Store) -> None:
    store.put(build_profile(NEW), PROFILE.model_dump_json(by_alias=True).encode())

    found = builds.contracts(serving(), [NEW])

    assert isinstance(found[SERVING], Contract)
    assert [found[digest].inputs[0].shape for digest in (SERVING, NEW)] == [(-1, 1), (-1, 2)]
    assert (found[NEW].entry, found[NEW].labels, found[SERVING].categories) == ("d", ("a",), ())
    assert [(feature.name, feature.frequent, feature.seen) for feature in found[NEW].categories] == [
        ("job", ("cook",), frozenset({7}))
    ]


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        (serving(), []),
        (serving(), [SERVING]),
        (serving(allowContractChange=True), [NEW]),
        (a_model(), [NEW]),
    ],
    ids=["nothing is wanted", "it serves already", "every change is allowed", "nothing serves"],
)
def test_nothing_is_asked_where_nothing_is_to_be_compared(builds: Settled, model: Model, wanted: list[str]) -> None:
    assert builds.contracts(model, wanted) == {}


@pytest.mark.parametrize("content", [b"{}", b"{", b'{"inputs": 3}'])
def test_a_report_that_tells_of_no_inputs_is_none(builds: Settled, store: S3Store, content: bytes) -> None:
    store.put(build_report(SERVING), content)

    assert builds.contracts(serving(), [NEW])[SERVING] is None


def test_a_profile_that_cannot_be_read_leaves_the_rest(builds: Settled, store: S3Store) -> None:
    store.put(build_profile(NEW), b"{")

    assert builds.contracts(serving(), [NEW])[NEW].categories == ()


def test_a_report_that_is_gone_is_said_with_the_way_out(builds: Settled, store: S3Store) -> None:
    store.delete(build_report(SERVING))

    found = builds.contracts(serving(), [NEW])[SERVING]

    assert isinstance(found, Failure)
    assert (found.reason, found.retry) == ("Unreachable", True)
    assert "source.allowContractChange: true goes on without it" in found.message
