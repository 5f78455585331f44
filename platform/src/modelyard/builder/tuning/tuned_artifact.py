"""An artifact that lies in a folder, tuned where it lies: `config.pbtxt` and the part `tuning` of its report.

The model, its digest and everything else stay what they are.
"""

from pathlib import Path

from pydantic import ValidationError

from modelyard.api.report import Report
from modelyard.api.tuning.report import Tuning
from modelyard.builder.artifacts.assemble import REPORT, REPOSITORY, WARMUP
from modelyard.builder.artifacts.source import described
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.core.tuning.search import MOST
from modelyard.errors import InvalidInput, UnsupportedModel

from .bench import LONGEST, LatencyTarget
from .tuner import Say, TuningRequest, apply, tune


def is_artifact(folder: Path) -> bool:
    """Whether a folder holds what `modelyard build` makes."""
    return (folder / REPORT).is_file() and (folder / REPOSITORY).is_dir()


def tune_artifact(
    folder: Path,
    home: Path,
    objective: LatencyTarget,
    say: Say,
    cpus: int | None = None,
    most: int = MOST,
    seconds: float = LONGEST,
) -> Report:
    """The report of the artifact in FOLDER, which runs its model with the best settings for the objective from now on.

    `home` is a Triton's, `cpus` the cores it gets, `most` the measurements, `seconds` for how long a rate is offered at
    most. Raises InvalidInput when its report cannot be read, UnsupportedModel when it was built for a GPU.
    """
    report = read_report(folder)
    request = tuning_request(folder, report, objective, cpus, most, seconds)
    return keep_tuning(folder, report, request, tune(home, request, say))


def tuning_request(
    folder: Path, report: Report, objective: LatencyTarget, cpus: int | None, most: int = MOST, seconds: float = LONGEST
) -> TuningRequest:
    """What to tune of the artifact in FOLDER, whose report is given; raises UnsupportedModel for one of a GPU."""
    if report.target != "cpu":
        raise UnsupportedModel(f"{report.model} was built for a GPU, and only servers on CPUs are tuned.")
    body = RequestBody((folder / WARMUP).read_bytes(), report.warmup.header_length)
    return TuningRequest(folder / REPOSITORY, report.model, body, objective, cpus, most, seconds)


def keep_tuning(folder: Path, report: Report, request: TuningRequest, tuning: Tuning) -> Report:
    """Has the artifact in FOLDER run with what tuning found, and says so in its report, which is returned."""
    repository = request.repository
    apply(tuning, request.config)
    files = tuple(described(repository / file.path, file.path) for file in report.files)
    tuned = report.model_copy(update={"tuning": tuning, "files": files, "size": sum(file.size for file in files)})
    (folder / REPORT).write_text(tuned.model_dump_json(by_alias=True, exclude_none=True, indent=2))
    return tuned


def read_report(folder: Path) -> Report:
    """The report of the artifact in FOLDER; raises InvalidInput when it cannot be read."""
    try:
        return Report.model_validate_json((folder / REPORT).read_bytes())
    except ValidationError as bad:
        raise InvalidInput(f"{folder / REPORT} is no report of a build; build the model again.") from bad
