"""Which file of a flavor is taken, and what is said of flavors and forms of which none is."""

from typing import Any

import pytest

from modelyard.errors import ModelyardError, UnsupportedModel
from modelyard.mlflow_sync.flavors import FRAMEWORKS, KeptModel, kept_model

FILES = {"data": {"model.pt2", "model.keras"}, "old": {"model.pth", "saved_model.pb"}}
PYFUNC = {"python_function": {"loader_module": "x"}}


def kept(**flavors: Any) -> KeptModel:
    return kept_model(flavors, "toy version 1", lambda folder: FILES.get(folder, ()))


@pytest.mark.parametrize(
    ("flavors", "file", "name"),
    [
        ({"onnx": {"data": "m.onnx"}}, "m.onnx", "model.onnx"),
        ({"sklearn": {"pickled_model": "model.skops"}}, "model.skops", "model.skops"),
        ({"lightgbm": {"data": "model.lgb"}}, "model.lgb", "model.txt"),
        ({"lightgbm": {"data": "model.skops"}}, "model.skops", "model.skops"),
        ({"xgboost": {"data": "model.ubj"}}, "model.ubj", "model.ubj"),
        ({"xgboost": {"data": "model.xgb"}}, "model.xgb", "model.ubj"),
        ({"xgboost": {"data": "model.json"}}, "model.json", "model.json"),
        ({"catboost": {"data": "model.cb"}}, "model.cb", "model.cbm"),
    ],
)
def test_data_of_a_framework_needs_no_trust(flavors: dict[str, Any], file: str, name: str) -> None:
    found = kept(**flavors, **PYFUNC)

    assert (found.file, found.name, found.runs) == (file, name, "")
    assert found.framework == FRAMEWORKS[next(iter(flavors))]


@pytest.mark.parametrize(
    ("flavors", "file", "what"),
    [
        ({"sklearn": {"pickled_model": "model.pkl"}}, "model.pkl", "a pickle"),
        ({"lightgbm": {"data": "model.pkl"}}, "model.pkl", "a pickle"),
        ({"pytorch": {"model_data": "data"}}, "data/model.pt2", "a program of PyTorch"),
        ({"keras": {"data": "data"}}, "data/model.keras", "a program of Keras"),
        ({"tensorflow": {"data": "data", "model_type": "keras"}}, "data/model.keras", "a program of Keras"),
    ],
)
def test_what_may_run_code_says_so(flavors: dict[str, Any], file: str, what: str) -> None:
    found = kept(**flavors, **PYFUNC)

    assert (found.file, found.runs) == (file, what)


@pytest.mark.parametrize(
    ("flavors", "words"),
    [
        ({"spark": {}}, "has only the flavors python_function, spark, and those that become ONNX are onnx, sklearn,"),
        ({"pytorch": {"model_data": "old"}}, "log it with mlflow.pytorch.log_model(..., input_example=x, serial"),
        ({"keras": {"data": "old"}}, "keeps no model.keras in old, but another form of Keras'"),
        (
            {"tensorflow": {"saved_model_dir": "tf2model"}},
            "is a SavedModel, which is not fetched from MLflow; download",
        ),
        ({"xgboost": {"data": "model.bin"}}, "is kept as model.bin, which nothing here converts"),
    ],
)
def test_what_is_not_taken_says_why_and_what_to_do(flavors: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedModel) as refused:
        kept(**flavors, **PYFUNC)

    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/b", 3, None])
def test_a_name_that_leads_elsewhere_is_none(name: object) -> None:
    for flavors in ({"catboost": {"data": name}}, {"keras": {"data": name}}):
        with pytest.raises(ModelyardError, match="which is no file beside it"):
            kept(**flavors)
