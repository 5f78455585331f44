"""The registry and store that the settings name, for verbs of every room."""

from modelyard.clients.store import S3Store
from modelyard.errors import InvalidSettings
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import Settings


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
