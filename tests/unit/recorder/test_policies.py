from typing import Any

import pytest

from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import learnt_profile_key
from modelyard.errors import Unreachable
from modelyard.recorder.policies import LOOKED_FOR_SECONDS, ModelPolicies
from modelyard.recorder.redaction import model_key
from tests.support.machine.fake_clock import Clock

DIGEST = "sha256:" + "1" * 64
X = FeatureProfile(name="x", column="x", role="input", kind="number", rows=2, missing=0, edges=(5.0,), bins=(1, 1))
PROFILE = ReferenceProfile(source="eval.npz of loans:1", rows=2, features=(X,))


class Bucket:
    """A store in memory that counts what it was asked; `away` is one that does not answer."""

    def __init__(self) -> None:
        self.objects = {build_profile(DIGEST): PROFILE.model_dump_json(by_alias=True).encode()}
        self.asked, self.away = 0, False

    def get(self, key: str) -> bytes | None:
        self.asked += 1
        if self.away:
            raise Unreachable("the store does not answer")
        return self.objects.get(key)


def model(monitoring: dict[str, Any] | None, name: str = "loans", uid: str = "u1") -> dict[str, Any]:
    revision = {
        "name": f"{name}-1",
        "version": "1",
        "digest": DIGEST,
        "slot": "a",
        "stage": "Serving",
        "runtime": "modelyard-triton-cpu",
    }
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"namespace": "demo", "name": name, "uid": uid, "generation": 1},
        "spec": {"source": {"name": name, "version": "1"}, **({"monitoring": monitoring} if monitoring else {})},
        "status": {"revisions": [revision]},
    }


LOG = {"sample": "100%", "log": {"columns": ["age"], "redact": ["name"], "retention": "7d"}}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def policies(bucket: Bucket) -> ModelPolicies:
    return ModelPolicies(bucket, b"secret")  # pyright: ignore


def test_a_recorded_model_has_its_columns_its_key_its_days_and_its_reference(policies: ModelPolicies) -> None:
    policies.take_in(None, model(LOG))
    policy = policies.of("demo", "loans")
    assert policy is not None
    assert (policy.redaction.columns, policy.redaction.hashed) == ({"age"}, {"name"})
    assert policy.redaction.key == model_key(b"secret", "demo", "loans")
    assert policy.profiles == {"loans-1": PROFILE}
    assert policies.days_of("demo", "loans") == 7


def test_without_a_log_nothing_is_kept_but_all_is_counted(policies: ModelPolicies) -> None:
    policies.take_in(None, model({"sample": "auto"}))
    policy = policies.of("demo", "loans")
    assert policy is not None
    assert not policy.redaction.columns
    assert not policy.redaction.hashed
    assert policy.profiles == {"loans-1": PROFILE}
    assert policies.days_of("demo", "loans") == 30


@pytest.mark.parametrize("monitoring", [None, {"drift": {"falseAlarms": "2/y"}}])
def test_a_model_that_asks_for_no_sample_is_not_recorded(
    policies: ModelPolicies, bucket: Bucket, monitoring: dict[str, Any] | None
) -> None:
    policies.take_in(None, model(LOG))
    policies.take_in("MODIFIED", model(monitoring))
    assert policies.of("demo", "loans") is None
    assert policies.days_of("demo", "loans") == 30


def test_a_model_that_is_gone_or_cannot_be_read_is_not_recorded(policies: ModelPolicies) -> None:
    policies.take_in(None, model(LOG))
    policies.take_in(None, model(LOG, "second", "u2"))
    policies.take_in(None, model(LOG, "third", "u3"))
    policies.take_in("DELETED", model(LOG))
    policies.take_in("MODIFIED", model({"sample": "some of them"}, "third", "u3"))
    assert policies.of("demo", "loans") is None
    assert policies.of("demo", "third") is None
    assert policies.of("demo", "second") is not None
    policies.listing()
    policies.listed({"u3"})
    assert policies.of("demo", "second") is None


def test_a_reference_is_read_once_and_again_when_the_store_was_away(policies: ModelPolicies, bucket: Bucket) -> None:
    bucket.away = True
    policies.take_in(None, model(LOG))
    found = policies.of("demo", "loans")
    assert found is not None
    assert found.profiles == {}
    bucket.away = False
    policies.take_in("MODIFIED", model(LOG))
    policies.take_in("MODIFIED", model(LOG))
    found = policies.of("demo", "loans")
    assert found is not None
    assert found.profiles == {"loans-1": PROFILE}
    assert bucket.asked == 2


def test_a_reference_that_the_store_did_not_give_is_read_again_without_a_change_of_the_model(
    policies: ModelPolicies, bucket: Bucket
) -> None:
    bucket.away = True
    policies.take_in(None, model(LOG))
    policies.read_again()
    bucket.away = False
    policies.read_again()
    policies.read_again()
    found = policies.of("demo", "loans")
    assert found is not None
    assert found.profiles == {"loans-1": PROFILE}
    assert bucket.asked == 3


def test_nothing_is_read_again_for_a_model_that_is_gone(policies: ModelPolicies, bucket: Bucket) -> None:
    bucket.away = True
    policies.take_in(None, model(LOG))
    policies.take_in(None, model(LOG, "second", "u2"))
    policies.take_in("DELETED", model(LOG))
    policies.listing()
    policies.listed({"u1"})
    asked = bucket.asked
    policies.read_again()
    assert bucket.asked == asked


@pytest.mark.parametrize("content", [b"", b"{}", b"no JSON"])
def test_a_build_without_a_reference_is_not_counted(policies: ModelPolicies, bucket: Bucket, content: bytes) -> None:
    bucket.objects[build_profile(DIGEST)] = content
    policies.take_in(None, model(LOG))
    found = policies.of("demo", "loans")
    assert found is not None
    assert found.profiles == {}


def test_rows_are_counted_by_the_ranges_that_the_spec_declares(policies: ModelPolicies, bucket: Bucket) -> None:
    declared = {"sample": "auto", "quality": {"columns": [{"name": "x", "min": -3, "max": 300}]}}
    policies.take_in(None, model(declared))
    first = policies.of("demo", "loans")
    policies.take_in(None, model(declared))
    second = policies.of("demo", "loans")

    assert first is not None
    assert second is not None
    x = first.profiles["loans-1"].features[0]
    assert (x.low, x.high) == (-3.0, 300.0)
    assert second.profiles["loans-1"] is first.profiles["loans-1"]
    bucket.objects.clear()
    policies.take_in(None, model({"sample": "auto"}))
    assert policies.of("demo", "loans").profiles == {"loans-1": PROFILE}  # pyright: ignore


def test_labels_are_taken_where_feedback_is_asked_for(policies: ModelPolicies) -> None:
    policies.take_in(None, model(LOG))
    policies.take_in(None, model(LOG | {"feedback": {}}, "cars", "u2"))
    taken = [policy.labelled for name in ("loans", "cars") if (policy := policies.of("demo", name)) is not None]
    assert taken == [False, True]


LEARNS = {**LOG, "drift": {"reference": {"firstDays": 2}}, "quality": {"columns": [{"name": "x", "max": 9}]}}


def learnt(policies: ModelPolicies) -> ReferenceProfile | None:
    policy = policies.of("demo", "loans")
    assert policy is not None
    return policy.profiles.get("loans-1")


def test_a_reference_of_the_first_days_is_looked_for_each_minute_until_it_is_there(bucket: Bucket) -> None:
    clock = Clock()
    policies = ModelPolicies(bucket, b"secret", clock)  # pyright: ignore
    bucket.objects.clear()
    policies.take_in(None, model(LEARNS))
    assert (learnt(policies), bucket.asked) == (None, 2), "the build's, and what was made of its first days"
    policies.read_again()
    assert bucket.asked == 2
    clock.pass_by(LOOKED_FOR_SECONDS)
    bucket.away = True
    policies.read_again()
    assert (learnt(policies), bucket.asked) == (None, 3)
    bucket.away = False
    bucket.objects[learnt_profile_key("demo", "loans", "loans-1")] = PROFILE.model_dump_json(by_alias=True).encode()
    clock.pass_by(LOOKED_FOR_SECONDS)
    policies.read_again()
    found = learnt(policies)
    assert found is not None
    assert found.features[0].high == 9, "the spec knows better"
    clock.pass_by(LOOKED_FOR_SECONDS)
    policies.read_again()
    policies.take_in(None, model(LEARNS))
    assert (learnt(policies), bucket.asked) == (found, 4), "it is read once"
    policies.listed(())
    assert policies.of("demo", "loans") is None
