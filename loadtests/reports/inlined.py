"""A scenario that travels in a Job: its files in a variable on the way in, its report as a line of the log back."""

import base64
import json
import os
import tempfile
from pathlib import Path

from modelyard.core.resources.check_jobs import FILES
from modelyard.core.resources.load_jobs import REPORT_LINE
from modelyard.errors import InvalidSettings

__all__ = ["REPORT_LINE", "packed", "unpacked"]


def packed(scenario: Path, files: list[str]) -> dict[str, str]:
    """The scenario and the files beside it, by name, as base64; raises InvalidSettings for one that is not there."""
    found = {}
    for name in [scenario.name, *files]:
        path = scenario.parent / name
        if Path(name).name != name or not path.is_file():
            raise InvalidSettings(f"the scenario needs {name}, which has to be a file beside it.")
        found[name] = base64.b64encode(path.read_bytes()).decode()
    return found


def unpacked() -> Path | None:
    """A folder with the files of this Job; None outside of one."""
    written = os.environ.get(FILES)
    if not written:
        return None
    folder = Path(tempfile.mkdtemp(prefix="loadtest-"))
    for name, content in json.loads(written).items():
        (folder / Path(name).name).write_bytes(base64.b64decode(content))
    return folder
