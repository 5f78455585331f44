"""The registry and store that the settings name, for verbs of every room."""

import re

from modelyard.api.entry import Entry
from modelyard.clients.store import S3Store
from modelyard.errors import InvalidSettings, UnknownEntry
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import Settings

ENTRY_WORDS = re.compile(r"([a-z0-9][a-z0-9._-]*)([:@])([A-Za-z0-9][A-Za-z0-9._-]*)")
"""NAME:VERSION or NAME@ALIAS."""


def open_store() -> S3Store:
    """The configured store; raises InvalidSettings when nothing says where it is."""
    settings = Settings.read().store
    if not settings.endpoint and not settings.access_key_id:
        raise InvalidSettings(
            "nothing says where the store is: set store.endpoint and its keys in .modelyard/config.yaml, or "
            "MODELYARD_STORE_ENDPOINT, MODELYARD_STORE_ACCESS_KEY_ID and MODELYARD_STORE_SECRET_ACCESS_KEY."
        )
    return S3Store(settings)


def open_registry() -> BucketRegistry:
    """The configured registry; raises InvalidSettings when nothing says where its store is."""
    return BucketRegistry(open_store())


def entry_called(what: str) -> Entry:
    """The entry that NAME:VERSION or NAME@ALIAS means; raises UnknownEntry for other words, and as `resolve` does."""
    match = ENTRY_WORDS.fullmatch(what)
    if match is None:
        raise UnknownEntry(f"{what!r} is not an entry; write NAME:VERSION or NAME@ALIAS.")
    name, sign, rest = match.groups()
    registry = open_registry()
    return registry.resolve(name, version=rest) if sign == ":" else registry.resolve(name, alias=rest)
