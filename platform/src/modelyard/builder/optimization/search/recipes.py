"""Which chains of passes are tried for which precisions, promising and quick ones first: a budget may end early.

Order and content come from measurements on two CPU cores. OpenVINO's int8 and NNCF's lead for transformers, static
int8 for convolutions; dynamic int8 follows at a tenth of the effort; fp32 rewrites gain little and cost nothing;
weight-only forms save size. Accuracy control searches longest and comes late. A recipe whose first pass does not
apply is refused by that pass in a sentence, so the list is the same for every model.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from modelyard.builder.optimization.pass_api import ModelArtifact, Precision, Recipe
from modelyard.builder.optimization.passes import PASSES

Step = tuple[str, Mapping[str, Any]]


def _recipe(name: str, *steps: str | Step) -> Recipe:
    return Recipe(name, tuple((step, {}) if isinstance(step, str) else step for step in steps))


_RECIPES: tuple[Recipe, ...] = (
    _recipe("openvino", "openvino"),
    _recipe("fused", "fuse", "ort-graph"),
    _recipe("int8-dynamic-fused", "fuse", "int8-dynamic"),
    _recipe("int8-static", "fold", "int8-static"),
    _recipe("openvino-int8", "openvino-int8"),
    _recipe("int8-nncf", "fold", "int8-nncf"),
    _recipe("tensorrt", "tensorrt"),
    _recipe("tensorrt-int8", "tensorrt-int8"),
    _recipe("int4-weights", "fold", "int4-weights"),
    _recipe("fp16", "fold", "fp16"),
    _recipe("int8-weights", "fold", "int8-weights"),
    _recipe("int8-dynamic", "fold", "int8-dynamic"),
    _recipe("folded", "fold", "ort-graph"),
    _recipe("int8-static-products", "fold", ("int8-static", {"operators": "products"})),
    _recipe("int8-static-percentile", "fold", ("int8-static", {"method": "Percentile", "operators": "products"})),
    _recipe("int8-static-entropy", "fold", ("int8-static", {"method": "Entropy", "operators": "products"})),
    _recipe("int8-dynamic-attention", "fuse", ("int8-dynamic", {"attention": True})),
    _recipe("openvino-fp16", "openvino-fp16"),
    _recipe("openvino-int8-widest", ("openvino-int8", {"ranges": "widest"})),
    _recipe("int8-nncf-widest", "fold", ("int8-nncf", {"ranges": "widest"})),
    _recipe("int8-nncf-accuracy", "fold", "int8-nncf-accuracy"),
    _recipe("int4-weights-coarse", "fold", ("int4-weights", {"block": 128})),
    _recipe("bf16", "fold", "bf16"),
)

_FROM_TRAINED = ("openvino", "fused", "int8-static", "openvino-int8", "int8-nncf", "int8-weights")
"""Recipes that go on from what training made; the others are variations of these."""


def recipes(precisions: Iterable[Precision], lossless_only: bool) -> tuple[Recipe, ...]:
    """Recipes whose result is in one of `precisions`; with `lossless_only` those that promise the same answers."""
    requested = frozenset(precisions)
    return tuple(
        recipe for recipe in _RECIPES if precision(recipe) in requested and (not lossless_only or _lossless(recipe))
    )


def from_trained(starts: Mapping[str, ModelArtifact]) -> Callable[[Sequence[Precision], bool], tuple[Recipe, ...]]:
    """The function `recipes`, preceded by recipes that begin with the trained models `starts`, the last one first.

    A model that another start trained further in the same precision is tried as it is only: chains go on from the
    further one.
    """
    made = list(reversed(list(starts.items())))

    def chosen(precisions: Sequence[Precision], lossless_only: bool) -> tuple[Recipe, ...]:
        known = recipes(precisions, lossless_only)
        from_starts = [
            recipe
            for name, start in made
            if start.precision in precisions
            for recipe in (Recipe(name, (), name), *([] if _goes_on(start, starts) else _further(name, start, known)))
        ]
        return (*from_starts, *known)

    return chosen


def _goes_on(start: ModelArtifact, starts: Mapping[str, ModelArtifact]) -> bool:
    """Whether another start is this one, trained further."""
    count = len(start.passes)
    longer = [artifact for artifact in starts.values() if len(artifact.passes) > count]
    return any(artifact.passes[:count] == start.passes and artifact.precision is start.precision for artifact in longer)


def _further(name: str, start: ModelArtifact, known: Sequence[Recipe]) -> Iterator[Recipe]:
    """The recipes that pay most, begun with the start `name`; int8 from training needs only another runtime."""
    names = _FROM_TRAINED if start.precision is Precision.FP32 else ("openvino",)
    for recipe in known:
        if recipe.name in names:
            yield Recipe(f"{name}-{recipe.name}", recipe.steps, name)


def precision(recipe: Recipe) -> Precision:
    """What a recipe's result is in: the last precision a step lowers it to, else fp32."""
    lowered = [PASSES[name].precision for name, _ in recipe.steps if PASSES[name].precision is not Precision.FP32]
    return lowered[-1] if lowered else Precision.FP32


def _lossless(recipe: Recipe) -> bool:
    return all(PASSES[name].lossless for name, _ in recipe.steps)
