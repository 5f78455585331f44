"""`python -I -S training.py SITE FRAMEWORK FOLDER`: small models of a framework, in its own environment.

FOLDER gets a file a model, rows.csv with the rows all of them take (the target beside them, a cell empty here and
there), and answers.npz: what the framework answered to those rows, by the name of the model.
"""

import sys
from pathlib import Path
from typing import Any

NAMES = ("age", "income", "code")
ROWS = 400


def main(site: str, framework: str, where: str) -> None:
    sys.path.insert(0, site)
    import numpy as np

    random = np.random.default_rng(5)
    folder = Path(where)
    rows = np.c_[random.normal(40, 12, ROWS), random.lognormal(10, 1, ROWS), random.integers(0, 6, ROWS)]
    rows[::17, 1] = np.nan
    score = np.nan_to_num(rows[:, 0] / 40 + np.log(rows[:, 1]) / 10) + np.isin(rows[:, 2], [1, 4])
    targets = {
        "yes": (score > np.median(score)).astype(int), "three": np.digitize(score, np.quantile(score, [0.3, 0.7])),
        "number": score * 10 + 1, "count": random.poisson(np.exp(score / 2)), "score": score,
    }  # fmt: skip
    with (folder / "rows.csv").open("w") as stream:
        stream.write(",".join(["target", *NAMES]) + "\n")
        for row, target in zip(rows, targets["yes"], strict=True):
            stream.write(
                ",".join([str(target), *("" if np.isnan(value) else repr(float(value)) for value in row)]) + "\n"
            )
    answers = {"lightgbm": lightgbm, "xgboost": xgboost, "catboost": catboost}[framework](folder, rows, targets)
    np.savez(folder / "answers.npz", **answers)


def lightgbm(folder: Path, rows: Any, targets: dict[str, Any]) -> dict[str, Any]:
    import lightgbm as library
    import numpy as np

    seconds = rows.copy()
    seconds[:, 1] = 1.7e9 + np.arange(len(rows)) * 3.0
    minute = (seconds[:, 1] // 60 % 2).astype(int)
    np.savez(folder / "seconds.npz", input=seconds)
    tiny = {"min_data_in_leaf": 3, "num_leaves": 8, "verbosity": -1, "num_threads": 1, "seed": 1, "deterministic": True}
    fine = {"max_bin": 4096, "min_data_in_bin": 1, "num_leaves": 200, "min_data_in_leaf": 1}
    forest = {"boosting": "rf", "bagging_fraction": 0.7, "bagging_freq": 1}
    recipes: dict[str, tuple[dict[str, Any], Any, Any]] = {
        "binary": ({"objective": "binary"}, rows, targets["yes"]),
        "three": ({"objective": "multiclass", "num_class": 3}, rows, targets["three"]),
        "one_against_all": ({"objective": "multiclassova", "num_class": 3}, rows, targets["three"]),
        "number": ({"objective": "regression"}, rows, targets["number"]),
        "root": ({"objective": "regression", "reg_sqrt": True}, rows, targets["number"]),
        "quantile": ({"objective": "quantile", "alpha": 0.8}, rows, targets["number"]),
        "count": ({"objective": "poisson"}, rows, targets["count"]),
        "forest": ({"objective": "binary", **forest}, rows, targets["yes"]),
        "forest_of_numbers": ({"objective": "regression", **forest}, rows, targets["number"]),
        "categories": (
            {"objective": "binary", "categorical_feature": [2], "min_data_per_group": 1},
            rows,
            targets["yes"],
        ),
        "no_gaps": ({"objective": "binary", "use_missing": False}, rows, targets["yes"]),
        "seconds": ({"objective": "binary", **fine}, seconds, minute),
        "zeros": ({"objective": "regression", "zero_as_missing": True}, rows, targets["number"]),
        "linear": ({"objective": "regression", "linear_tree": True}, rows, targets["number"]),
    }
    answers = {}
    for name, (settings, given, target) in recipes.items():
        data = library.Dataset(given, target, feature_name=list(NAMES), params={"verbosity": -1})
        booster = library.train({**tiny, **settings}, data, num_boost_round=6)
        booster.save_model(folder / f"{name}.txt")
        answers[name] = booster.predict(given)
    return answers


def xgboost(folder: Path, rows: Any, targets: dict[str, Any]) -> dict[str, Any]:
    import xgboost as library

    tiny = {"max_depth": 3, "nthread": 1, "seed": 1, "eta": 0.5}
    kinds = ["float", "float", "c"]
    recipes: dict[str, tuple[dict[str, Any], Any, list[str] | None]] = {
        "binary.ubj": ({"objective": "binary:logistic"}, targets["yes"], None),
        "binary.json": ({"objective": "binary:logistic", "base_score": 0.3}, targets["yes"], None),
        "three.ubj": ({"objective": "multi:softprob", "num_class": 3}, targets["three"], None),
        "classes.ubj": ({"objective": "multi:softmax", "num_class": 3}, targets["three"], None),
        "number.ubj": ({"objective": "reg:squarederror"}, targets["number"], None),
        "count.ubj": ({"objective": "count:poisson"}, targets["count"], None),
        "forest.ubj": (
            {"objective": "binary:logistic", "num_parallel_tree": 4, "subsample": 0.7},
            targets["yes"],
            None,
        ),
        "dropped.ubj": (
            {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.5},
            targets["number"],
            None,
        ),
        "categories.ubj": ({"objective": "binary:logistic", "max_cat_to_onehot": 1}, targets["yes"], kinds),
        "linear.ubj": ({"objective": "reg:squarederror", "booster": "gblinear"}, targets["number"], None),
        "hinge.ubj": ({"objective": "binary:hinge"}, targets["yes"], None),
    }
    answers = {}
    for name, (settings, target, types) in recipes.items():
        data = library.DMatrix(
            rows, target, feature_names=list(NAMES), feature_types=types, enable_categorical=types is not None
        )
        booster = library.train({**tiny, **settings}, data, num_boost_round=6)
        booster.save_model(folder / name)
        answers[name] = booster.predict(data)
    return answers


def catboost(folder: Path, rows: Any, targets: dict[str, Any]) -> dict[str, Any]:
    import catboost as library
    import numpy as np

    tiny = {
        "iterations": 8,
        "depth": 3,
        "thread_count": 1,
        "random_seed": 1,
        "verbose": False,
        "allow_writing_files": False,
    }
    names = {"feature_names": list(NAMES)}
    words = np.where(targets["yes"] == 1, "good", "bad")
    made = {
        "words": library.CatBoostClassifier(**tiny).fit(library.Pool(rows, words, **names)),
        "three": library.CatBoostClassifier(**tiny, loss_function="MultiClass").fit(
            library.Pool(rows, targets["three"], **names)
        ),
        "number": library.CatBoostRegressor(**tiny).fit(library.Pool(rows, targets["number"], **names)),
    }
    table = [[age, income, str(int(code))] for age, income, code in np.nan_to_num(rows)]
    mixed = library.CatBoostClassifier(**tiny).fit(library.Pool(table, targets["yes"], cat_features=[2], **names))
    for name, model in {**made, "categories": mixed}.items():
        model.save_model(str(folder / f"{name}.cbm"))
    return {name: np.asarray(model.predict(rows)).ravel().astype(str) for name, model in made.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
