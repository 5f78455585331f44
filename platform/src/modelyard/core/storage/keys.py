"""Where things lie in the store, and the digest of an entry. Pure.

    registry/<name>/<version>/entry.json                  written last: the commit point
    registry/<name>/<version>/files-<digest12>/<path>     a failed push leaves nothing a later one could mix up
    registry/<name>/<version>/signatures/<key id>.json    one for everybody who vouches for the entry
    aliases/<name>/<alias>.json
    builds/<digest>/repository/<model>/{config.pbtxt,1/model.onnx}
    builds/<digest>/repository/provenance.dsse.json       who made a signed build, of what and how; pods check it
    builds/<digest>/{warmup.json,report.json}             report.json last: the commit point
    builds/<digest>/profile.json                          what rows of the reference look like, where there is one
    builds/<digest>/optimization/<path>                   report.json, report.html and pictures of an optimized build
    builds/<digest>/progress.json                         how far an optimization is; rewritten as it goes on
    studies/<digest>/<path>                               what an evicted optimization goes on from
    parts/<digest>/{part.json,...}                        the layer all builds of an entry share; part.json last
    checks/<namespace>/<model>/<revision>/<gate>.json     what a load test or a comparison of outputs found
    synced/mlflow/<name>.json                             what MLflow says of an entry's aliases, and what was refused
    synced/mlflow.json                                    when MLflow was asked last, and whether it answered

Digests are `sha256:<hex>` everywhere but in keys, which hold the hex alone.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from modelyard.api.entry import EntryFile
from modelyard.core.names import BUILD_FORMAT, bare, sha256_hex

REGISTRY = "registry/"
_MANIFEST = "entry.json"
PROVENANCE = "provenance.dsse.json"
"""Name of a build's signed statement: a file beside the model's folder, which Triton leaves alone."""


def entry_digest(files: Iterable[EntryFile]) -> str:
    """`sha256:<hex>` over the paths and contents of all files, in whatever order they come."""
    return "sha256:" + sha256_hex(sorted([file.path, file.sha256] for file in files))


def part_digest(entry_digest: str) -> str:
    """Digest of the layer that all builds of an entry share, whatever the Model is called."""
    return "sha256:" + sha256_hex({"entry": entry_digest, "format": BUILD_FORMAT})


def is_safe_path(path: str) -> bool:
    """Whether `path` names something inside the folder it is relative to, on every system."""
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts) and not any(bad in path for bad in "\\\0\n:")
    return plain and not PurePosixPath(path).is_absolute() and len(path) <= 512


def entry_prefix(name: str, version: str) -> str:
    """Prefix of the keys of one version of an entry."""
    return f"{REGISTRY}{name}/{version}/"


def entry_manifest(name: str, version: str) -> str:
    """Key of the manifest of one version."""
    return entry_prefix(name, version) + _MANIFEST


def entry_file(name: str, version: str, digest: str, path: str) -> str:
    """Key of the file at `path` in one version of an entry; `digest` is that of the entry."""
    return f"{entry_prefix(name, version)}files-{bare(digest)[:12]}/{path}"


def entry_signature(name: str, version: str, key_id: str = "") -> str:
    """Key of the signature of one version by the key with that id; without an id the prefix of all of them."""
    return f"{entry_prefix(name, version)}signatures/" + (f"{key_id}.json" if key_id else "")


def manifest_version(key: str) -> tuple[str, str] | None:
    """Name and version of an entry when `key` is a manifest's, else None."""
    match key.split("/"):
        case ["registry", name, version, "entry.json"]:
            return name, version
    return None


def alias(name: str, alias: str) -> str:
    """Key of one alias of the entry `name`."""
    return f"{alias_prefix(name)}{alias}.json"


def alias_prefix(name: str = "") -> str:
    """Prefix of the aliases of one entry, or of all entries."""
    return f"aliases/{name}/" if name else "aliases/"


def synced_model(name: str) -> str:
    """Key of what MLflow says of the entry `name`."""
    return f"synced/mlflow/{name}.json"


def sync_heartbeat() -> str:
    """Key of when MLflow was asked last; rewritten with every round."""
    return "synced/mlflow.json"


def build_report(digest: str) -> str:
    """Key of a build's report; it exists exactly when the build is complete."""
    return f"builds/{bare(digest)}/report.json"


def build_warmup(digest: str) -> str:
    """Key of the request body for one inference."""
    return f"builds/{bare(digest)}/warmup.json"


def build_profile(digest: str) -> str:
    """Key of a build's reference profile; absent where the entry had no reference."""
    return f"builds/{bare(digest)}/profile.json"


def build_optimization(digest: str, path: str) -> str:
    """Key of one file of the whole report of an optimized build: report.json, report.html, a picture."""
    return f"builds/{bare(digest)}/optimization/{path}"


def build_progress(digest: str) -> str:
    """Key of how far an optimization is; every write replaces it."""
    return f"builds/{bare(digest)}/progress.json"


def build_study(digest: str, path: str) -> str:
    """Key of one file of an unfinished optimization; an empty path gives the prefix of all. Gone after the build."""
    return f"studies/{bare(digest)}/{path}"


def build_provenance(digest: str) -> str:
    """Key of the signed statement of a build: in its repository, so that a pod gets it with the model."""
    return build_repository(digest) + PROVENANCE


def build_repository(digest: str) -> str:
    """Prefix of a build's Triton model repository, with the closing slash that prefix matching needs."""
    return f"builds/{bare(digest)}/repository/"


def check_report(namespace: str, model: str, revision: str, gate: str) -> str:
    """Key of the whole report of a check; a repeated check overwrites it."""
    return f"checks/{namespace}/{model}/{revision}/{gate}.json"


def load_report(namespace: str, model: str, scenario: str, started: str) -> str:
    """Key of the report of a load test that somebody ran by a scenario, which began at `started` (ISO 8601)."""
    return f"loadtests/{namespace or '-'}/{model}/{scenario}/{started}.json"


def part(digest: str, path: str) -> str:
    """Key of the file at `path` in the shared layer with that digest."""
    return f"parts/{bare(digest)}/{path}"


def storage_uri(bucket: str, digest: str) -> str:
    """What KServe downloads: `s3://<bucket>/builds/<digest>/repository/`."""
    return f"s3://{bucket}/{build_repository(digest)}"


def digest_at(uri: str) -> str:
    """The digest of the build that a `storage_uri` names; empty for text that is none."""
    *_, folder, digest, last, _ = ("", "", "", *uri.split("/"))
    return f"sha256:{digest}" if (folder, last) == ("builds", "repository") else ""
