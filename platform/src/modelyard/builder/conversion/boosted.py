"""LightGBM's and XGBoost's estimators as steps that skl2onnx can convert, where a pickle has brought them.

They end a scikit-learn pipeline more often than scikit-learn's own. Their trees are read as those of their files are
(`frameworks.programs`), in float64 where the inputs are.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .frameworks.programs import lightgbm_trees, xgboost_trees
from .frameworks.programs.trees import Boosted, answers

_KINDS = {
    "lightgbm": ("LGBMClassifier", "LGBMRegressor", "LGBMRanker"),
    "xgboost": ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor"),
}
_OPTIONS = {"zipmap": [True, False, "columns"], "nocl": [True, False]}


def register() -> None:
    """Tells skl2onnx of the estimators whose packages have been imported here."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    for package, names in _KINDS.items():
        module = sys.modules.get(package)
        for name in names if module is not None else ():
            kind = getattr(module, name)
            classifies = name.endswith("Classifier")
            shapes = (
                shape_calculator.calculate_linear_classifier_output_shapes
                if classifies
                else shape_calculator.calculate_linear_regressor_output_shapes
            )
            options = _OPTIONS if classifies else None
            update_registered_converter(kind, f"Modelyard{name}", shapes, _converter(classifies), options=options)


def boosted_trees(estimator: Any) -> Boosted | None:
    """The trees of a fitted estimator of LightGBM's or XGBoost's; None for any other.

    Raises `trees.CannotBeSaid` for what ONNX cannot express.
    """
    package, name = type(estimator).__module__.split(".")[0], type(estimator).__name__
    if name not in _KINDS.get(package, ()):
        return None
    if package == "lightgbm":
        return lightgbm_trees.read(estimator.booster_.dump_model())
    booster = estimator.get_booster()
    best = getattr(estimator, "best_iteration", None)
    return xgboost_trees.read(json.loads(bytes((booster if best is None else booster[: best + 1]).save_raw("json"))))


def splits_of(estimator: Any) -> Iterator[tuple[Sequence[int], Sequence[float]]]:
    """Features and thresholds of the trees in an estimator, scikit-learn's own or boosted."""
    import numpy as np

    boosted = boosted_trees(estimator)
    if boosted is not None:
        nodes = boosted.nodes
        inner = [place for place, mode in enumerate(nodes.columns["nodes_modes"]) if mode != "LEAF"]
        features = nodes.columns["nodes_featureids"]
        yield [features[place] for place in inner], [nodes.values[place] for place in inner]
    elif hasattr(estimator, "tree_"):
        yield estimator.tree_.feature, estimator.tree_.threshold
    elif hasattr(estimator, "_predictors"):
        for tree in (tree for trees in estimator._predictors for tree in trees):
            inner = tree.nodes[tree.nodes["is_leaf"] == 0]
            yield inner["feature_idx"], inner["num_threshold"]
    elif hasattr(estimator, "estimators_"):
        for part in np.ravel(np.asarray(estimator.estimators_, dtype=object)):
            yield from splits_of(part)


class _ConvertersGraph:
    """`trees.GrowingGraph` over the container of a converter of skl2onnx."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope, self._container = scope, container

    def node(self, kind: str, inputs: Sequence[str], domain: str = "", **attributes: Any) -> str:
        made, name = self._scope.get_unique_variable_name(kind), self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, list(inputs), [made], op_domain=domain, name=name, **attributes)
        return made

    def constant(self, values: Any) -> str:
        from onnx import TensorProto

        kinds = {"f": TensorProto.FLOAT, "i": TensorProto.INT64}
        made = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(
            made, kinds.get(values.dtype.kind, TensorProto.STRING), list(values.shape), values.tolist()
        )
        return made


def _converter(classifies: bool) -> Callable[[Any, Any, Any], None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        import numpy as np
        from skl2onnx.common.data_types import DoubleTensorType

        boosted = boosted_trees(operator.raw_operator)
        assert boosted is not None
        graph = _ConvertersGraph(scope, container)
        given = operator.inputs[0]
        made = list(answers(graph, boosted, given.full_name, isinstance(given.type, DoubleTensorType)))
        if classifies:
            classes = np.asarray(operator.raw_operator.classes_)
            named = classes.astype(np.int64) if classes.dtype.kind in "iufb" else classes.astype(str)
            made[0] = graph.node("Gather", [graph.constant(named), made[0]])
        for output, value in zip(operator.outputs, made, strict=True):
            kind = 11 if isinstance(output.type, DoubleTensorType) else 1
            labels = classifies and output is operator.outputs[0]
            container.add_node(
                "Identity" if labels else "Cast", [value], [output.full_name],
                name=scope.get_unique_operator_name("answer"), **({} if labels else {"to": kind}),
            )  # fmt: skip

    return convert
