"""Trains census-income anew: on what version 1 learnt from, and on what people asked since and how it turned out.

A recipe to copy (platform/docs/retraining.md). In the folder `training/` of an entry lie beside it

    old.npz           x float32 [n, 10], rows as features.py makes them, and y int64 [n], the class
    features.py       what the model sees of a person, and adult.py with the columns
    scikit_onnx.py    how a classifier becomes ONNX

`with_recipe.py` makes such a folder. The image `trainer` has scikit-learn and skl2onnx.
"""

from pathlib import Path

import numpy as np
import onnx
from features import SEEN
from scikit_onnx import converted
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline

SEED = 2026
OPSET, IR_VERSION = 18, 9
OLD_SHARE = 0.1
"""What all old rows together weigh against all new ones: they know what is rare, and today is judged."""
HALF_LIFE_DAYS = 30.0
"""A row that is so many days older counts half as much."""
DAY = 86_400.0


def retrain(rows, out):
    """Leaves model.onnx in the folder `out`: same inputs and outputs as before.

    `rows["input:input"]` float32 [n, 10], `truth` int64 [n], `time` and `weight` [n], the oldest first.
    """
    x, y, weight = learnt_from(rows)
    trees = GradientBoostingClassifier(n_estimators=120, max_depth=4, subsample=0.8, random_state=SEED)
    trees.fit(x, y, sample_weight=weight)
    model = converted(make_pipeline(trees), "census-income", len(SEEN), OPSET)
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(out / "model.onnx"))


def learnt_from(rows):
    """Rows, classes and weights, old and new; the new rows' weights have mean 1."""
    with np.load(Path(__file__).with_name("old.npz"), allow_pickle=False) as old:
        old_x, old_y = old["x"], old["y"]
    age = (rows["time"].max() - rows["time"]) / DAY
    new = rows["weight"] * 0.5 ** (age / HALF_LIFE_DAYS)
    new = new / new.mean()
    before = np.full(len(old_y), OLD_SHARE * new.sum() / len(old_y))
    x = np.concatenate([old_x, rows["input:input"]]).astype(np.float32)
    return x, np.concatenate([old_y, rows["truth"]]).astype(np.int64), np.concatenate([before, new])
