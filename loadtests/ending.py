"""The end of a load test: the report where it is wanted, the sentence where it is read, the exit code.

0   passed        1   not passed        2   no verdict: {"reason", "message"} are left instead of a verdict
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelyard.clients.cluster.termination_message import leave, reason
from modelyard.clients.store import S3Store
from modelyard.core.resources.check_jobs import LOAD_TEST
from modelyard.core.storage.keys import check_report
from modelyard.settings import Settings

from .judging import judge
from .options import Options
from .recording import Recording
from .reports.page import page
from .reports.report import report, short, text

PASSED, NOT_PASSED, NO_VERDICT = 0, 1, 2


def end(recording: Recording, options: Options, until: float) -> int:
    """Judges, reports and returns the exit code; `until` is when the load ended, seconds since the epoch."""
    try:
        judgement = judge(recording, options, until)
        began = datetime.fromtimestamp(recording.began(), UTC).isoformat(timespec="seconds")
        found = report(recording, judgement, options, began)
        _keep(found, options)
    except Exception as bad:  # noqa: BLE001 - whatever went wrong, there is no verdict
        give_up(bad)
        return NO_VERDICT
    print(text(found), flush=True)
    leave({"passed": found["passed"], "message": found["message"], "report": short(found)})
    return PASSED if found["passed"] else NOT_PASSED


def give_up(bad: Exception) -> None:
    """Says why there is no verdict."""
    leave(reason(bad, "the load test"))
    print(f"no verdict: {bad}", file=sys.stderr, flush=True)


def _keep(found: dict[str, Any], options: Options) -> None:
    content = json.dumps(found, indent=2).encode()
    if options.report:
        Path(options.report).write_bytes(content)
        Path(options.report).with_suffix(".html").write_text(page(found), encoding="utf-8")
    if options.publish:
        key = check_report(options.namespace, options.model, options.revision, LOAD_TEST)
        S3Store(Settings.read().store).put(key, content)
