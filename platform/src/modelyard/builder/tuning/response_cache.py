"""An artifact whose server may keep answers: one line of `config.pbtxt`, where the same question has one answer.

Whether it has is asked before any work is done for it: of the entry, whose author may know, and of the graph.
"""

from dataclasses import replace

from modelyard.api.entry import Entry
from modelyard.api.optimization import ORIGINAL
from modelyard.api.report import OptimizationSummary
from modelyard.builder.artifacts.assemble import REPORT, REPOSITORY, Artifact
from modelyard.builder.artifacts.shared_layer import SharedLayer
from modelyard.builder.artifacts.source import described
from modelyard.builder.triton.config import BACKEND, read_config, to_text
from modelyard.errors import UnsupportedModel

_REASON = "Answers are kept and given again to whoever asks the same."


def require_deterministic(entry: Entry) -> None:
    """Raises UnsupportedModel when the entry's author says that the same question has other answers."""
    if not entry.metadata.deterministic:
        raise UnsupportedModel(
            f"spec.cache keeps answers, and modelyard.yaml of {entry.name}:{entry.version} says deterministic: false: "
            "the same question has another answer every time, so remove spec.cache."
        )


def require_no_chance(layer: SharedLayer) -> None:
    """Raises UnsupportedModel when outputs of the graph depend on chance: who asks twice is to have two answers."""
    drawn = layer.findings.get("chance", ())
    if drawn:
        raise UnsupportedModel(
            f"spec.cache keeps answers, and {', '.join(sorted(drawn))} of this model depends on chance, so the same "
            "question has another answer every time: remove spec.cache."
        )


def with_cache(artifact: Artifact, layer: SharedLayer) -> Artifact:
    """The artifact with answers kept, its report written anew; raises what `require_no_chance` raises."""
    require_no_chance(layer)
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
