"""A LightGBM model, from the dump of its Booster.

    x <= threshold                what is missing goes where `missing_type` and `default_left` say
    x == 1||3||5                  a chain of questions with one way out
    missing_type None             what is missing counts as 0

Its sums become answers as LightGBM's objectives do it (src/objective).
"""

from itertools import count
from typing import Any

from .trees import Boosted, CannotBeSaid, Nodes

_LINKS = {
    "binary": "sigmoid", "multiclass": "softmax", "multiclassova": "sigmoid", "cross_entropy": "sigmoid",
    "cross_entropy_lambda": "softplus", "poisson": "exp", "gamma": "exp", "tweedie": "exp",
}  # fmt: skip
_NUMBERS = frozenset(
    {"regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg", "custom"}
)


def read(dump: dict[str, Any]) -> Boosted:
    """The model in `Booster.dump_model()`; raises CannotBeSaid for what ONNX cannot express."""
    for place, known in enumerate(dump.get("pandas_categorical") or ()):
        if known != list(range(len(known))):
            raise CannotBeSaid(
                f"it was fitted on a DataFrame whose column of type category no. {place + 1} has values of its own "
                f"({', '.join(map(str, known[:3]))}, ...), which a tensor cannot carry; encode them in a scikit-learn "
                "pipeline (OrdinalEncoder) before the model, and push that"
            )
    words = str(dump.get("objective", "custom")).split()
    objective = words[0]
    if objective not in _LINKS and objective not in _NUMBERS:
        raise CannotBeSaid(f"its objective {objective!r} is not known here")
    settings = dict(word.split(":", 1) for word in words[1:] if ":" in word)
    targets = int(dump.get("num_tree_per_iteration", 1))
    trees = dump["tree_info"]
    share = targets / len(trees) if dump.get("average_output") and trees else 1.0
    nodes = Nodes()
    for number, tree in enumerate(trees):
        _add(nodes, number, number % targets, share, tree["tree_structure"])
    link = "square" if objective == "regression" and "sqrt" in words else _LINKS.get(objective, "none")
    classes = {"binary": 2}.get(objective, targets if objective.startswith("multiclass") else 0)
    scale = float(settings.get("sigmoid", 1.0)) if link == "sigmoid" else 1.0
    return Boosted(nodes, targets, link, classes, scale, wide=True)


def _add(nodes: Nodes, tree: int, target: int, share: float, root: dict[str, Any]) -> None:
    """Adds the nodes of a tree, the root first, as onnxruntime wants it."""
    numbers = count()
    waiting = [(next(numbers), root)]
    while waiting:
        at, node = waiting.pop()
        if "leaf_value" in node:
            if node.get("leaf_coeff"):
                raise CannotBeSaid("its leaves hold linear models (linear_tree=true), and ONNX has only numbers there")
            nodes.leaf((tree, at), target, node["leaf_value"] * share)
            continue
        among = node["decision_type"] == "=="
        values = [float(value) for value in str(node["threshold"]).split("||")]
        mode, missing = ("BRANCH_EQ", False) if among else ("BRANCH_LEQ", _missing_goes_left(node))
        chain = [at, *(next(numbers) for _ in values[1:])]
        left, right = next(numbers), next(numbers)
        for place, value, otherwise in zip(chain, values, [*chain[1:], right], strict=True):
            nodes.branch((tree, place), mode, node["split_feature"], value, (left, otherwise), missing)
        waiting += [(right, node["right_child"]), (left, node["left_child"])]


def _missing_goes_left(node: dict[str, Any]) -> bool:
    zero = float(node["threshold"]) >= 0
    if node["missing_type"] == "None":
        return zero
    if node["missing_type"] == "Zero" and bool(node["default_left"]) != zero:
        raise CannotBeSaid("it takes zeros for missing values (zero_as_missing=true), and trees in ONNX do not")
    return bool(node["default_left"])
