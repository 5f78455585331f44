"""Builds in the store: looked up first, made from a shared layer when there is one, published with the report last.

Of two builders of one digest both write the same bytes and one report wins; both have succeeded.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from modelyard.api.entry import Entry
from modelyard.api.report import BuildSource, Report
from modelyard.core.artifacts.signatures import SIGNED
from modelyard.core.names import build_digest
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.errors import CorruptEntry
from modelyard.signing.build_provenance import BuildSigner

from .assemble import REPOSITORY, WARMUP, Artifact, AssemblyRequest, ProgressSteps, Target, assemble
from .shared_layer import MANIFEST, LayerManifest, SharedLayer, make_part, open_part
from .source import read_source

Fetch = Callable[[Path], None]
"""Puts the entry's verified files into a folder."""


class Signature(NamedTuple):
    """Who signs a build, and the options it was made with, for the statement."""

    signer: BuildSigner
    options: Mapping[str, Any]


def publish(
    entry: Entry,
    model: str,
    target: Target,
    store: Store,
    fetch: Fetch,
    steps: ProgressSteps,
    signer: BuildSigner | None = None,
) -> Report:
    """The report of the build of an entry for the model `model`; builds and stores it unless it is there.

    With a `signer` it is another build, which is signed, and of which nothing was taken from earlier work in the store.

    Raises InvalidEntry or UnsupportedModel when the entry cannot be served, HostFailure when the machine failed.
    """
    options = dict(SIGNED) if signer is not None else {}
    digest = build_digest(entry.digest, model, options)
    signature = Signature(signer, options) if signer is not None else None

    def made(layer: SharedLayer, source: BuildSource, out: Path) -> Artifact:
        return assemble(layer, AssemblyRequest(model, digest, source, target), out, steps)

    return publish_once(entry, digest, store, fetch, steps, made, signature)


def publish_once(
    entry: Entry,
    digest: str,
    store: Store,
    fetch: Fetch,
    steps: ProgressSteps,
    made: Callable[[SharedLayer, BuildSource, Path], Artifact],
    signature: Signature | None = None,
) -> Report:
    """The report of the build `digest` of an entry; where it is not in the store it is `made` into a folder and stored.

    Raises what `part_of` and `made` raise.
    """
    present = published(store, digest)
    if present is not None:
        steps.say("already built")
        return present
    with tempfile.TemporaryDirectory(prefix="modelyard-build-") as scratch:
        folder = Path(scratch)
        layer = part_of(entry, None if signature else store, fetch, folder, steps)
        source = BuildSource(kind="entry", name=entry.name, version=entry.version, digest=entry.digest)
        artifact = made(layer, source, folder / "out")
        steps.say("publishing")
        upload(artifact, keys.part_digest(entry.digest), layer, digest, store, signature)
    return published(store, digest) or artifact.report


def published(store: Store, digest: str) -> Report | None:
    """The report of the build `digest`; None when it is not (completely) in the store, or damaged: build it again."""
    content = store.get(keys.build_report(digest))
    try:
        return None if content is None else Report.model_validate_json(content)
    except ValidationError:
        return None


def part_of(entry: Entry, store: Store | None, fetch: Fetch, folder: Path, steps: ProgressSteps) -> SharedLayer:
    """The shared layer of an entry: from the store, else made of the files that `fetch` puts into FOLDER/entry.

    A new one is put into the store. Without a store it is made, and kept nowhere. Raises what `make_part` raises.
    """
    digest = keys.part_digest(entry.digest)
    if store is not None:
        with steps.step("fetch", "looking for work already done"):
            layer = _stored_layer(store, digest, folder / "stored")
        if layer is not None:
            return layer
    with steps.step("fetch", f"fetching {entry.name}:{entry.version}"):
        fetch(folder / "entry")
    with steps.step("evidence", "trying the model"):
        layer = make_part(read_source(folder / "entry"), folder / "part", steps.attempts)
    if store is not None:
        for file in layer.manifest.files:
            store.upload(layer.folder / file.path, keys.part(digest, file.path))
        store.put(keys.part(digest, MANIFEST), (layer.folder / MANIFEST).read_bytes())
    return layer


def _stored_layer(store: Store, digest: str, folder: Path) -> SharedLayer | None:
    """A complete, undamaged layer from the store; None when it has to be made (again)."""
    content = store.get(keys.part(digest, MANIFEST))
    if content is None:
        return None
    folder.mkdir()
    (folder / MANIFEST).write_bytes(content)
    try:
        for file in LayerManifest.model_validate_json(content).files:
            target = folder / file.path
            if not keys.is_safe_path(file.path):
                return None
            target.parent.mkdir(parents=True, exist_ok=True)
            store.download(keys.part(digest, file.path), target)
        return open_part(folder)
    except (CorruptEntry, ValueError):
        return None


def upload(
    artifact: Artifact,
    part_digest: str,
    layer: SharedLayer,
    digest: str,
    store: Store,
    signature: Signature | None = None,
) -> None:
    """Puts a build into the store: the layer's files are copied inside it, others are sent, the report comes last.

    All files of a signed build are sent, because its layer is not in the store.
    """
    copied = layer.manifest.files if signature is None else ()
    places = {file.sha256: keys.part(part_digest, file.path) for file in copied}
    for file in artifact.report.files:
        target = keys.build_repository(digest) + file.path
        if file.sha256 in places:
            store.copy(places[file.sha256], target)
        else:
            store.upload(artifact.folder / REPOSITORY / file.path, target)
    if signature is not None:
        store.put(keys.build_provenance(digest), signature.signer.provenance(artifact.report, signature.options))
    store.put(keys.build_warmup(digest), (artifact.folder / WARMUP).read_bytes())
    if layer.profile is not None:
        store.put(keys.build_profile(digest), layer.profile.read_bytes())
    content = artifact.report.model_dump_json(by_alias=True, exclude_none=True, indent=2).encode()
    store.put_if_absent(keys.build_report(digest), content)
