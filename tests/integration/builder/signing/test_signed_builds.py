"""A tampered bucket is caught: entry, shared layer, signature, one bit; with the real store and a real Triton."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from modelyard.api.entry import Entry
from modelyard.builder.triton import server as triton
from modelyard.clients.store import S3Store
from modelyard.core.names import build_digest
from modelyard.core.storage import keys as places
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from modelyard.signing import verified_start
from modelyard.signing.entry_signature import signature_of
from modelyard.signing.keys import SigningKey, write_pair
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.operator.bench import eventually
from tests.support.servers.store import StoreServer

ALICE = SigningKey.new()
PROGRAM = Path(verified_start.__file__).read_text()


class Workshop:
    """A bucket with the signed entry toy:1, and a builder with a key."""

    def __init__(self, where: StoreSettings, folder: Path) -> None:
        self.where, self.folder, self.store = where, folder, S3Store(where)
        self.registry = BucketRegistry(self.store)
        self.entry: Entry = self.registry.push(an_entry(folder / "toy")).entry
        self.registry.sign(self.entry, ALICE.public.id, signature_of(self.entry, ALICE, "abc123"))
        self.key, self.private, self.public = write_pair(folder, "builder")
        self.digest = build_digest(self.entry.digest, "toy", {"signed": True})

    def build(self, *verify: str, key: str | None = None) -> Ran:
        """The command of the cluster's Job."""
        asked = [word for keys in verify or (ALICE.public.text,) for word in ("--verify", keys)]
        words = ("build", "toy:1", "--name", "toy", "--publish", "--sign", *asked, "-o", "json")
        more = {
            "MODELYARD_SIGNING_KEY_FILE": str(self.private) if key is None else key,
            "MODELYARD_BUILDER_IMAGE": "docker.io/modelyard/builder:9",
            "MODELYARD_TERMINATION_LOG": str(self.folder / "termination"),
        }
        return modelyard_here(*words, store=self.where, cwd=self.folder, **more)

    def said(self) -> dict[str, str]:
        """The builder's last words."""
        return json.loads((self.folder / "termination").read_text())

    def flip(self, key: str) -> None:
        """Somebody with the store's write keys changes one bit of an object."""
        content = bytearray(self.store.get(key) or b"")
        content[len(content) // 2] ^= 1
        self.store.put(key, bytes(content))

    def downloaded(self) -> Path:
        """The build as KServe leaves it in a pod."""
        folder, prefix = self.folder / "models", places.build_repository(self.digest)
        for stored in self.store.list(prefix):
            target = folder / stored.key.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            assert self.store.download(stored.key, target)
        return folder


@pytest.fixture
def workshop(store_server: StoreServer, tmp_path: Path) -> Workshop:
    return Workshop(store_server.settings(store_server.new_bucket()), tmp_path)


def test_a_signed_build_is_what_triton_serves_after_the_check(workshop: Workshop, compiled_home: Path) -> None:
    """The shared layer that lies in the store is a forged one: nothing of it may get into a signed build."""
    part = places.part_digest(workshop.entry.digest)
    workshop.store.put(places.part(part, "part.json"), b'{"files": [], "served": ["model.onnx"]}')
    ran = workshop.build()
    assert ran.code == 0, ran.err

    shown = modelyard_here(
        "verify", workshop.digest, "--key", workshop.public, "-o", "json", store=workshop.where, cwd=workshop.folder
    )
    facts = json.loads(shown.out)
    assert (facts["commit"], facts["builder"]) == ("abc123", "docker.io/modelyard/builder:9")
    assert facts["options"] == {"signed": True}

    http, grpc = triton._free_ports(0, 0)
    command = triton._command(
        compiled_home, workshop.downloaded(), http, grpc, f"modelyard-signed-{os.getpid()}-{http}-"
    )
    checks = {
        "MODELYARD_BUILD": workshop.digest,
        "MODELYARD_BUILD_KEYS": workshop.key.public.text,
        "MODELYARD_REPOSITORY": str(workshop.folder / "models"),
    }
    environment = {**triton._environment(), **triton._libraries(compiled_home), **checks}
    log = workshop.folder / "triton.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, *command],
            stdout=sink, stderr=sink, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{http}/v2"
        eventually(lambda: _answers(f"{url}/models/toy/ready") or server.poll() is not None, "Triton is ready")
        assert _answers(f"{url}/models/toy/ready"), log.read_text()
        index = httpx.post(f"{url}/repository/index", json={}, trust_env=False).json()
    finally:
        triton.stop(server)
    assert [(model["name"], model["state"]) for model in index] == [("toy", "READY")]
    assert f"every file is what {workshop.key.public.id} signed" in log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _another_entry(workshop: Workshop) -> None:
    workshop.store.delete(places.entry_manifest("toy", "1"))
    workshop.registry.push(an_entry(workshop.folder / "evil", labels=["evil"]))


ENTRIES: dict[str, tuple[Callable[[Workshop], object], str, str]] = {
    "one bit of the model": (
        lambda w: w.flip(places.entry_file("toy", "1", w.entry.digest, "model.onnx")),
        "SignatureInvalid",
        "model.onnx of toy:1",
    ),
    "another entry": (_another_entry, "SignatureInvalid", "modelyard.yaml of toy:1"),
    "one bit of the signature": (
        lambda w: w.flip(places.entry_signature("toy", "1", ALICE.public.id)),
        "SignatureInvalid",
        f"signature {ALICE.public.id} of toy:1",
    ),
    "the signature away": (
        lambda w: w.store.delete(places.entry_signature("toy", "1", ALICE.public.id)),
        "SignatureMissing",
        "entry.json of toy:1",
    ),
}


@pytest.mark.parametrize("how", ENTRIES)
def test_a_tampered_entry_stops_at_the_build_with_the_files_name(workshop: Workshop, how: str) -> None:
    tamper, reason, words = ENTRIES[how]
    tamper(workshop)

    ran = workshop.build()

    said = workshop.said()
    assert (ran.code, said["reason"]) == (2, reason)
    assert words in said["message"]
    assert list(workshop.store.list("builds/")) == []


def test_each_policy_has_to_be_satisfied(workshop: Workshop) -> None:
    bob = SigningKey.new().public

    ran = workshop.build(f"{bob.text},{ALICE.public.text}", bob.text)

    assert (ran.code, workshop.said()["reason"]) == (2, "SignatureMissing")
    assert bob.id in ran.err


def test_a_builder_without_a_key_says_what_is_to_be_set(workshop: Workshop) -> None:
    ran = workshop.build(key="")
    assert (ran.code, "MODELYARD_SIGNING_KEY_FILE" in ran.err) == (2, True)
    assert workshop.build(key=str(workshop.public)).code == 2
    for words in (("--sign",), ("--publish", "--verify", "x")):
        assert modelyard_here("build", "toy:1", *words, store=workshop.where, cwd=workshop.folder).code == 2
