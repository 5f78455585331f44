"""Keys: made once, kept private, read with a sentence when they are no keys."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from modelyard.errors import InvalidKey
from modelyard.signing.keys import SigningKey, from_text, public_keys, read_public, write_pair


def test_a_pair_is_written_once_and_the_private_half_for_its_owner_alone(tmp_path: Path) -> None:
    key, private, public = write_pair(tmp_path / "keys", "alice")

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert SigningKey.read(private).public == key.public
    assert read_public(public) == (key.public,)
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(InvalidKey, match="never overwritten"):
        write_pair(tmp_path / "keys", "alice")
    assert (private.read_bytes(), public.read_bytes()) == before


def test_a_public_file_alone_is_not_overwritten_either(tmp_path: Path) -> None:
    (tmp_path / "alice.pub").write_text("mine")

    with pytest.raises(InvalidKey):
        write_pair(tmp_path, "alice")
    assert not (tmp_path / "alice.key").exists()


def test_others_read_our_public_keys(tmp_path: Path) -> None:
    key = SigningKey.new()

    theirs = load_pem_public_key(key.public.pem.encode())
    assert theirs.public_bytes(Encoding.Raw, PublicFormat.Raw) == key.public.raw
    assert from_text([key.public.text]) == (key.public,)


def test_a_signature_holds_for_its_message_and_its_key_alone() -> None:
    key = SigningKey.new()
    signature = key.sign(b"message")

    assert key.public.signed(b"message", signature)
    assert not key.public.signed(b"massage", signature)
    assert not SigningKey.new().public.signed(b"message", signature)
    assert not key.public.signed(b"message", b"short")


def test_nothing_that_is_printed_shows_a_private_key(tmp_path: Path) -> None:
    key, private, _ = write_pair(tmp_path, "alice")
    secret = private.read_text().splitlines()[1]

    assert secret not in repr(key)
    assert secret not in str(key)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_private_key_that_others_may_read_is_refused_and_a_mounted_one_is_not(tmp_path: Path, mode: int) -> None:
    key, private, _ = write_pair(tmp_path, "alice")
    private.chmod(mode)

    with pytest.raises(InvalidKey, match="chmod 600"):
        SigningKey.read(private)
    assert SigningKey.read(private, own=False).public == key.public


def test_a_file_that_is_no_private_key_is_refused_without_being_quoted(tmp_path: Path) -> None:
    elsewhere = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    contents = {"text": b"hunter2", "curve": elsewhere, "public": SigningKey.new().public.pem.encode()}
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(InvalidKey, match="modelyard keys new") as refused:
            SigningKey.read(path)
        assert "hunter2" not in str(refused.value)
    with pytest.raises(InvalidKey, match="cannot be read"):
        SigningKey.read(tmp_path / "nowhere")


def test_several_public_keys_may_lie_in_one_file_each_counts_once() -> None:
    first, second = SigningKey.new().public, SigningKey.new().public

    assert public_keys(f"alice\n{first.pem}\nbob\n{second.pem}{first.pem}", "team.pub") == (first, second)


def test_a_private_key_among_public_ones_is_refused_before_anything_uses_it() -> None:
    key = SigningKey.new()

    with pytest.raises(InvalidKey, match=r"model-keys holds a private key") as refused:
        public_keys(key.public.pem + key.pem().decode(), "ConfigMap demo/model-keys")
    assert key.pem().decode().splitlines()[1] not in str(refused.value)


def test_what_is_no_public_key_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    with pytest.raises(InvalidKey, match="holds no public key"):
        public_keys("", "a.pub")
    with pytest.raises(InvalidKey, match="not of Ed25519"):
        public_keys(pem, "a.pub")
    with pytest.raises(InvalidKey, match="not of Ed25519"):
        public_keys("-----BEGIN PUBLIC KEY-----\nAAA\n-----END PUBLIC KEY-----", "a.pub")
    with pytest.raises(InvalidKey, match="cannot be read"):
        read_public(tmp_path / "nowhere.pub")
    for word in ("not base64!", "AAAA"):
        with pytest.raises(InvalidKey, match="no public key"):
            from_text([word])
