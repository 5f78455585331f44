"""Who signed an entry: whatever was changed after that is told with the file's name."""

import base64
import json
from collections.abc import Callable

import pytest

from modelyard.errors import SignatureInvalid, SignatureMissing
from modelyard.signing.entry_signature import signature_of, verify_entry
from modelyard.signing.envelope import opened, sealed
from modelyard.signing.keys import SigningKey
from tests.support.signing.signed import an_entry_of

ALICE, BOB = SigningKey.new(), SigningKey.new()
FILES = {"model.onnx": b"weights", "modelyard.yaml": b"name: digits"}
ENTRY = an_entry_of(FILES)
SIGNED = {ALICE.public.id: signature_of(ENTRY, ALICE, commit="abc123")}


def test_a_signed_entry_names_its_signer_and_the_commit() -> None:
    (signer,) = verify_entry(ENTRY, SIGNED, [(BOB.public, ALICE.public)])

    assert (signer.key, signer.commit) == (ALICE.public, "abc123")
    assert signer.time


def test_each_policy_wants_a_signature_of_its_own() -> None:
    both = SIGNED | {BOB.public.id: signature_of(ENTRY, BOB)}

    assert [s.key for s in verify_entry(ENTRY, both, [(ALICE.public,), (BOB.public,)])] == [ALICE.public, BOB.public]
    assert verify_entry(ENTRY, {}, []) == ()
    with pytest.raises(SignatureMissing, match=BOB.public.id):
        verify_entry(ENTRY, SIGNED, [(ALICE.public,), (BOB.public,)])


@pytest.mark.parametrize(
    ("signatures", "who"), [({}, "nobody"), (SIGNED, ALICE.public.id)], ids=["unsigned", "by another"]
)
def test_an_entry_that_nobody_trusted_has_signed_says_who_is_wanted(signatures: dict[str, bytes], who: str) -> None:
    with pytest.raises(SignatureMissing, match=rf"entry\.json of digits:1 is signed by {who}.*{BOB.public.id}"):
        verify_entry(ENTRY, signatures, [(BOB.public,)])


CHANGES = {
    "one bit of a file": ({**FILES, "model.onnx": b"weighte"}, "model.onnx"),
    "a file more": ({**FILES, "extra.py": b"import os"}, "extra.py"),
    "a file less": ({"model.onnx": b"weights"}, "modelyard.yaml"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_entry_that_was_changed_after_it_was_signed_names_the_file(change: str) -> None:
    contents, name = CHANGES[change]

    with pytest.raises(SignatureInvalid, match=rf"^{name} of digits:1 is not what {ALICE.public.id} signed"):
        verify_entry(an_entry_of(contents), SIGNED, [(ALICE.public,)])


def test_a_signature_of_another_version_is_worth_nothing() -> None:
    other = {ALICE.public.id: signature_of(an_entry_of(FILES, version="2"), ALICE)}

    with pytest.raises(SignatureInvalid, match="is that of digits:2"):
        verify_entry(ENTRY, other, [(ALICE.public,)])


@pytest.mark.parametrize("damage", [b"{", b"[" * 100_000], ids=["cut off", "nested without end"])
def test_one_good_signature_of_several_is_enough(damage: bytes) -> None:
    damaged = {BOB.public.id: damage, **SIGNED}

    (signer,) = verify_entry(ENTRY, damaged, [(BOB.public, ALICE.public)])
    assert signer.key == ALICE.public


def _claimed(envelope: dict) -> dict:
    """Bob's signature under the id of Alice's key."""
    theirs = json.loads(signature_of(ENTRY, BOB))
    theirs["signatures"][0]["keyid"] = ALICE.public.id
    return theirs


def _flipped(envelope: dict) -> dict:
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[40] ^= 1
    return {**envelope, "payload": base64.b64encode(payload).decode()}


FORGERIES: dict[str, tuple[Callable[[dict], object], str]] = {
    "one bit of what is stated": (_flipped, "was changed after that"),
    "somebody else's signature": (_claimed, "was changed after that"),
    "a signature cut off": (lambda e: {**e, "signatures": []}, "signed by none"),
    "another type of document": (lambda e: {**e, "payloadType": "text/plain"}, "damaged"),
    "no base64": (lambda e: {**e, "payload": "%"}, "damaged"),
    "no envelope": (lambda e: [], "damaged"),
    "no signatures": (lambda e: {"payloadType": e["payloadType"], "payload": e["payload"]}, "damaged"),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_signature_is_told(how: str) -> None:
    forge, words = FORGERIES[how]
    forged = json.dumps(forge(json.loads(SIGNED[ALICE.public.id]))).encode()

    with pytest.raises(SignatureInvalid, match=words):
        verify_entry(ENTRY, {ALICE.public.id: forged}, [(ALICE.public,)])


def test_what_was_signed_as_something_else_states_nothing_here() -> None:
    for envelope in (
        sealed("https://example.com/other/v1", {}, {}, ALICE),
        sealed("https://modelyard.dev/entry/v1", {}, "no mapping", ALICE),  # type: ignore[arg-type]
    ):
        with pytest.raises(SignatureInvalid, match="states nothing of the kind"):
            verify_entry(ENTRY, {ALICE.public.id: envelope}, [(ALICE.public,)])


def test_an_envelope_too_large_to_be_one_is_not_read() -> None:
    with pytest.raises(SignatureInvalid, match="damaged"):
        opened(b" " * ((16 << 20) + 1), (ALICE.public,), "kind", "what")
