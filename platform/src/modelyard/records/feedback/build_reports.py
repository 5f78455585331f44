"""What the builds of revisions say that labels are held against: outputs, names of classes, how good the model was."""

from collections.abc import Iterable

from pydantic import ValidationError

from modelyard.api.report import Report
from modelyard.core.storage.keys import build_report
from modelyard.core.storage.object_store import Store


def report_of(store: Store, digest: str) -> Report | None:
    """The report of a build; None when there is none that can be read."""
    content = store.get(build_report(digest))
    try:
        return Report.model_validate_json(content) if content else None
    except ValidationError:
        return None


def outputs_of(store: Store, digests: Iterable[str]) -> set[str]:
    """Names of the outputs of any of these builds."""
    reports = [report_of(store, digest) for digest in dict.fromkeys(digests)]
    return {output.name for report in reports if report is not None for output in report.outputs}
