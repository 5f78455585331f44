"""Entries that are used only if they are what somebody trusted has signed, to the bit."""

import os
from collections.abc import Iterable
from pathlib import Path

from modelyard.api.entry import Entry
from modelyard.core.storage.object_store import Progress
from modelyard.errors import CorruptEntry, InvalidSettings, SignatureInvalid
from modelyard.settings import Settings
from modelyard.signing.build_provenance import BuildSigner
from modelyard.signing.entry_signature import verify_entry
from modelyard.signing.keys import SigningKey, from_text

from .bucket import BucketRegistry


def build_signer(registry: BucketRegistry, entry: Entry, policies: Iterable[str]) -> BuildSigner:
    """The builder's key, with those who have signed the entry, one for each policy (keys in base64, with commas).

    Raises InvalidSettings without a key, InvalidKey for one that is none, and as `verify_entry` does.
    """
    file = Settings.read().signing.key_file
    if not file:
        raise InvalidSettings("nothing says with which key builds are signed: set MODELYARD_SIGNING_KEY_FILE.")
    key = SigningKey.read(Path(file), own=False)
    wanted = [from_text(policy.split(",")) for policy in policies]
    signers = verify_entry(entry, registry.signatures(entry.name, entry.version) if wanted else {}, wanted)
    return BuildSigner(key, os.environ.get("MODELYARD_BUILDER_IMAGE", ""), signers)


def fetch_signed(registry: BucketRegistry, entry: Entry, folder: Path, progress: Progress | None = None) -> None:
    """As `fetch`, of an entry whose signature was verified; a file that differs is SignatureInvalid then."""
    try:
        registry.fetch(entry, folder, progress)
    except CorruptEntry as bad:
        raise SignatureInvalid(str(bad)) from bad
