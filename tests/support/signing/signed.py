"""An entry that is signed, and a build as a pod gets it, with a signature of the builder's."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from modelyard.api.entry import Entry, EntryFile, EntryMetadata
from modelyard.api.report import Report
from modelyard.core.storage.keys import entry_digest
from modelyard.signing.build_provenance import BuildSigner
from modelyard.signing.keys import SigningKey
from modelyard.signing.verified_start import PROVENANCE

BUILD = "sha256:" + "b" * 64
FILES = {"digits/config.pbtxt": b'name: "digits"\n', "digits/1/model.onnx": b"\x08\x0aweights" * 100}


def an_entry_of(contents: Mapping[str, bytes], version: str = "1") -> Entry:
    """The entry digits with these files, as the registry would describe it."""
    files = tuple(
        EntryFile(path=path, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for path, content in contents.items()
    )
    metadata = EntryMetadata(name="digits", version=version, framework="onnx", task="doubling")
    return Entry(name="digits", version=version, digest=entry_digest(files), files=files, metadata=metadata)


def a_report(contents: Mapping[str, bytes], build: str = BUILD) -> Report:
    """The report of a build of these files."""
    files = an_entry_of(contents).files
    return Report.model_validate(
        {
            "format": 1,
            "digest": build,
            "model": "digits",
            "source": {"kind": "entry", "name": "digits", "version": "1", "digest": "sha256:" + "e" * 64},
            "target": "cpu",
            "inputs": [],
            "outputs": [],
            "opset": 20,
            "batching": {"batchable": True, "reason": "it is", "maxBatchSize": 8},
            "proof": {"server": "triton", "loadSeconds": 1.0, "latencyMilliseconds": 1.0, "largestDifference": {}},
            "warmup": {"headerLength": None},
            "files": [file.model_dump(by_alias=True) for file in files],
            "size": sum(file.size for file in files),
            "timings": {},
            "builder": "0.1.0",
            "created": "2026-01-01T00:00:00+00:00",
        }
    )


def a_repository(folder: Path, key: SigningKey, contents: Mapping[str, bytes] = FILES, build: str = BUILD) -> Path:
    """A signed build in a folder, as KServe leaves it in a pod."""
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / PROVENANCE).write_bytes(BuildSigner(key).provenance(a_report(contents, build), {}))
    return folder
