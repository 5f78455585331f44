"""A signed statement: an in-toto statement as the payload of a DSSE envelope, which other tools read as well.

    {"payloadType": "application/vnd.in-toto+json", "payload": base64, "signatures": [{"keyid", "sig"}]}

What is signed is not the payload alone but `DSSEv1 <length> <type> <length> <payload>`, so that a signature over one
kind of document never passes for one over another (https://github.com/secure-systems-lab/dsse).
"""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from modelyard.errors import SignatureInvalid

from .keys import PublicKey, SigningKey

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_LARGEST = 16 << 20


class Opened(NamedTuple):
    """A statement, and the key that was seen to have signed it."""

    statement: Mapping[str, Any]
    key: PublicKey

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 by path of everything that was signed."""
        return {item["name"]: item["digest"]["sha256"] for item in self.statement["subject"]}


def sealed(kind: str, files: Mapping[str, str], predicate: Mapping[str, Any], key: SigningKey) -> bytes:
    """The envelope over a statement of that `kind` about files, SHA-256 by path, signed with `key`."""
    subject = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())]
    statement = {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate}
    payload = json.dumps(statement, sort_keys=True).encode()
    signature = base64.b64encode(key.sign(signed_bytes(PAYLOAD_TYPE, payload))).decode()
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key.public.id, "sig": signature}],
    }
    return json.dumps(envelope, indent=1).encode()


def opened(envelope: bytes, keys: Iterable[PublicKey], kind: str, what: str) -> Opened:
    """The statement of that `kind` in an envelope that one of `keys` signed; `what` names it in errors.

    Raises SignatureInvalid: the envelope is damaged, no key of these signed it, or it states something else.
    """
    payload, signatures = _read(envelope, what)
    known = {key.id: key for key in keys}
    message = signed_bytes(PAYLOAD_TYPE, payload)
    trusted = [(known[key_id], signature) for key_id, signature in signatures if key_id in known]
    if not trusted:
        ids = ", ".join(key_id for key_id, _ in signatures) or "none"
        wanted = ", ".join(known) or "none"
        raise SignatureInvalid(f"{what} is signed by {ids}, which is not trusted here (trusted: {wanted}).")
    key = next((key for key, signature in trusted if key.signed(message, signature)), None)
    if key is None:
        raise SignatureInvalid(f"{what} is not what {trusted[0][0].id} signed: it was changed after that.")
    try:
        return _checked(Opened(json.loads(payload), key), kind)
    except (ValueError, KeyError, TypeError) as bad:
        raise SignatureInvalid(f"{what} states nothing of the kind {kind}, though {key.id} signed it.") from bad


def signed_bytes(kind: str, payload: bytes) -> bytes:
    """What a signature is over."""
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])


def _checked(statement: Opened, kind: str) -> Opened:
    """The statement, when it has the fields that whoever reads it relies on; ValueError, KeyError or TypeError else."""
    said = statement.statement
    if said["_type"] != STATEMENT or said["predicateType"] != kind or not isinstance(said["predicate"], dict):
        raise ValueError(kind)
    if len(statement.files) != len(said["subject"]):
        raise ValueError("a file is named twice")
    return statement


def _read(envelope: bytes, what: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Payload and signatures, by key id, of an envelope whose signatures nobody has looked at yet."""
    try:
        if len(envelope) > _LARGEST:
            raise ValueError("too large")
        values = json.loads(envelope)
        if values["payloadType"] != PAYLOAD_TYPE:
            raise ValueError("another type")
        payload = base64.b64decode(values["payload"], validate=True)
        signatures = [
            (str(item["keyid"]), base64.b64decode(item["sig"], validate=True)) for item in values["signatures"]
        ]
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as bad:
        raise SignatureInvalid(f"{what} cannot be read as a signed statement: it is damaged.") from bad
    return payload, signatures
