"""scikit-learn models as people save them: the ONNX form answers the rows of their owner as they did."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from modelyard.builder.conversion import sklearn
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.errors import UnsupportedModel

X, Y = load_iris(return_X_y=True)
TARGET = X @ [1.0, 2.0, 3.0, 4.0] + 5
WORDS = np.array(["a", "b", "c"])[Y]
GAPS = np.where(np.arange(X.size).reshape(X.shape) % 11 == 0, np.nan, X)
CODES = np.round(X).astype(int)
SCALED_LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression())

NUMBERS = {
    "svc": (SVC(), X, Y),
    "nusvc": (NuSVC(), X, WORDS),
    "svr": (SVR(), X, TARGET),
    "one class": (OneClassSVM(), X, None),
    "linear svc": (LinearSVC(), X, Y),
    "truths": (LogisticRegression(max_iter=500), X, Y > 0),
    "scaled linear svc": (make_pipeline(StandardScaler(), LinearSVC()), X, WORDS),
    "kmeans": (KMeans(3, random_state=0, n_init=2), X, None),
    "kmeans in float32": (KMeans(3, random_state=0, n_init=2), X.astype(np.float32), None),
    "mini batches": (MiniBatchKMeans(3, random_state=0, n_init=2), X, None),
    "neighbours": (KNeighborsClassifier(), X, Y),
    "bayes": (GaussianNB(), X, Y),
    "forest": (RandomForestClassifier(5, random_state=0), X, WORDS),
    "forest of several numbers": (RandomForestRegressor(5, random_state=0), X, np.c_[TARGET, -TARGET]),
    "forest of several classes": (RandomForestClassifier(5, random_state=0), X, np.c_[Y, Y > 0]),
    "forest of questions with as many classes": (RandomForestClassifier(5, random_state=0), X, np.c_[Y, (Y + 1) % 3]),
    "a network of several numbers": (
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0), X, np.c_[TARGET, -TARGET]
    ),
    "quadratic": (QuadraticDiscriminantAnalysis(), X, Y),
    "isolation": (IsolationForest(n_estimators=5, random_state=0), X, None),
    "boosted, with gaps": (HistGradientBoostingClassifier(max_iter=3), GAPS, Y),
    "a pipeline in a pipeline": (make_pipeline(make_pipeline(MinMaxScaler(), PCA(3)), SCALED_LOGISTIC), X, Y),
    "a union": (make_pipeline(FeatureUnion([("a", RobustScaler()), ("b", PCA(2))]), LogisticRegression()), X, Y),
    "a search": (GridSearchCV(SCALED_LOGISTIC, {"logisticregression__C": [1.0, 10.0]}, cv=2), X, Y),
    "a vote": (VotingClassifier([("a", SCALED_LOGISTIC), ("b", GaussianNB())], voting="soft"), X, Y),
    "the same function": (make_pipeline(FunctionTransformer(), LogisticRegression(max_iter=500)), X, Y),
    "gaps filled": (make_pipeline(SimpleImputer(), StandardScaler(), SVR()), GAPS, TARGET),
    "codes": (make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=500)), CODES, Y),
    "words": (make_pipeline(OneHotEncoder(), LogisticRegression()), WORDS[:, None], Y),
    "columns by place": (
        make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), slice(2, 4))]), GaussianNB()
        ),
        X, Y,
    ),
    "columns by mask": (
        make_pipeline(ColumnTransformer([("a", StandardScaler(), [True, False, True, True])]), LogisticRegression()),
        X, Y,
    ),
    "nothing but a model": (make_pipeline("passthrough", LinearRegression()), X, TARGET),
}  # fmt: skip

RANGELESS = (
    "truths", "linear svc", "a network of several numbers", "a vote", "the same function", "columns by mask",
    "nothing but a model",
)  # fmt: skip
"""Those that hold weights, and nothing that tells what they met."""


def converted(estimator: Any, folder: Path, evaluation: Path | None = None, sample: Path | None = None) -> Any:
    joblib.dump(estimator, folder / "m.joblib")
    convert_joblib(folder / "m.joblib", folder / "m.onnx", evaluation, sample)
    return ort.InferenceSession(str(folder / "m.onnx"), providers=["CPUExecutionProvider"])


def asked(session: Any, **columns: Any) -> list[Any]:
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    feed = {i.name: np.asarray(columns[i.name]).astype(types.get(i.type, object)) for i in session.get_inputs()}
    return session.run(None, feed)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_model_of_one_tensor_answers_its_training_rows(tmp_path: Path, name: str) -> None:
    estimator, rows, target = NUMBERS[name]
    estimator.fit(rows, target)
    np.savez(tmp_path / "rows.npz", input=rows)
    sample = tmp_path / "rows.npz" if name in RANGELESS else None

    answer = asked(converted(estimator, tmp_path, sample=sample), input=rows)[0]

    expected = np.asarray(estimator.predict(rows))
    expected = expected.astype(int) if expected.dtype == bool else expected
    if expected.dtype.kind == "f":
        assert np.allclose(answer.reshape(expected.shape), expected, rtol=1e-3, atol=1e-3)
    else:
        assert (answer.reshape(expected.shape).astype(str) == expected.astype(str)).mean() >= 0.99


def test_numbers_with_more_digits_than_float32_holds_are_taken_as_float64(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    seconds = 1.7e9 + random.integers(0, 86400, 2000)
    rows = np.c_[seconds, random.normal(size=2000)]
    minute = (seconds // 60 % 2 == 0).astype(int)
    clock = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(rows, minute)

    session = converted(clock, tmp_path)

    assert session.get_inputs()[0].type == "tensor(double)"
    assert (asked(session, input=rows)[0] == clock.predict(rows)).mean() >= 0.999


def test_gaps_are_filled_in_float64_too(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    seconds = 1.7e9 + random.integers(0, 86400, 2000).astype(float)
    rows = np.c_[np.where(np.arange(2000) % 50 == 0, np.nan, seconds), random.normal(size=2000)]
    minute = (seconds // 600 % 2 == 0).astype(int)
    model = make_pipeline(SimpleImputer(), StandardScaler(), DecisionTreeClassifier(random_state=0)).fit(rows, minute)

    assert (asked(converted(model, tmp_path), input=rows)[0] == model.predict(rows)).mean() >= 0.99


PEOPLE = pd.DataFrame({
    "age": [20.0, 30, np.nan, 50, 60, 35, 41, 28], "income": [1e4, 5e4, 6e4, 2e4, np.nan, 7e4, 3e4, 4e4],
    "city": ["Oslo", "Lima", np.nan, "Oslo", "Pune", "Lima", "Oslo", np.nan], "children": [0, 1, 2, 0, 1, 2, 2, 0],
    "note": ["call back", "new roof", "call", "old roof", "roof", "back", "new", "old"], "id": list("abcdefgh"),
})  # fmt: skip
BOUGHT = np.array(["no", "yes", "yes", "no", "yes", "yes", "no", "no"])


def branches(**kept: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer(
        [
            ("n", numbers, ["age", "income"]),
            ("w", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["city"]),
            ("k", OneHotEncoder(handle_unknown="ignore"), ["children"]),
            ("t", TfidfVectorizer(), "note"),
        ],
        **kept,
    )


def columns_of(table: Any) -> dict[str, Any]:
    return {name: table[[name]].fillna("" if table[name].dtype == object else np.nan).to_numpy() for name in table}


def test_a_table_is_an_input_a_column_and_what_is_never_read_is_not_asked_for(tmp_path: Path) -> None:
    model = make_pipeline(branches(), LogisticRegression()).fit(PEOPLE, BOUGHT)

    session = converted(model, tmp_path)

    assert {item.name: item.type for item in session.get_inputs()} == {
        "age": "tensor(float)", "income": "tensor(float)", "city": "tensor(string)", "children": "tensor(int64)",
        "note": "tensor(string)",
    }  # fmt: skip
    label, probabilities = asked(session, **columns_of(PEOPLE))
    assert label.tolist() == model.predict(PEOPLE).tolist()
    assert np.allclose(probabilities, model.predict_proba(PEOPLE), atol=1e-3)


@pytest.mark.parametrize("gap", [None, np.nan], ids=["None", "NaN"])
def test_an_empty_text_is_what_stood_for_a_missing_one(tmp_path: Path, gap: Any) -> None:
    """An imputer that looks for NaN lets None through, so the encoder behind it knows None as a word of its own."""
    table = PEOPLE[["age", "city"]].copy()
    table["city"] = [gap if not isinstance(city, str) else city for city in table["city"]]
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("w", words, ["city"]), ("n", SimpleImputer(), ["age"])])
    model = make_pipeline(columns, LogisticRegression()).fit(table, BOUGHT)

    label, probabilities = asked(converted(model, tmp_path), **columns_of(table))

    assert label.tolist() == model.predict(table).tolist()
    assert np.allclose(probabilities, model.predict_proba(table), atol=1e-3)


def test_columns_may_be_chosen_in_every_way(tmp_path: Path) -> None:
    table = PEOPLE[["children", "age", "income", "id"]].fillna(1.0)
    ways = ColumnTransformer(
        [("a", OrdinalEncoder(), slice("children", "children")), ("b", StandardScaler(), slice("age", "income"))]
    )
    places = ColumnTransformer([("c", StandardScaler(), [1]), ("d", "passthrough", ["income"])], remainder="drop")

    table.to_csv(tmp_path / "rows.csv", index=False)
    for step, names in ((ways, ["children", "age", "income"]), (places, ["age", "income"])):
        model = make_pipeline(step, LogisticRegression()).fit(table, BOUGHT)
        session = converted(model, tmp_path, sample=tmp_path / "rows.csv")
        assert [item.name for item in session.get_inputs()] == names
        assert asked(session, **columns_of(table))[0].tolist() == model.predict(table).tolist()


def test_columns_keep_their_names_whatever_is_in_them(tmp_path: Path) -> None:
    table = PEOPLE[["age", "income"]].fillna(1.0).set_axis(["the age (years)", "income/€"], axis=1)
    columns = ColumnTransformer([("n", StandardScaler(), ["the age (years)"]), ("m", MinMaxScaler(), ["income/€"])])
    model = make_pipeline(columns, LogisticRegression()).fit(table, BOUGHT)

    session = converted(model, tmp_path)

    assert [item.name for item in session.get_inputs()] == ["the age (years)", "income/€"]
    assert asked(session, **columns_of(table))[0].tolist() == model.predict(table).tolist()


def test_a_table_of_numbers_without_branches_is_one_tensor(tmp_path: Path) -> None:
    table = PEOPLE[["age", "income"]].fillna(1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, BOUGHT)

    assert asked(converted(model, tmp_path), input=table)[0].tolist() == model.predict(table).tolist()


def test_columns_of_an_array_that_are_of_several_types_are_inputs_of_their_own(tmp_path: Path) -> None:
    rows = np.array([[20, "Oslo"], [30, "Lima"], [40, "Oslo"], [50, "Lima"]], object)
    columns = ColumnTransformer([("n", StandardScaler(), [0]), ("w", OneHotEncoder(), [1])])
    model = make_pipeline(columns, LogisticRegression()).fit(rows, [0, 1, 0, 1])

    session = converted(model, tmp_path)

    assert [(item.name, item.type) for item in session.get_inputs()] == [
        ("x0", "tensor(float)"),
        ("x1", "tensor(string)"),
    ]
    assert asked(session, x0=rows[:, :1], x1=rows[:, 1:])[0].tolist() == [0, 1, 0, 1]


TEXTS = ["cheap pills now", "meeting at noon", "win money now", "lunch tomorrow", "cheap money", "our meeting"] * 5
SPAM = ["spam", "ham"] * 15
LOGARITHMS = make_pipeline(FunctionTransformer(np.log1p), LinearRegression())
HASHES = make_pipeline(HashingVectorizer(n_features=8), LogisticRegression())
LETTERS = make_pipeline(TfidfVectorizer(analyzer="char"), LogisticRegression())


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(CountVectorizer(ngram_range=(1, 2), lowercase=False), MultinomialNB()),
        make_pipeline(make_pipeline(TfidfVectorizer()), make_pipeline(LinearSVC())),
    ],
)
def test_texts_are_one_input(tmp_path: Path, model: Any) -> None:
    model.fit(TEXTS, SPAM)

    session = converted(model, tmp_path)

    asking = ["Win cheap money", "lunch meeting", "café", "a b c"]
    assert asked(session, text=np.array(asking, object)[:, None])[0].tolist() == model.predict(asking).tolist()


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (LOGARITHMS.fit(X, TARGET), "skl2onnx cannot convert the Pipeline"),
        (HASHES.fit(TEXTS, SPAM), "skl2onnx cannot convert"),
        (LETTERS.fit(TEXTS, SPAM), "agrees with the original on only"),
        (DBSCAN().fit(X), "holds a DBSCAN, which has no predict.*train a classifier on what it found"),
        (StandardScaler().fit(X), "holds a StandardScaler, which has no predict.*put a model behind it"),
        (LogisticRegression(), "LogisticRegression that is not fitted; call fit"),
        ({"a": 1}, "holds a dict, not a fitted scikit-learn model with predict"),
    ],
    ids=["a function", "hashes", "letters", "clusters without predict", "a scaler", "not fitted", "a dict"],
)  # fmt: skip
def test_what_cannot_be_converted_says_why(tmp_path: Path, estimator: Any, sentence: str) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        converted(estimator, tmp_path)


class Rounded(LogisticRegression):
    """Converted as its parent, and answers otherwise."""

    def predict(self, rows: Any) -> Any:
        return super().predict(np.round(rows))


class Moody(LogisticRegression):
    """Refuses whatever it is asked."""

    def predict(self, rows: Any) -> Any:
        raise ValueError("not today")


@pytest.fixture
def _known_to_the_converter() -> None:
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
    from skl2onnx.operator_converters.linear_classifier import convert_sklearn_linear_classifier

    for kind in (Rounded, Moody):
        update_registered_converter(
            kind, kind.__name__, calculate_linear_classifier_output_shapes, convert_sklearn_linear_classifier,
            options={name: [True, False] for name in ("zipmap", "nocl", "raw_scores", "output_class_labels")},
        )  # fmt: skip


@pytest.mark.usefixtures("_known_to_the_converter")
def test_a_form_that_answers_otherwise_is_refused_and_the_rows_of_an_evaluation_set_decide(tmp_path: Path) -> None:
    model = Rounded(max_iter=500).fit(X, Y)

    np.savez(tmp_path / "eval.npz", **{"input:input": X + 0.4})
    with pytest.raises(UnsupportedModel, match=r"agrees .* on only .*% in single precision.* of its eval\.npz"):
        converted(model, tmp_path, tmp_path / "eval.npz")
    np.savez(tmp_path / "eval.npz", **{"input:input": np.round(X)})
    assert converted(model, tmp_path, tmp_path / "eval.npz") is not None


@pytest.mark.usefixtures("_known_to_the_converter")
def test_a_model_that_answers_nothing_is_not_taken_on_trust(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", input=X)

    with pytest.raises(UnsupportedModel, match=r"cannot be asked .*not today.*; put an eval\.npz with rows it takes"):
        converted(Moody(max_iter=500).fit(X, Y), tmp_path, sample=tmp_path / "rows.npz")


@pytest.mark.parametrize(
    "arrays",
    [
        {"age": [20.0, 30], "city": ["Oslo", ""]},
        {"input:age": [[20.0], [30]], "input:city": [["Oslo"], [""]], "output:label": ["no", "yes"]},
        {"age": [20.0, 30], "city": ["Oslo"]},
        {"age": [20.0, 30]},
    ],
    ids=["plain names", "full names", "of two lengths", "one missing"],
)
def test_rows_of_a_table_may_be_the_authors(tmp_path: Path, arrays: dict[str, Any]) -> None:
    """Arrays that do not fit are told of later, when the evaluation set is compared: here they only decide less."""
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([("w", words, ["city"]), ("n", SimpleImputer(), ["age"])])
    table = PEOPLE[["age", "id", "city"]]
    model = make_pipeline(columns, LogisticRegression()).fit(table, BOUGHT)
    np.savez(tmp_path / "eval.npz", **{name: np.array(values) for name, values in arrays.items()})

    session = converted(model, tmp_path, tmp_path / "eval.npz")

    assert [item.name for item in session.get_inputs()] == ["age", "city"]


def test_a_precision_the_runtime_has_no_kernel_for_is_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted_before = sklearn._converted

    def only_single(estimator: Any, layout: Any, double: bool) -> Any:
        if double:
            raise RuntimeError("no kernel")
        return converted_before(estimator, layout, double)

    monkeypatch.setattr(sklearn, "_converted", only_single)
    model = LETTERS.fit(TEXTS, SPAM)

    with pytest.raises(UnsupportedModel, match=r"agrees .* on only [0-9.]+% in single precision of rows made up"):
        converted(model, tmp_path)


def test_branches_that_pass_rows_on_and_encoders_of_several_types_are_understood(tmp_path: Path) -> None:
    table = PEOPLE[["age", "city", "children"]].assign(age=lambda t: t["age"].fillna(1.0))
    branches = ColumnTransformer([("p", make_pipeline("passthrough"), ["age"]), ("w", OneHotEncoder(), ["city"])])
    model = make_pipeline(branches, LogisticRegression()).fit(table, BOUGHT)
    table.to_csv(tmp_path / "rows.csv", index=False)

    label, _ = asked(converted(model, tmp_path, sample=tmp_path / "rows.csv"), **columns_of(table))

    assert label.tolist() == model.predict(table).tolist()
