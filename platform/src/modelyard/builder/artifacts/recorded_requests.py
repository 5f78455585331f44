"""Requests to ask a served model, from what the store keeps: rows of the entry's eval.npz, else its warm-up.

    builds/<digest>/report.json   names the entry and the inputs as clients send them
    registry/.../eval.npz         the author's own inputs: one request a row when rows are independent
    builds/<digest>/warmup.json   one request, always there

When more requests are wanted than there are, copies follow whose floating-point values are off by some percent.
Other values are left as they are, because a token or a category next to a real one may not exist.
"""

import hashlib
import json
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modelyard.api.entry import Entry
from modelyard.api.report import Report
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.evaluation.sample_inputs import numpy_type
from modelyard.builder.triton.v2_http import decode
from modelyard.core.names import bare
from modelyard.core.storage import keys
from modelyard.core.storage.object_store import Store
from modelyard.errors import CorruptEntry

EVALUATION = "eval.npz"
_OFF = 0.05
_SEED = 1

Feed = dict[str, Any]


@dataclass(frozen=True)
class RecordedRequests:
    """Arrays by input name, one mapping a request, and in words where they are from."""

    feeds: list[Feed]
    origin: str


def requests(store: Store, digest: str, count: int) -> RecordedRequests:
    """At most `count` different requests for a build; raises CorruptEntry when it has no warm-up request."""
    report = _report(store, digest)
    rows = _rows(report, _evaluation(store, report)) if report else []
    if rows:
        chosen = [rows[index * len(rows) // count] for index in range(count)] if len(rows) > count else rows
        return _filled(chosen, count, f"rows of {report.source.name}:{report.source.version}'s eval.npz")  # type: ignore[union-attr]
    return _filled([warmup_inputs(warmup(store, digest))], count, "the build's warm-up request")


def replay(store: Store, digest: str, namespace: str, model: str, count: int) -> RecordedRequests:
    """The latest `count` requests that users put to a Model, for a build with its inputs.

    Raises CorruptEntry when the build says nothing of its inputs, InvalidInput when none is recorded as a whole.
    """
    from modelyard.records.replayed import replayed

    report = _report(store, digest)
    if report is None:
        raise CorruptEntry(f"build {bare(digest)[:16]} has no {keys.build_report(digest)}: build the entry again.")
    dtypes = {tensor.name: numpy_type(tensor.datatype) for tensor in report.inputs}
    found = replayed(store, namespace, model, report.inputs, dtypes, count)
    passed_over = f", {found.passed_over} with a value missing passed over" if found.passed_over else ""
    return RecordedRequests(found.feeds, f"{len(found.feeds)} recorded requests of {namespace}/{model}{passed_over}")


def warmup(store: Store, digest: str) -> bytes:
    """The body of a build's warm-up request; raises CorruptEntry when there is none."""
    body = store.get(keys.build_warmup(digest))
    if body is None:
        raise CorruptEntry(f"build {bare(digest)[:16]} has no {keys.build_warmup(digest)}: build the entry again.")
    return body


def warmup_inputs(body: bytes) -> Feed:
    """Arrays by input name of a request's body: JSON, or JSON with raw tensors behind it.

    Raises CorruptEntry when it is no request.
    """
    try:
        _, end = json.JSONDecoder().raw_decode(body.decode("latin-1"))
        return decode(body, end, "inputs")
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError) as bad:
        raise CorruptEntry("the warm-up request of a build is damaged: build the entry again.") from bad


def _report(store: Store, digest: str) -> Report | None:
    content = store.get(keys.build_report(digest))
    try:
        return None if content is None else Report.model_validate_json(content)
    except ValidationError:
        return None


def _evaluation(store: Store, report: Report) -> Mapping[str, Any]:
    """Arrays of the entry's eval.npz; none when it has none."""
    source = report.source
    manifest = store.get(keys.entry_manifest(source.name, source.version)) if source.kind == "entry" else None
    if manifest is None:
        return {}
    try:
        entry = Entry.model_validate_json(manifest)
    except ValidationError as bad:
        raise CorruptEntry(f"entry {source.name}:{source.version} is damaged; push a new version.") from bad
    file = next((candidate for candidate in entry.files if candidate.path == EVALUATION), None)
    if file is None:
        return {}
    content = store.get(keys.entry_file(entry.name, entry.version, entry.digest, EVALUATION)) or b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise CorruptEntry(f"{EVALUATION} of {entry.name}:{entry.version} is not what was pushed; push a new version.")
    with tempfile.TemporaryDirectory(prefix="modelyard-replay-") as scratch:
        path = Path(scratch, EVALUATION)
        path.write_bytes(content)
        return read_arrays(path)


def _rows(report: Report, arrays: Mapping[str, Any]) -> list[Feed]:
    """One request a row when the model takes any number of independent rows, else one request of all."""
    given = {tensor.name: arrays.get(f"input:{tensor.name}", arrays.get(tensor.name)) for tensor in report.inputs}
    if any(value is None for value in given.values()):
        return []
    feed = {}
    for tensor in report.inputs:
        value = given[tensor.name].astype(numpy_type(tensor.datatype))
        feed[tensor.name] = value.reshape(1) if value.ndim == 0 and tensor.shape == (1,) else value
    counts = {len(value) if value.ndim else 0 for value in feed.values()}
    dynamic = all(tensor.shape[:1] == (-1,) for tensor in report.inputs)
    if not (report.batching.batchable and dynamic and len(counts) == 1):
        return [feed]
    return [{name: value[row : row + 1] for name, value in feed.items()} for row in range(counts.pop())]


def _filled(feeds: list[Feed], count: int, origin: str) -> RecordedRequests:
    """The feeds, and copies that are a little off until there are `count`; no copies of what cannot be."""
    import numpy as np

    missing = count - len(feeds)
    if missing <= 0 or not any(value.dtype.kind == "f" for value in feeds[0].values()):
        return RecordedRequests(feeds[:count], origin)
    random = np.random.default_rng(_SEED)
    copies = [_off(feeds[index % len(feeds)], random) for index in range(missing)]
    return RecordedRequests([*feeds, *copies], f"{origin}, and {missing} copies of them with other values")


def _off(feed: Feed, random: Any) -> Feed:
    return {
        name: (value * (1 + _OFF * random.standard_normal(value.shape))).astype(value.dtype)
        if value.dtype.kind == "f"
        else value
        for name, value in feed.items()
    }
