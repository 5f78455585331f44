"""keys, push --key and verify, as a person types them, against a real store."""

import json
import stat
from pathlib import Path

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage import keys as places
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from modelyard.signing.keys import SigningKey, read_public
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.servers.store import StoreServer
from tests.support.signing.signed import BUILD, a_repository


class Desk:
    """A person with a folder of keys and a store."""

    def __init__(self, where: StoreSettings, folder: Path) -> None:
        self.where, self.folder, self.store = where, folder, S3Store(where)

    def run(self, *words: str | Path) -> Ran:
        return modelyard_here(*words, store=self.where, cwd=self.folder)

    def put(self, key: str, content: bytes) -> None:
        """Somebody with the store's write keys changes an object."""
        self.store.put(key, content)


@pytest.fixture
def desk(store_server: StoreServer, tmp_path: Path) -> Desk:
    desk = Desk(store_server.settings(store_server.new_bucket()), tmp_path)
    assert desk.run("keys", "new", "alice").code == 0
    assert desk.run("keys", "new", "bob").code == 0
    return desk


@pytest.fixture
def signed(desk: Desk) -> Desk:
    """The same after toy:1 was pushed with Alice's key."""
    folder = an_entry(desk.folder / "toy")
    pushed = desk.run("push", folder, "--key", "alice.key", "--commit", "abc123")
    assert pushed.code == 0, pushed.err
    return desk


def test_a_new_key_is_two_files_and_its_id_is_printed_but_never_its_private_half(desk: Desk) -> None:
    made = desk.run("keys", "new", "carol", "--folder", "keys")

    private, public = desk.folder / "keys" / "carol.key", desk.folder / "keys" / "carol.pub"
    (key,) = read_public(public)
    assert made.out.startswith(f"key {key.id}: keep keys/carol.key to yourself")
    assert private.read_text().splitlines()[1] not in made.out + made.err
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert desk.run("keys", "id", public).out == f"{key.id}\n"
    assert desk.run("keys", "new", "carol", "--folder", "keys").code == 2
    assert desk.run("keys", "new", "a/b").code == 2


def test_an_entry_pushed_with_a_key_is_verified_with_its_other_half(signed: Desk) -> None:
    alice = read_public(signed.folder / "alice.pub")[0].id

    shown = signed.run("verify", "toy:1", "--key", "alice.pub")
    told = signed.run("verify", "toy:1", "--key", "bob.pub", "--key", "alice.pub", "-o", "json")

    assert shown.code == 0, shown.err
    assert shown.out.startswith(f"toy:1 is what {alice} signed: 2 files, commit abc123, time ")
    assert (json.loads(told.out)["key"], json.loads(told.out)["commit"]) == (alice, "abc123")


def test_a_push_says_who_signed_and_one_without_a_key_signs_nothing(desk: Desk) -> None:
    folder = an_entry(desk.folder / "toy")
    plain = desk.run("push", folder)
    assert "signed" not in plain.out
    missing = desk.run("verify", "toy:1", "--key", "alice.pub")
    assert missing.code == 2
    assert "entry.json of toy:1 is signed by nobody" in missing.err

    again = desk.run("push", folder, "--key", "alice.key")
    written = json.loads(desk.run("push", folder, "--key", "alice.key", "-o", "json").out)

    alice = read_public(desk.folder / "alice.pub")[0].id
    assert again.out.rstrip().endswith(f", signed by {alice}")
    assert (written["new"], written["signedBy"]) == (False, alice)
    assert desk.run("verify", "toy:1", "--key", "alice.pub").code == 0


def test_one_bit_in_the_bucket_is_told_with_the_files_name(signed: Desk) -> None:
    entry = BucketRegistry(signed.store).resolve("toy", version="1")
    key = places.entry_file("toy", "1", entry.digest, "model.onnx")
    content = bytearray(signed.store.get(key) or b"")
    content[20] ^= 1
    signed.put(key, bytes(content))

    ran = signed.run("verify", "toy:1", "--key", "alice.pub")

    assert ran.code == 2
    assert "model.onnx of toy:1 is not what was pushed" in ran.err


def test_another_entry_in_its_place_is_told_although_it_is_consistent_in_itself(signed: Desk, tmp_path: Path) -> None:
    other = an_entry(tmp_path / "other", labels=["evil"])
    stranger = S3Store(signed.where.model_copy(update={"bucket": signed.where.bucket}))
    stranger.delete(places.entry_manifest("toy", "1"))
    BucketRegistry(stranger).push(other)

    ran = signed.run("verify", "toy:1", "--key", "alice.pub")

    assert ran.code == 2
    assert "modelyard.yaml of toy:1 is not what" in ran.err


def test_keys_are_rotated_by_signing_what_is_there_with_the_new_one(signed: Desk) -> None:
    refused = signed.run("keys", "sign", "toy:1", "--key", "bob.key", "--verify", "bob.pub")
    assert refused.code == 2

    rotated = signed.run("keys", "sign", "toy:1", "--key", "bob.key", "--verify", "alice.pub")

    assert rotated.code == 0, rotated.err
    assert signed.run("verify", "toy:1", "--key", "bob.pub").code == 0
    assert signed.run("verify", "toy:1", "--key", "alice.pub").code == 0
    assert signed.run("keys", "sign", "nonsense", "--key", "bob.key").code == 2


def test_a_push_with_a_key_that_others_may_read_pushes_nothing(desk: Desk) -> None:
    (desk.folder / "alice.key").chmod(0o644)

    ran = desk.run("push", an_entry(desk.folder / "toy"), "--key", "alice.key")

    assert ran.code == 2
    assert "chmod 600" in ran.err
    assert desk.run("entries").out.startswith("no entries")


def test_a_build_is_verified_as_the_pod_does_it(desk: Desk, tmp_path: Path) -> None:
    builder = SigningKey.new()
    (desk.folder / "builder.pub").write_text(builder.public.pem)
    folder = a_repository(tmp_path / "models", builder)
    for path in (file for file in folder.rglob("*") if file.is_file()):
        desk.store.upload(path, places.build_repository(BUILD) + path.relative_to(folder).as_posix())

    good = desk.run("verify", BUILD, "--key", "builder.pub")
    facts = json.loads(desk.run("verify", BUILD, "--key", "builder.pub", "-o", "json").out)
    other = desk.run("verify", BUILD, "--key", "alice.pub")
    desk.put(places.build_repository(BUILD) + "digits/config.pbtxt", b'name: "digit5"\n')
    tampered = desk.run("verify", BUILD, "--key", "builder.pub")
    desk.store.delete(places.build_provenance(BUILD))
    unsigned = desk.run("verify", BUILD, "--key", "builder.pub")

    assert good.out.startswith(f"the build of digits:1 for digits is what {builder.public.id} signed: 2 files"), (
        good.err
    )
    assert facts["builder"] == "modelyard build"
    assert (other.code, "does not trust" in other.err) == (2, True)
    assert (tampered.code, "digits/config.pbtxt is not what" in tampered.err) == (2, True)
    assert (unsigned.code, "provenance.dsse.json is missing" in unsigned.err) == (2, True)


def test_a_name_in_a_build_that_leads_elsewhere_is_refused(desk: Desk) -> None:
    desk.put(places.build_repository(BUILD) + "a:b", b"x")

    ran = desk.run("verify", BUILD, "--key", "alice.pub")

    assert ran.code == 2
    assert "is no name of a file of a build" in ran.err
