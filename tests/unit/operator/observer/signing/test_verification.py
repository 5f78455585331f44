"""Whether an entry is signed as its Model and its namespace demand, against a real registry."""

import base64
from pathlib import Path
from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure, Ref, ResolvedEntry, Verification
from modelyard.core.storage import keys as places
from modelyard.errors import Unreachable
from modelyard.operator.observer.signing.verification import KEY_SECONDS, VerificationObserver
from modelyard.registry.bucket import BucketRegistry
from modelyard.signing.entry_signature import signature_of
from modelyard.signing.keys import SigningKey
from modelyard.signing_settings import SigningSettings
from tests.support.artifacts.entries import an_entry
from tests.support.operator.answers import DIGITS, PollingByHand
from tests.support.worlds.builders import a_model, settings

ALICE, BOB = SigningKey.new(), SigningKey.new()
BY_MAP, BY_SECRET = {"configMap": {"name": "model-keys"}}, {"secret": {"name": "more-keys", "key": "bob.pub"}}


class Desk:
    """A registry with toy:1, keys in the cluster, and what the operator makes of both."""

    def __init__(self, store: S3Store, folder: Path, namespaces: dict[str, str]) -> None:
        self.store, self.registry = store, BucketRegistry(store)
        self.entry = self.registry.push(an_entry(folder / "toy")).entry
        self.objects: dict[Ref, dict[str, Any]] = {
            Ref("ConfigMap", "demo", "model-keys"): {"data": {"alice.pub": ALICE.public.pem}},
            Ref("Secret", "demo", "more-keys"): {
                "data": {"bob.pub": base64.b64encode(BOB.public.pem.encode()).decode(), "password": "aHVudGVyMg=="}
            },
        }
        self.away = False
        self.polling = PollingByHand()
        platform = settings(signing=SigningSettings(namespaces=namespaces))
        self.observer = VerificationObserver(self, self.registry, self.polling, platform)

    def get(self, ref: Ref) -> dict[str, Any] | None:
        if self.away:
            raise Unreachable("the API server did not answer.")
        return self.objects.get(ref)

    def sign(self, key: SigningKey) -> None:
        self.registry.sign(self.entry, key.public.id, signature_of(self.entry, key))

    def of(self, *sources: dict[str, Any], entry: ResolvedEntry | Failure | None = None) -> Verification:
        """What is known once everybody has answered."""
        verify = {"verify": {"keys": list(sources)}} if sources else {}
        model = a_model(source={"name": "toy", "version": "1", **verify})
        meant = entry or ResolvedEntry("toy", "1", self.entry.digest)
        return self.polling.settled(lambda: self.observer.of(DIGITS, model, meant))

    def reason(self, *sources: dict[str, Any]) -> tuple[str, str]:
        failure = self.of(*sources).failure
        return (failure.reason, failure.message) if failure is not None else ("", "")


@pytest.fixture
def desk(store: S3Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path, {})


def test_an_entry_is_accepted_by_one_key_of_several(desk: Desk) -> None:
    desk.sign(BOB)

    known = desk.of(BY_MAP, BY_SECRET)

    assert known == Verification(((ALICE.public.text, BOB.public.text),))


def test_an_entry_without_a_signature_is_asked_for_again_until_it_has_one(desk: Desk) -> None:
    reason, message = desk.reason(BY_MAP)
    assert (reason, "entry.json of toy:1 is signed by nobody" in message) == ("SignatureMissing", True)

    desk.sign(ALICE)
    desk.polling.clock.pass_by(60)
    assert desk.reason(BY_MAP) == ("", "")


def test_a_signed_entry_that_another_took_the_place_of_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.sign(ALICE)
    desk.store.delete(places.entry_manifest("toy", "1"))
    desk.registry.push(an_entry(tmp_path / "evil", labels=["evil"]))

    reason, message = desk.reason(BY_MAP)

    assert reason == "SignatureInvalid"
    assert message.startswith("modelyard.yaml of toy:1 is not what")


def test_one_that_is_signed_but_is_not_the_entry_that_was_resolved_is_told(desk: Desk) -> None:
    desk.sign(ALICE)

    known = desk.of(BY_MAP, entry=ResolvedEntry("toy", "1", "sha256:" + "0" * 64))

    assert known.failure is not None
    assert (known.failure.reason, known.failure.retry) == ("SignatureInvalid", False)
    assert known.failure.message.startswith("entry.json of toy:1")


def test_a_key_that_was_taken_out_is_trusted_no_longer(desk: Desk) -> None:
    desk.sign(ALICE)
    assert desk.reason(BY_MAP) == ("", "")

    desk.objects[Ref("ConfigMap", "demo", "model-keys")]["data"] = {"bob.pub": BOB.public.pem}
    desk.polling.clock.pass_by(KEY_SECONDS)
    desk.of(BY_MAP)

    assert desk.reason(BY_MAP)[0] == "SignatureMissing"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"configMap": {"name": "nowhere"}}, "ConfigMap demo/nowhere, which spec.source.verify names, is not there"),
        ({"configMap": {"name": "model-keys", "key": "bob.pub"}}, "ConfigMap demo/model-keys has no bob.pub"),
        ({"secret": {"name": "more-keys", "key": "password"}}, "Secret demo/more-keys holds no public key"),
    ],
)
def test_keys_that_cannot_be_had_are_told_and_nothing_of_a_secret_is_quoted(
    desk: Desk, source: dict[str, Any], words: str
) -> None:
    desk.sign(ALICE)

    reason, message = desk.reason(BY_MAP, source)

    assert reason == "InvalidKey"
    assert words in message
    assert "hunter2" not in message


def test_while_the_api_server_is_away_nothing_is_known(desk: Desk) -> None:
    desk.away = True

    failure = desk.of(BY_MAP).failure

    assert failure is not None
    assert (failure.reason, failure.retry) == ("Unreachable", True)


def test_an_entry_that_is_not_known_leaves_the_keys_known(desk: Desk) -> None:
    assert desk.of(BY_MAP, entry=Failure("UnknownEntry", "no such entry")) == Verification(((ALICE.public.text,),))


def test_a_store_that_is_away_leaves_it_open(desk: Desk) -> None:
    failing = VerificationObserver(desk, _Away(), desk.polling, settings())
    model = a_model(source={"name": "toy", "version": "1", "verify": {"keys": [BY_MAP]}})
    entry = ResolvedEntry("toy", "1", "sha256:" + "0" * 64)

    known = desk.polling.settled(lambda: failing.of(DIGITS, model, entry))

    assert known.policies == ((ALICE.public.text,),)
    assert known.failure is not None
    assert known.failure.retry


class _Away:
    """A registry that does not answer."""

    def resolve(self, name: str, version: str | None = None, alias: str | None = None) -> Any:
        raise Unreachable("the store did not answer.")

    def signatures(self, name: str, version: str) -> dict[str, bytes]:
        raise Unreachable("the store did not answer.")


def test_the_namespace_and_the_model_each_want_a_signature(store: S3Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, {"demo": BOB.public.pem})
    desk.sign(ALICE)
    assert desk.reason(BY_MAP)[0] == "SignatureMissing"
    assert BOB.public.id in desk.reason()[1]

    desk.sign(BOB)
    desk.polling.clock.pass_by(60)
    assert desk.of(BY_MAP) == Verification(((BOB.public.text,), (ALICE.public.text,)))
    assert desk.of() == Verification(((BOB.public.text,),))


def test_a_namespaces_keys_that_are_none_are_the_platforms_to_mend(store: S3Store, tmp_path: Path) -> None:
    failure = Desk(store, tmp_path, {"*": "nonsense"}).of().failure

    assert failure is not None
    assert failure.reason == "InvalidKey"
    assert "config.signing.namespaces, for namespace demo" in failure.message
