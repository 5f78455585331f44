"""`modelyard drift NAME` as a person types it: a Model on a real API server, its counts in a real store."""

import json
import time
from uuid import uuid4

import pytest
import yaml

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Ref
from modelyard.core.storage import keys
from modelyard.core.storage.monitoring_keys import COUNTS, MinuteKey
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
DIGEST = "sha256:" + "5" * 64
BINS = (400, 800, 800, 800, 800, 400)


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def model(apiserver: RealApiServer, where: StoreSettings) -> str:
    """A Model that serves a build with a reference, and two hours of counts until now; for the last a column fails."""
    name, store, now = f"loans-{uuid4().hex[:8]}", S3Store(where), int(time.time() // 60)
    spec = {"source": {"name": "loans", "version": "1"}, "monitoring": {"sample": "auto"}}
    frame = {"name": name, "namespace": "demo"}
    made = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": frame, "spec": spec}
    done = apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(made))
    assert done.returncode == 0, done.stderr
    cluster, ref, revision = Cluster(access(apiserver.kubeconfig)), Ref("Model", "demo", name), f"{name}-1"
    serving = {"name": revision, "slot": "a", "digest": DIGEST, "version": "1", "runtime": "r", "stage": "Serving"}
    read = cluster.get(ref)
    assert read is not None
    cluster.apply_status(ref, read["metadata"]["uid"], {"revision": revision, "revisions": [serving]})
    age = FeatureProfile(
        name="age", column="x[0]", role="input", kind="number", rows=4000, missing=0,
        edges=(20.0, 30.0, 40.0, 50.0, 60.0), bins=BINS, low=0.0, high=99.0,
    )  # fmt: skip
    profile = ReferenceProfile(source="eval.npz of loans", rows=4000, features=(age,))
    store.put(keys.build_profile(DIGEST), profile.model_dump_json(by_alias=True).encode())
    for minute in range(now - 120, now):
        missing = 8 if minute >= now - 60 else 0
        counts = FeatureCounts(rows=100 + missing, missing=missing, bins=(10, 20, 20, 20, 20, 10))
        content = MinuteCounts(minute=minute, requests=100, features={"age": counts}).model_dump_json(by_alias=True)
        store.put(MinuteKey("demo", name, revision, minute * 60, "a").key(COUNTS), content.encode())
    return name


def drift(apiserver: RealApiServer, where: StoreSettings, name: str, *flags: str) -> Ran:
    cwd = apiserver.kubeconfig.parent
    return modelyard_here(
        "drift", name, "-n", "demo", *flags, store=where, cwd=cwd, KUBECONFIG=str(apiserver.kubeconfig)
    )


def test_a_models_own_minutes_tell_what_broke(apiserver: RealApiServer, where: StoreSettings, model: str) -> None:
    ran = drift(apiserver, where, model, "--days", "1", "-o", "json")

    assert ran.code == 1, ran.err
    [age] = json.loads(ran.out)["features"]
    assert (age["name"], age["kind"], age["broken"], age["clock"]) == ("age", "missing", True, "minute")
    assert age["what"].endswith("of the rows have no value; of the reference 0%")


def test_a_revision_or_model_that_is_not_there_is_a_sentence(
    apiserver: RealApiServer, where: StoreSettings, model: str
) -> None:
    ran = drift(apiserver, where, model, "--revision", "other")
    assert (ran.code, f"there is: {model}-1" in ran.err) == (2, True)
    assert drift(apiserver, where, "nobody").code == 2
