"""Estimators that came without rows: those that hold ranges are asked within them, others ask for rows."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from modelyard.builder.conversion.columns import layout_of
from modelyard.builder.conversion.made_up_rows import made_up
from modelyard.builder.conversion.rows import MADE_UP
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import InvalidInput, UnsupportedModel

X, Y = load_iris(return_X_y=True)
TABLE = pd.DataFrame(X, columns=["a", "b", "c", "d"])
RANGELESS: dict[str, Any] = {
    "a linear model": LinearRegression(),
    "a linear classifier": LinearSVC(),
    "behind a function": make_pipeline(FunctionTransformer(), LogisticRegression(max_iter=500)),
    "a network": MLPClassifier((4,), max_iter=5, random_state=0),
    "behind a filling that somebody chose": make_pipeline(
        SimpleImputer(strategy="constant", fill_value=0.0), LogisticRegression(max_iter=500)
    ),
}
TO_CSV = r"X\.head\(400\)\.to_csv\('rows\.csv', index=False\)\) and add --sample rows\.csv, or put an eval\.npz"
SAVEZ = r"numpy\.savez\('rows\.npz', input=X\[:400\]\)\) and add --sample rows\.npz, or put an eval\.npz"


def converted(estimator: Any, folder: Path, evaluation: Path | None = None) -> str:
    joblib.dump(estimator, folder / "m.joblib")
    return convert_joblib(folder / "m.joblib", folder / "m.onnx", evaluation).source


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", RANGELESS)
def test_one_that_holds_no_ranges_asks_for_rows_and_says_how_to_write_them(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=SAVEZ):
        converted(RANGELESS[name].fit(X, Y), tmp_path)

    assert not (tmp_path / "m.onnx").exists()


def test_one_of_a_table_is_told_the_way_of_tables(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=TO_CSV):
        converted(LinearRegression().fit(TABLE, Y), tmp_path)


def test_a_column_that_is_only_passed_on_has_no_range(tmp_path: Path) -> None:
    columns = ColumnTransformer([("a", StandardScaler(), ["a"]), ("b", "passthrough", ["b"])])

    with pytest.raises(InvalidInput, match=TO_CSV):
        converted(make_pipeline(columns, LogisticRegression()).fit(TABLE, Y), tmp_path)


def test_an_evaluation_set_of_something_else_is_no_proof(tmp_path: Path) -> None:
    np.savez(tmp_path / "eval.npz", **{"input:other": X})

    with pytest.raises(InvalidInput, match=r"LinearRegression in m\.joblib .* \(its eval\.npz has none for input\)"):
        converted(LinearRegression().fit(X, Y), tmp_path, tmp_path / "eval.npz")


def test_those_that_hold_ranges_say_so(tmp_path: Path) -> None:
    assert converted(make_pipeline(StandardScaler(), LinearRegression()).fit(X, Y), tmp_path) == MADE_UP
    words = make_pipeline(CountVectorizer(), MultinomialNB()).fit(["cheap pills", "our meeting"] * 5, [1, 0] * 5)
    assert converted(words, tmp_path) == MADE_UP


def test_made_up_rows_of_boosted_trees_lie_where_they_part(tmp_path: Path) -> None:
    far = np.random.default_rng(0).normal(1e6, 10, size=(200, 2))
    model = HistGradientBoostingClassifier(max_iter=3).fit(far, far[:, 0] > 1e6)

    made = made_up(layout_of(model), model)

    assert made is not None
    rows = np.column_stack(made)
    assert abs(np.median(rows[:, 0]) - 1e6) < 100
    assert set(model.predict(rows)) == {False, True}


class Asked:
    """Predicts, and tells nothing of what it takes."""

    def predict(self, rows: Any) -> Any:
        return rows


def test_a_model_that_does_not_tell_what_it_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="does not tell how many columns it takes"):
        converted(Asked(), tmp_path)
