"""Whether a Model may serve a Python model, an entry that its author's own code answers. Pure.

| what the spec says | refused |
|---|---|
| no `source.trustCode` | CodeNotTrusted: whoever may push an entry would run code in the namespace |
| a GPU | UnsupportedModel: only the runtime for CPUs has what runs it |

Its code runs in the Model's pods alone, which have no keys: builds only lay it out, and what they would have to run it
for (`optimize`, `tune`, `cache`) the builder refuses.
"""

from modelyard.api.model import Model
from modelyard.core.snapshot import Failure, ResolvedEntry

NOT_TRUSTED = "CodeNotTrusted"


def refused_code(model: Model, entry: ResolvedEntry, hardware: str) -> Failure | None:
    """Why nothing may be built or started from the entry on `hardware` (cpu, gpu); None when it may."""
    if not entry.python:
        return None
    called = f"{entry.name} version {entry.version} is a Python model"
    if not model.spec.source.trust_code:
        return Failure(
            NOT_TRUSTED,
            f"{called}: code of whoever may push it would run in this Model's pods. Write source.trustCode: true if "
            "you trust them, or push it as ONNX.",
        )
    if hardware != "cpu":
        return Failure("UnsupportedModel", f"{called}, which is served on CPUs only: write serving.runtime: cpu.")
    return None
