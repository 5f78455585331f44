"""Signed entries on a real API server, with the operator's own rights: keys are read, nothing unsigned is begun."""

import base64

from modelyard.core.snapshot import Ref
from modelyard.core.storage import keys as places
from modelyard.registry.bucket import BucketRegistry
from modelyard.signing.entry_signature import signature_of
from modelyard.signing.keys import SigningKey, public_keys
from tests.support.operator.bench import Bench, eventually

ALICE = SigningKey.new()
VERIFY = {"keys": [{"configMap": {"name": "model-keys"}}]}


def with_keys(bench: Bench) -> None:
    """Somebody puts Alice's public key into the Models' namespace."""
    ref = Ref("ConfigMap", bench.namespace, "model-keys")
    metadata = {"name": ref.name, "namespace": ref.namespace}
    data = {"alice.pub": ALICE.public.pem}
    bench.cluster.apply({"apiVersion": "v1", "kind": ref.kind, "metadata": metadata, "data": data})


def sign(bench: Bench, version: str) -> None:
    """Alice signs a version of digits."""
    registry = BucketRegistry(bench.store)
    entry = registry.resolve("digits", version=version)
    registry.sign(entry, ALICE.public.id, signature_of(entry, ALICE))


def ask(bench: Bench, version: str) -> None:
    bench.ask("digits", source={"name": "digits", "version": version, "verify": VERIFY})


def test_an_entry_is_served_once_it_is_signed_and_a_changed_one_leaves_it_alone(lively: Bench) -> None:
    ask(lively, "1")
    with lively.operating():
        keyless = lively.until("digits", "EntryResolved", "False", "InvalidKey")
        with_keys(lively)
        unsigned = lively.until("digits", "EntryResolved", "False", "SignatureMissing")
        assert lively.names("InferenceService") == []
        sign(lively, "1")
        lively.until("digits", "Reconciling", "False", "Done", seconds=120)
        (revision,) = lively.names("InferenceService")

        sign(lively, "2")
        signature = places.entry_signature("digits", "2", ALICE.public.id)
        changed = bytearray(lively.store.get(signature) or b"")
        changed[200] ^= 1
        lively.store.put(signature, bytes(changed))
        ask(lively, "2")
        told = lively.until("digits", "EntryResolved", "False", "SignatureInvalid")
        assert lively.names("InferenceService") == [revision]
        assert lively.condition("digits", "Serving")["status"] == "True"

    assert f"ConfigMap {lively.namespace}/model-keys" in keyless["message"]
    assert "entry.json of digits:1 is signed by nobody" in unsigned["message"]
    assert f"signature {ALICE.public.id} of digits:2" in told["message"]


def test_the_pods_get_the_public_half_of_a_key_that_the_operator_has_made(lively: Bench) -> None:
    with_keys(lively)
    sign(lively, "1")
    ask(lively, "1")
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done", seconds=120)
        place = Ref("Secret", lively.settings.operator.namespace, "modelyard-build-key")
        secret = eventually(lambda: lively.cluster.get(place), "the builder's key is there")

    (name,) = [name for name in secret["data"] if name.endswith(".pub")]
    (key,) = public_keys(base64.b64decode(secret["data"][name]).decode(), "it")
    served = lively.get("InferenceService", lively.status("digits")["revision"])
    assert served is not None
    container = served["spec"]["predictor"]["model"]
    assert {"name": "MODELYARD_BUILD_KEYS", "value": key.text} in container["env"]
    assert container["command"][0] == "python3"
    private = base64.b64decode(secret["data"]["private.pem"]).decode().splitlines()[1]
    assert private not in str(served) + str(lively.status("digits"))
