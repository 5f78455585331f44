"""An artifact whose server may keep answers: one line of `config.pbtxt`, where the same question has one answer."""

from dataclasses import replace

from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.builder.artifacts.assemble import REPORT, REPOSITORY, Artifact
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.artifacts.source import described
from modelyard.builder.triton.config import BACKEND, read_config, to_text
from modelyard.errors import UnsupportedModel

_REASON = "Answers are kept and given again to whoever asks the same."


def with_cache(artifact: Artifact, layer: SharedLayer) -> Artifact:
    """The artifact with answers kept, its report written anew.

    Raises UnsupportedModel when outputs depend on chance: who asks twice is to have two answers.
    """
    drawn = layer.findings.get("chance", ())
    if drawn:
        raise UnsupportedModel(
            f"spec.cache keeps answers, and {', '.join(sorted(drawn))} of this model depends on chance, so the same "
            "question has another answer every time: remove spec.cache."
        )
    report, repository = artifact.report, artifact.folder / REPOSITORY
    path = repository / report.model / "config.pbtxt"
    config = read_config(path.read_text())
    config.response_cache.enable = True
    path.write_text(to_text(config))
    files = tuple(described(repository / file.path, file.path) for file in report.files)
    plain = OptimizationSummary(goal="latency", variant=ORIGINAL, runtime=BACKEND, reason=_REASON, tried=0)
    summary = (report.optimization or plain).model_copy(update={"cached": True})
    written = report.model_copy(
        update={"files": files, "size": sum(file.size for file in files), "optimization": summary}
    )
    (artifact.folder / REPORT).write_text(written.model_dump_json(by_alias=True, exclude_none=True, indent=2))
    return replace(artifact, report=written)
