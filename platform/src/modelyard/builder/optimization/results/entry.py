"""The chosen variant as an entry of its own, beside its model: ready for `modelyard push`.

modelyard.yaml    the original's with version `<version>-<variant>`, and `evaluation`: a smaller precision does not
                  give the expected outputs to the digit, so builds hold it to the metric that chose it
eval.npz          as it is: the same rows, labels and expected outputs
config.pbtxt      as it is, when there is one
MODEL_CARD.md     the original's, with a paragraph on the variant
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.optimization import ORIGINAL, Variant
from modelyard.builder.evaluation.metrics import LOWER_IS_BETTER, scale
from modelyard.builder.optimization.optimizer import OptimizationOutcome
from modelyard.builder.optimization.search.selection import percent
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata

CARD = "MODEL_CARD.md"
_AS_THEY_ARE = ("eval.npz", "config.pbtxt")


def describe(outcome: OptimizationOutcome, folder: Path) -> None:
    """Writes the files of an entry beside the chosen model in FOLDER; nothing when the original was no entry."""
    source = outcome.request.path
    if not (source / METADATA).is_file():
        return
    for name in _AS_THEY_ARE:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    metadata = (source / METADATA).read_bytes()
    card = (source / CARD).read_text() if (source / CARD).is_file() else ""
    if outcome.chosen.name != ORIGINAL:
        metadata = yaml.safe_dump(_metadata(outcome, metadata), sort_keys=False, allow_unicode=True).encode()
        card = f"{card.rstrip()}\n\n{_paragraph(outcome)}".lstrip()
    (folder / METADATA).write_bytes(metadata)
    if card:
        (folder / CARD).write_text(card)


def bound(outcome: OptimizationOutcome) -> float:
    """The worst value of the metric that the allowed loss leaves: original - loss * scale, or + for errors.

    Raises ValueError without an evaluation set.
    """
    evaluation, original = outcome.baseline.evaluation(), _named(outcome, ORIGINAL).quality
    if evaluation is None or original is None:
        raise ValueError("without an evaluation set there is nothing to hold a variant to")
    room = outcome.request.bound * scale(evaluation, original)
    return original + room if evaluation.metric in LOWER_IS_BETTER else original - room


def _metadata(outcome: OptimizationOutcome, metadata: bytes) -> dict[str, Any]:
    values = yaml.safe_load(metadata)
    values["version"] = f"{parse_metadata(metadata, METADATA).version}-{outcome.chosen.name}"[:63].rstrip(".-_")
    if outcome.baseline.metric:
        values["evaluation"] = {"metric": outcome.baseline.metric, "bound": round(bound(outcome), 6)}
    return values


def _paragraph(outcome: OptimizationOutcome) -> str:
    """What the card says about the variant."""
    chosen, request, variant = outcome.chosen, outcome.request, _named(outcome, outcome.chosen.name)
    steps = " -> ".join(variant.passes)
    facts = [f"This is the variant `{chosen.name}` of {outcome.baseline.name} ({steps}), for {variant.runtime}"]
    if chosen.speedup is not None:
        facts.append(f"{chosen.speedup:.2f} times the speed of the original on the machine that made it")
    facts.append(f"{chosen.size_ratio:.0%} of its size")
    if chosen.quality_loss is not None and outcome.baseline.metric:
        lost, allowed = percent(chosen.quality_loss), percent(request.bound)
        facts.append(f"{lost} of {outcome.baseline.metric} lost, {allowed} allowed")
    return f"## Optimization\n\n{'; '.join(facts)}. Made by `modelyard optimize --goal {request.goal}`.\n"


def _named(outcome: OptimizationOutcome, name: str) -> Variant:
    return next(variant for variant in outcome.variants if variant.name == name)
