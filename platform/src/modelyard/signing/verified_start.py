"""Checks a build where it is served, then becomes the server: `python3 -ISc PROGRAM SERVER ARGUMENTS...`

    MODELYARD_BUILD         sha256:<hex> of the build that is to be served here
    MODELYARD_BUILD_KEYS    Ed25519 keys that may have signed it, 32 bytes each in base64, separated by spaces
    MODELYARD_REPOSITORY    where it lies; /mnt/models when left out

The operator puts the text of this file into the container's command, whatever the image: so it is of the standard
library alone, and Ed25519 is OpenSSL's, which Python itself is linked with. It must not hold what KServe and Kubernetes
replace in commands: two opening braces in a row, or a dollar sign before a parenthesis.

What is wrong is said on stderr and, as {"reason", "message"}, in the container's termination message, where the
operator reads it; the exit code is 78 (EX_CONFIG of sysexits.h) then, and no server has started.
"""

import base64
import ctypes
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

PROVENANCE = "provenance.dsse.json"
KIND = "https://slsa.dev/provenance/v1"
REFUSED = 78
_TYPE = "application/vnd.in-toto+json"
_TERMINATION = "/dev/termination-log"
_LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
_ED25519 = 1087
_PIECE = 1 << 20


class Refusal(Exception):
    """Why the build is not served: a reason word and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def check(folder: Path, build: str, keys: list[bytes]) -> str:
    """The id of the key that signed the build in `folder`, every file of which is what was signed.

    Raises Refusal, with the name of the file, when it is not so; OSError when no OpenSSL is here.
    """
    proof = folder / PROVENANCE
    if not proof.is_file():
        raise Refusal("SignatureMissing", f"{PROVENANCE} is missing: this build is not signed; {_again(build)}.")
    statement, key = _opened(proof.read_bytes(), keys, build)
    try:
        asked = statement["predicate"]["buildDefinition"]["externalParameters"]
        signed = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
        right = statement["predicateType"] == KIND and asked["build"] == build
    except (KeyError, TypeError) as bad:
        raise _invalid(f"{PROVENANCE} states nothing of a build", build) from bad
    if not right:
        raise _invalid(f"{PROVENANCE} is that of another build, and so are the files beside it", build)
    everything = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    there = {path.relative_to(folder).as_posix(): path for path in everything}
    del there[PROVENANCE]
    for name in sorted(set(signed) | set(there)):
        if name not in there:
            raise _invalid(f"{name} is missing", build)
        if name not in signed or there[name].is_symlink():
            raise _invalid(f"{name} is no part of what {key} signed", build)
        if sha256(there[name]) != signed[name]:
            raise _invalid(f"{name} is not what {key} signed", build)
    return key


def sha256(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def key_id(key: bytes) -> str:
    """As `modelyard keys` names a key."""
    return hashlib.sha256(bytes.fromhex("302a300506032b6570032100") + key).hexdigest()[:16]


def signed_with(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether OpenSSL finds that `signature` was made over `message` with that Ed25519 key."""
    crypto = _openssl()
    public = crypto.EVP_PKEY_new_raw_public_key(_ED25519, None, key, len(key))
    context = crypto.EVP_MD_CTX_new()
    try:
        begun = public and context and crypto.EVP_DigestVerifyInit(context, None, None, None, public) == 1
        if not begun:
            raise OSError("OpenSSL knows no Ed25519")
        return crypto.EVP_DigestVerify(context, signature, len(signature), message, len(message)) == 1
    finally:
        crypto.EVP_MD_CTX_free(context)
        crypto.EVP_PKEY_free(public)


def main(words: list[str]) -> int:
    """Becomes the server that `words` start; returns only when the build is refused, with the exit code."""
    folder, build = os.environ.get("MODELYARD_REPOSITORY", "/mnt/models"), os.environ["MODELYARD_BUILD"]
    keys = [base64.b64decode(word) for word in os.environ["MODELYARD_BUILD_KEYS"].split()]
    try:
        key = check(Path(folder), build, keys)
    except Refusal as refused:
        print(refused, file=sys.stderr, flush=True)
        _leave(refused)
        return REFUSED
    print(f"every file is what {key} signed", file=sys.stderr, flush=True)
    os.execvp(words[0], words)  # noqa: S606 - it takes our place
    return 0


def _opened(envelope: bytes, keys: list[bytes], build: str) -> tuple[Any, str]:
    """The statement in an envelope that one of `keys` signed, and the id of that key."""
    try:
        values = json.loads(envelope)
        payload = base64.b64decode(values["payload"], validate=True)
        listed = values["signatures"]
        signatures = [(str(item["keyid"]), base64.b64decode(item["sig"], validate=True)) for item in listed]
        statement = json.loads(payload)
    except (ValueError, KeyError, TypeError, RecursionError) as bad:
        raise _invalid(f"{PROVENANCE} is damaged", build) from bad
    kind, length = _TYPE.encode(), str(len(payload)).encode()
    message = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, length, payload])
    known = {key_id(key): key for key in keys}
    trusted = [(name, signature) for name, signature in signatures if name in known]
    if not trusted:
        names = ", ".join(name for name, _ in signatures) or "nobody"
        raise _invalid(f"{PROVENANCE} is signed by {names}, whom this pod does not trust", build)
    for name, signature in trusted:
        if signed_with(known[name], message, signature):
            return statement, name
    raise _invalid(f"{PROVENANCE} is not what {trusted[0][0]} signed", build)


def _invalid(what: str, build: str) -> Refusal:
    return Refusal("SignatureInvalid", f"{what}: the store's files were changed; {_again(build)}.")


def _again(build: str) -> str:
    return f"delete builds/{build[7:]}/ in the store, and this pod once it is built again"


def _leave(refused: Refusal) -> None:
    """Writes the termination message; where there is no place for one, stderr has to do."""
    said = {"reason": refused.reason, "message": str(refused)}
    try:
        Path(os.environ.get("MODELYARD_TERMINATION_LOG", _TERMINATION)).write_text(json.dumps(said))
    except OSError:
        return


def _openssl() -> Any:
    """OpenSSL's libcrypto with the types of what is called. Raises OSError when there is none."""
    for name in _LIBRARIES:
        try:
            crypto = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        raise OSError("no OpenSSL is here, which this image's Python should have brought")
    pointer, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    types: list[tuple[str, Any, list[Any]]] = [
        ("EVP_PKEY_new_raw_public_key", pointer, [ctypes.c_int, pointer, text, size]),
        ("EVP_MD_CTX_new", pointer, []),
        ("EVP_DigestVerifyInit", ctypes.c_int, [pointer, pointer, pointer, pointer, pointer]),
        ("EVP_DigestVerify", ctypes.c_int, [pointer, text, size, text, size]),
        ("EVP_MD_CTX_free", None, [pointer]),
        ("EVP_PKEY_free", None, [pointer]),
    ]
    for called, result, arguments in types:
        function = getattr(crypto, called)
        function.restype, function.argtypes = result, arguments
    return crypto


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
