"""An XGBoost model, from its JSON (`save_raw("json")`).

    x < condition                 in float32, like XGBoost
    x in a set of categories      to the right, where others go to the left: a chain of questions with one way out
    base_score                    is of the scale of the answers, and is brought to that of the sums

Its sums become answers as XGBoost's objectives do it (src/objective).
"""

import json
import math
from typing import Any

from .trees import Boosted, CannotBeSaid, Nodes

_LINKS = {
    "binary:logistic": "sigmoid", "reg:logistic": "sigmoid", "multi:softprob": "softmax", "multi:softmax": "softmax",
    "count:poisson": "exp", "reg:gamma": "exp", "reg:tweedie": "exp", "survival:cox": "exp", "survival:aft": "exp",
}  # fmt: skip
_NUMBERS = frozenset({
    "binary:logitraw", "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror",
    "reg:absoluteerror", "reg:quantileerror", "rank:pairwise", "rank:ndcg", "rank:map",
})  # fmt: skip


def read(document: dict[str, Any]) -> Boosted:
    """The model in XGBoost's JSON; raises CannotBeSaid for what ONNX cannot express."""
    learner = document["learner"]
    objective = learner["objective"]["name"]
    if objective not in _LINKS and objective not in _NUMBERS:
        raise CannotBeSaid(f"its objective {objective!r} has no counterpart in ONNX")
    booster = learner["gradient_booster"]
    kind, drops = booster["name"], booster.get("weight_drop", [])
    if kind == "gblinear":
        raise CannotBeSaid("it is a linear booster (gblinear), not trees; train scikit-learn's linear model instead")
    model = (booster["gbtree"] if kind == "dart" else booster)["model"]
    if any(_texts(model.get("cats", {}))):
        raise CannotBeSaid(
            "it was fitted on categories with values of their own, which a tensor cannot carry; encode them in a "
            "scikit-learn pipeline (OrdinalEncoder) before the model, and push that"
        )
    parameters = learner["learner_model_param"]
    classes = int(parameters["num_class"])
    targets = max(classes, int(parameters.get("num_target", 1)), 1)
    nodes = Nodes()
    for number, (tree, target) in enumerate(zip(model["trees"], model["tree_info"], strict=True)):
        _add(nodes, number, tree, target, drops[number] if drops else 1.0)
    link = _LINKS.get(objective, "none")
    kinds = 2 if objective == "binary:logistic" else classes if link == "softmax" else 0
    return Boosted(nodes, targets, link, kinds, base=_base(parameters["base_score"], objective, targets))


def _base(written: str, objective: str, targets: int) -> tuple[float, ...]:
    """The base of each sum: `base_score` is one number, or since XGBoost 3.1 a list."""
    read = json.loads(written)
    scores = [float(score) for score in (read if isinstance(read, list) else [read])]
    if _LINKS.get(objective) == "sigmoid" or objective == "binary:logitraw":
        scores = [-math.log(1.0 / score - 1.0) for score in scores]
    elif _LINKS.get(objective) == "exp":
        scores = [math.log(score) for score in scores]
    return tuple(scores if len(scores) == targets else scores * targets)


def _add(nodes: Nodes, number: int, tree: dict[str, Any], target: int, drop: float) -> None:
    if int(tree["tree_param"].get("size_leaf_vector", 0)) > 1:
        raise CannotBeSaid(
            "its leaves hold several numbers (multi_strategy=multi_output_tree); train one tree a target"
        )
    left, right, conditions = tree["left_children"], tree["right_children"], tree["split_conditions"]
    sets = _sets(tree)
    following = len(left)
    waiting = [0]
    while waiting:
        at = waiting.pop()
        if left[at] < 0:
            nodes.leaf((number, at), target, conditions[at] * drop)
            continue
        waiting += [left[at], right[at]]
        feature, missing_left = tree["split_indices"][at], bool(tree["default_left"][at])
        if at not in sets:
            nodes.branch((number, at), "BRANCH_LT", feature, conditions[at], (left[at], right[at]), missing_left)
            continue
        chain = [at, *range(following, following + len(sets[at]) - 1)]
        following += len(chain) - 1
        for place, value, otherwise in zip(chain, sets[at], [*chain[1:], left[at]], strict=True):
            nodes.branch((number, place), "BRANCH_EQ", feature, value, (right[at], otherwise), not missing_left)


def _sets(tree: dict[str, Any]) -> dict[int, list[int]]:
    """The categories that go to the right, by node."""
    found = {}
    for place, node in enumerate(tree.get("categories_nodes", [])):
        start, size = tree["categories_segments"][place], tree["categories_sizes"][place]
        found[node] = list(tree["categories"][start : start + size])
    return found


def _texts(cats: dict[str, Any]) -> list[Any]:
    """What is kept of categories that are more than their numbers."""
    return [one for one in cats.get("enc", []) if one]
