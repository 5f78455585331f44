"""Whether a Model's entry has to be signed, and why it is not served while that has not been seen.

The namespace's policy (`config.signing.namespaces`) and the Model's own (`spec.source.verify`) hold side by side: a
Model can ask for more than its namespace does, never for less. The build is signed as well then, and has another digest
than one that is not, so that a pod which is to check it never meets one that nobody signed.

What a revision was started from was verified, so a registry or an API server that is away takes nothing back.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model import Model
from modelyard.core.snapshot import Failure, ResolvedEntry, Snapshot
from modelyard.settings import Settings

SIGNED: Mapping[str, Any] = {"signed": True}
"""What the options of a signed build have more than those of another."""


def must_be_signed(model: Model, settings: Settings) -> bool:
    """Whether the Model or its namespace demands signatures."""
    return model.spec.source.verify is not None or bool(settings.signing.of(model.namespace))


def unverified(snapshot: Snapshot, entry: ResolvedEntry, settings: Settings) -> Failure | None:
    """Why nothing may be built or started from the entry; None when it may."""
    if not must_be_signed(snapshot.model, settings):
        return None
    check = snapshot.start_check
    failure = snapshot.verification.failure or (check if isinstance(check, Failure) else None)
    return None if failure is not None and failure.retry and _verified_before(snapshot, entry) else failure


def _verified_before(snapshot: Snapshot, entry: ResolvedEntry) -> bool:
    """Whether a revision was started from this very entry, with pods that check it."""
    status = snapshot.model.status
    same = status.entry is not None and status.entry.digest == entry.digest
    return same and any(revision.verified and revision.version == entry.version for revision in status.revisions)
