"""LightGBM's and XGBoost's estimators in pickles, alone and at the end of scikit-learn's pipelines."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelyard.builder.conversion.proof import ConversionProof
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import UnsupportedModel
from tests.support.frameworks.trained import site

X, Y = load_iris(return_X_y=True)
WORDS = np.array(["a", "b", "c"])[Y]
TARGET = X @ [1.0, 2.0, 3.0, 4.0] + 5
PEOPLE = pd.DataFrame({
    "age": np.linspace(18, 80, 120), "city": np.array(["Oslo", "Lima", "Pune"])[np.arange(120) % 3],
    "income": np.where(np.arange(120) % 9 == 0, np.nan, np.linspace(1e4, 9e4, 120)),
})  # fmt: skip
BOUGHT = np.where((PEOPLE["age"] > 50) ^ (PEOPLE["city"] == "Lima"), "yes", "no")


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> Iterator[None]:
    """As in the environment of somebody who trained with them; ours goes first, so numpy and scipy are ours."""
    places = [str(site(name)) for name in ("lightgbm", "xgboost")]
    sys.path += places
    yield
    for place in places:
        sys.path.remove(place)


def estimator(kind: str, **settings: Any) -> Any:
    import lightgbm
    import xgboost

    if kind.startswith("LGBM"):
        tiny = {"n_estimators": 6, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
        return getattr(lightgbm, kind)(**{**tiny, **settings})
    return getattr(xgboost, kind)(**{"n_estimators": 6, "max_depth": 3, "n_jobs": 1, **settings})


def converted(model: Any, folder: Path, sample: Path | None = None) -> tuple[ConversionProof, Any]:
    joblib.dump(model, folder / "m.joblib")
    proof = convert_joblib(folder / "m.joblib", folder / "m.onnx", None, sample)
    return proof, ort.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])


def asked(session: Any, **columns: Any) -> list[Any]:
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    feed = {i.name: np.asarray(columns[i.name]).astype(types.get(i.type, object)) for i in session.get_inputs()}
    return session.run(None, feed)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("LGBMClassifier", WORDS), ("LGBMClassifier", Y), ("LGBMClassifier", Y > 0), ("XGBClassifier", Y),
     ("XGBClassifier", (Y > 0).astype(int)), ("XGBRFClassifier", Y)],
    ids=["words", "classes", "truths", "three of XGBoost", "two of XGBoost", "forest of XGBoost"],
)  # fmt: skip
def test_a_classifier_gives_its_labels_and_probabilities(kind: str, labels: Any, tmp_path: Path) -> None:
    model = estimator(kind).fit(X, labels)

    _, session = converted(model, tmp_path)

    label, probabilities = asked(session, input=X)
    expected = model.predict_proba(X)
    clear = np.ptp(np.sort(expected, axis=1)[:, -2:], axis=1) > 1e-6
    assert clear.mean() > 0.9
    assert label[clear].tolist() == np.asarray(model.predict(X))[clear].tolist()
    assert np.allclose(probabilities, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["LGBMRegressor", "XGBRegressor", "XGBRFRegressor"])
def test_a_regressor_gives_its_numbers(kind: str, tmp_path: Path) -> None:
    """XGBoost parts rows where they lie: scaled in float32 they may fall on the other side, as only they can show."""
    model = make_pipeline(StandardScaler(), estimator(kind)).fit(X, TARGET)
    np.savez(tmp_path / "rows.npz", input=X)

    proof, session = converted(model, tmp_path, tmp_path / "rows.npz")

    assert proof.double == (kind != "LGBMRegressor")
    assert np.allclose(asked(session, input=X)[0].ravel(), model.predict(X), rtol=1e-3)


@pytest.mark.parametrize("kind", ["LGBMClassifier", "XGBClassifier"])
def test_a_pipeline_of_columns_ends_in_boosted_trees(kind: str, tmp_path: Path) -> None:
    steps = ColumnTransformer([("c", OneHotEncoder(), ["city"]), ("n", SimpleImputer(), ["age", "income"])])
    labels = BOUGHT if kind == "LGBMClassifier" else (BOUGHT == "yes").astype(int)
    model = make_pipeline(steps, estimator(kind)).fit(PEOPLE, labels)
    PEOPLE.to_csv(tmp_path / "rows.csv", index=False)

    proof, session = converted(model, tmp_path, tmp_path / "rows.csv")

    assert (proof.rows, proof.share) == (120, 1.0)
    label, probabilities = asked(session, **{name: PEOPLE[[name]].to_numpy() for name in PEOPLE})
    assert label.tolist() == np.asarray(model.predict(PEOPLE)).tolist()
    assert np.allclose(probabilities, model.predict_proba(PEOPLE), atol=1e-4)


def test_seconds_are_compared_in_float64_where_lightgbm_does(tmp_path: Path) -> None:
    seconds = np.c_[1.7e9 + np.arange(400) * 3.0, np.ones(400)]
    minute = (seconds[:, 0] // 60 % 2).astype(int)
    fine = {"max_bin": 4096, "min_data_in_bin": 1, "num_leaves": 200, "min_child_samples": 1, "n_estimators": 10}
    model = estimator("LGBMClassifier", **fine).fit(seconds, minute)
    np.savez(tmp_path / "rows.npz", input=seconds)

    proof, session = converted(model, tmp_path, tmp_path / "rows.npz")

    assert proof.double
    label, probabilities = asked(session, input=seconds)
    assert label.tolist() == model.predict(seconds).tolist()
    assert np.allclose(probabilities, model.predict_proba(seconds), atol=1e-4)


def test_only_the_best_trees_of_a_fit_that_stopped_early_are_taken(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 2, len(X))
    model = estimator("XGBClassifier", n_estimators=40, early_stopping_rounds=2)
    model.fit(X, noise, eval_set=[(X[::2], 1 - noise[::2])], verbose=False)
    assert model.best_iteration < 39

    _, session = converted(model, tmp_path)

    assert np.allclose(asked(session, input=X)[1], model.predict_proba(X), atol=1e-4)


def test_what_onnx_cannot_say_is_refused_in_a_pickle_too(tmp_path: Path) -> None:
    model = estimator("LGBMRegressor", linear_tree=True).fit(X, TARGET)

    with pytest.raises(UnsupportedModel, match=r"cannot convert the LGBMRegressor .*its leaves hold linear models"):
        converted(model, tmp_path)


def test_a_bare_booster_is_asked_for_in_its_own_file(tmp_path: Path) -> None:
    model = estimator("LGBMRegressor").fit(X, TARGET).booster_

    with pytest.raises(UnsupportedModel, match=r'holds a Booster of lightgbm; write it with save_model\("model.txt"\)'):
        converted(model, tmp_path)
