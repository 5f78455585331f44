"""What a program in a Job tells the operator: one JSON object in its container's termination message.

Kubernetes keeps 4,096 bytes of it, so a report that makes it longer is left out here; the store has it.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import host_failure
from modelyard.errors import ModelyardError

_MOST_BYTES = 4000
_MOST_CHARACTERS = 1000
_PLACE = "MODELYARD_TERMINATION_LOG"


def leave(words: Mapping[str, Any]) -> None:
    """Writes the words where `$MODELYARD_TERMINATION_LOG` says; a missing file is no reason to hide a failure."""
    place = os.environ.get(_PLACE)
    if not place:
        return
    text = json.dumps(words)
    if len(text.encode()) > _MOST_BYTES:
        text = json.dumps({**words, "message": str(words["message"])[:_MOST_CHARACTERS], "report": {}})
    with suppress(OSError):
        Path(place).write_text(text)


def reason(bad: Exception, who: str) -> dict[str, str]:
    """{"reason", "message"} of the exception that stopped a program called `who`; "Defect" for one of no known kind."""
    if isinstance(bad, ModelyardError):
        return {"reason": bad.reason, "message": str(bad)}
    failure = host_failure(bad)
    if failure is not None:
        return {"reason": failure.reason, "message": str(failure)}
    return {"reason": "Defect", "message": f"{who} failed with {type(bad).__name__}: {bad}"[:_MOST_CHARACTERS]}
