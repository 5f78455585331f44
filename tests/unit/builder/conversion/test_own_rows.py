"""Rows that a person gives for a conversion, by name or in order, with the types that the model was fitted on."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelyard.builder.conversion.columns import layout_of
from modelyard.builder.conversion.own_rows import rows_of
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import InvalidInput, UnsupportedModel
from modelyard.records.parquet import to_parquet

TABLE = pd.DataFrame({
    "zip": ["0150", "7030", "0150", "9008", "7030", "0150"], "age": [20.0, 31, np.nan, 50, 61, 35],
    "rooms": [1, 2, 3, 1, 2, 3], "id": list("abcdef"),
})  # fmt: skip
BOUGHT = np.array(["no", "yes", "yes", "no", "yes", "no"])
STEPS = ColumnTransformer([
    ("z", OneHotEncoder(), ["zip"]), ("a", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
    ("r", OneHotEncoder(handle_unknown="ignore"), ["rooms"]),
])  # fmt: skip
MODEL = make_pipeline(STEPS, LogisticRegression()).fit(TABLE, BOUGHT)


def written(folder: Path, name: str) -> Path:
    path = folder / name
    if path.suffix == ".csv":
        TABLE.assign(bought=BOUGHT).to_csv(path, index=False)
    elif path.suffix == ".parquet":
        path.write_bytes(to_parquet({name: TABLE[name].to_numpy() for name in TABLE}))
    else:
        np.savez(path, **{name: TABLE[name].to_numpy(str if TABLE[name].dtype == object else None) for name in TABLE})
    return path


def proof(estimator: Any, folder: Path, sample: Path) -> Any:
    joblib.dump(estimator, folder / "m.joblib")
    return convert_joblib(folder / "m.joblib", folder / "m.onnx", None, sample)


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.npz"])
def test_a_table_proves_a_pipeline_of_columns(name: str, tmp_path: Path) -> None:
    """The code 0150 stays a text, though the file reads like a number; an encoder that knows no 150 would refuse it."""
    path = written(tmp_path, name)

    told = proof(MODEL, tmp_path, path)

    assert (told.rows, told.source, told.share, told.double) == (6, name, 1.0, False)
    assert str(told) == f"converted in single precision: 100.00% of 6 rows ({name}) are answered as by Pipeline"
    rows = rows_of(layout_of(MODEL), MODEL, None, path).for_estimator()
    assert rows["zip"].tolist() == TABLE["zip"].tolist()
    assert rows["rooms"].dtype == np.int64


def test_a_matrix_proves_a_model_of_one_tensor(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3))
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    np.savez(tmp_path / "rows.npz", input=rows)
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", header="p,q,r", comments="")

    assert proof(model, tmp_path, tmp_path / "rows.npz").rows == 50
    assert proof(model, tmp_path, tmp_path / "rows.csv").rows == 50


def test_texts_prove_a_model_of_texts_whatever_their_column_is_called(tmp_path: Path) -> None:
    texts = ["cheap pills now", "meeting at noon", "win money now", "lunch tomorrow"] * 5
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, ["spam", "ham"] * 10)
    (tmp_path / "rows.csv").write_text("message\n" + "\n".join(texts) + "\n")

    assert proof(model, tmp_path, tmp_path / "rows.csv").rows == 20


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "zip,age\n0150,3\n",
            r"rows\.csv has no column 'rooms': it has zip, age, and the model takes 3: zip, age, rooms",
        ),
        ("zip,age,rooms\n0150,old,1\n", r"rows\.csv, row 1: 'age' is no number, which the model takes"),
        ("zip,age,rooms\n0150,3,1\n0150,3,\n", r"rows\.csv, row 2: 'rooms' is no whole number, which the model takes"),
        ("zip,age,rooms\n", "has no rows"),
    ],
    ids=["a column missing", "a word for a number", "a gap in whole numbers", "empty"],
)
def test_a_sample_that_does_not_fit_is_told_where(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text)

    with pytest.raises(InvalidInput, match=sentence):
        proof(MODEL, tmp_path, tmp_path / "rows.csv")


def test_rows_that_the_model_itself_refuses_are_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("zip,age,rooms\n1234,3,1\n")

    with pytest.raises(UnsupportedModel, match=r"cannot be asked .*unknown categories.*name some with --sample"):
        proof(MODEL, tmp_path, tmp_path / "rows.csv")
