"""Ed25519 keys: a private one in a PEM file (PKCS #8) for its owner alone, a public one (SPKI) for everybody.

The id of a key is the beginning of the SHA-256 over its public half: it says in a signature which key to try, and
people which key is meant. It is no secret and proves nothing.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.errors import InvalidKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of every Ed25519 key in SubjectPublicKeyInfo (RFC 8410)."""
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----")
_PRIVATE = "-----BEGIN PRIVATE KEY-----"
_OTHERS = 0o077
_ID_DIGITS = 16


@dataclass(frozen=True)
class PublicKey:
    """The public half of a key: 32 bytes."""

    raw: bytes

    @property
    def id(self) -> str:
        """16 hex digits that name the key."""
        return hashlib.sha256(_SPKI + self.raw).hexdigest()[:_ID_DIGITS]

    @property
    def text(self) -> str:
        """The 32 bytes in base64, for command lines and environments."""
        return base64.b64encode(self.raw).decode()

    @property
    def pem(self) -> str:
        """As a `.pub` file has it."""
        body = base64.b64encode(_SPKI + self.raw).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` was made over `message` with the private half."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key; its text never shows it."""

    _private: "Ed25519PrivateKey" = field(repr=False)

    @classmethod
    def new(cls) -> "SigningKey":
        """A key that nobody has had before."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path, *, own: bool = True) -> "SigningKey":
        """The key in a file. With `own` the file must be readable by its owner alone.

        Raises InvalidKey, which never quotes the file, when it holds no unencrypted Ed25519 key or others may read it.
        """
        try:
            content, mode = path.read_bytes(), path.stat().st_mode
        except OSError as bad:
            raise InvalidKey(f"the private key {path} cannot be read ({bad.strerror}); name the file.") from bad
        if own and mode & _OTHERS:
            raise InvalidKey(f"others may read the private key {path}: chmod 600 {path}, or make a new one.")
        return cls._parsed(content, path)

    @classmethod
    def _parsed(cls, content: bytes, path: Path) -> "SigningKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(content, None)
        except (ValueError, TypeError):  # `from None`: what the parser says may quote what it read
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey(f"{path} is no private key of ours: make one with `modelyard keys new NAME`.") from None
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """The half for everybody."""
        return PublicKey(self._private.public_key().public_bytes_raw())

    def pem(self) -> bytes:
        """As the file of the private key has it; for that file and nothing else."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """The signature over a message, 64 bytes."""
        return self._private.sign(message)


def write_pair(folder: Path, name: str) -> tuple[SigningKey, Path, Path]:
    """A new key in FOLDER/NAME.key, for its owner alone, and FOLDER/NAME.pub: the key and both paths.

    Raises InvalidKey, and writes nothing, when either is there already.
    """
    private, public = folder / f"{name}.key", folder / f"{name}.pub"
    for path in (private, public):
        if path.exists():
            raise InvalidKey(f"{path} is there already; a key is never overwritten: choose another name.")
    folder.mkdir(parents=True, exist_ok=True)
    key = SigningKey.new()
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.pem())
    public.write_text(key.public.pem)
    return key, private, public


def public_keys(text: str, where: str) -> tuple[PublicKey, ...]:
    """All public keys in a text, each a PEM block, in order and each once.

    Raises InvalidKey, which names `where` and never quotes the text, when there is none or one is no Ed25519 key.
    """
    if _PRIVATE in text:
        raise InvalidKey(f"{where} holds a private key: take it out, make a new one, and put the .pub file there.")
    keys = [_decoded(body, where) for body in _PEM.findall(text)]
    if not keys:
        raise InvalidKey(f"{where} holds no public key; put the .pub file of `modelyard keys new` there.")
    return tuple(dict.fromkeys(keys))


def read_public(path: Path) -> tuple[PublicKey, ...]:
    """All public keys in a file. Raises InvalidKey as `public_keys` does, and when the file cannot be read."""
    try:
        text = path.read_text(errors="replace")
    except OSError as bad:
        raise InvalidKey(f"the public key {path} cannot be read ({bad.strerror}); name the .pub file.") from bad
    return public_keys(text, str(path))


def from_text(words: Iterable[str]) -> tuple[PublicKey, ...]:
    """Keys by their `text`. Raises InvalidKey for a word that is none."""
    keys = []
    for word in words:
        try:
            raw = base64.b64decode(word, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != 32:
            raise InvalidKey(f"{word!r} is no public key: 32 bytes in base64 are wanted.")
        keys.append(PublicKey(raw))
    return tuple(keys)


def _decoded(body: str, where: str) -> PublicKey:
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        der = b""
    if len(der) != len(_SPKI) + 32 or not der.startswith(_SPKI):
        raise InvalidKey(f"{where} holds a public key that is not of Ed25519; make one with `modelyard keys new NAME`.")
    return PublicKey(der[len(_SPKI) :])
