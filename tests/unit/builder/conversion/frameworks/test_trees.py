"""Trees as nodes of ONNX: thresholds, and the order that onnxruntime wants."""

import numpy as np
import pytest

from modelyard.builder.conversion.frameworks.programs import lightgbm_trees, xgboost_trees
from modelyard.builder.conversion.frameworks.programs.trees import CannotBeSaid, rounded_down


def test_a_threshold_that_is_rounded_down_decides_every_float32_as_before() -> None:
    exact = np.array([0.1, -0.1, 1.7e9 + 65, 1e-46, -1e-46, 0.0, 3.0, 1e300])

    single = rounded_down(exact)

    assert single.dtype == np.float32
    assert (single.astype(np.float64) <= exact).all()
    for threshold, rounded in zip(exact, single, strict=True):
        with np.errstate(over="ignore"):
            near = np.float32(threshold)
        values = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
        assert [float(value) <= threshold for value in values] == [value <= rounded for value in values]


LEAF = {"leaf_value": 1.0}
SPLIT = {
    "split_feature": 0, "threshold": 0.5, "decision_type": "<=", "default_left": True, "missing_type": "NaN",
    "left_child": LEAF, "right_child": {**LEAF, "leaf_value": 2.0},
}  # fmt: skip


def test_the_root_of_a_tree_is_its_first_node_and_a_set_is_a_chain() -> None:
    among = {**SPLIT, "decision_type": "==", "threshold": "1||3||5", "left_child": SPLIT}

    nodes = lightgbm_trees.read({"objective": "regression", "tree_info": [{"tree_structure": among}]}).nodes

    assert nodes.columns["nodes_nodeids"][0] == 0
    assert nodes.columns["nodes_modes"][:3] == ["BRANCH_EQ"] * 3
    assert nodes.values[:3] == [1.0, 3.0, 5.0]
    assert len(set(nodes.columns["nodes_truenodeids"][:3])) == 1
    assert nodes.columns["nodes_falsenodeids"][:2] == nodes.columns["nodes_nodeids"][1:3]


@pytest.mark.parametrize(
    ("missing", "default", "threshold", "left"),
    [
        ("None", False, 0.5, 1),
        ("None", True, -0.5, 0),
        ("NaN", False, 0.5, 0),
        ("NaN", True, -1.0, 1),
        ("Zero", True, 0.5, 1),
    ],
)
def test_what_is_missing_goes_where_lightgbm_sends_it(missing: str, default: bool, threshold: float, left: int) -> None:
    node = {**SPLIT, "missing_type": missing, "default_left": default, "threshold": threshold}

    nodes = lightgbm_trees.read({"objective": "regression", "tree_info": [{"tree_structure": node}]}).nodes

    assert nodes.columns["nodes_missing_value_tracks_true"][0] == left


def test_an_objective_that_is_not_known_is_refused() -> None:
    with pytest.raises(CannotBeSaid, match="its objective 'entropic' is not known here"):
        lightgbm_trees.read({"objective": "entropic", "tree_info": []})


def document(**changes: object) -> dict[str, object]:
    model = {"trees": [], "tree_info": [], **changes}
    return {"learner": {
        "objective": {"name": "reg:squarederror"}, "gradient_booster": {"name": "gbtree", "model": model},
        "learner_model_param": {"num_class": "0", "num_target": "1", "base_score": "[5E-1]"},
    }}  # fmt: skip


def test_categories_of_words_are_refused() -> None:
    with pytest.raises(CannotBeSaid, match="it was fitted on categories with values of their own"):
        xgboost_trees.read(document(cats={"enc": [{"type": 2, "values": ["Lima"]}]}))


def test_leaves_of_several_numbers_are_refused() -> None:
    tree = {"tree_param": {"size_leaf_vector": "2"}}

    with pytest.raises(CannotBeSaid, match="its leaves hold several numbers"):
        xgboost_trees.read(document(trees=[tree], tree_info=[0]))


def test_a_base_may_be_one_number_or_a_list() -> None:
    found = document()

    assert xgboost_trees.read(found).base == (0.5,)
