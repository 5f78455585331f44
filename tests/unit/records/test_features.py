"""Features of outputs: which class, and how sure."""

import numpy as np
import pytest

from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.records.features import features_of, output_features


def test_chances_are_a_class_and_how_sure_it_is() -> None:
    found = output_features({"p": np.array([[0.2, 0.8], [0.6, 0.4]], np.float32)}, 2)
    assert found["p.class"].tolist() == [1.0, 0.0]
    assert found["p.confidence"] == pytest.approx([0.8, 0.6])


def test_one_number_a_label_is_a_class_by_its_softmax() -> None:
    found = output_features({"logits": np.array([[1.0, 2.0, 3.0]])}, 1, labels=3)
    assert found["logits.class"].tolist() == [2.0]
    assert found["logits.confidence"] == pytest.approx([0.6652], abs=1e-4)


def test_a_row_of_nan_has_no_class() -> None:
    found = output_features({"logits": np.array([[np.nan, 1.0], [0.0, 1000.0]])}, 2, labels=2)
    assert np.isnan(found["logits.class"]).tolist() == [True, False]
    assert found["logits.confidence"][1] == 1.0


@pytest.mark.parametrize(
    "array",
    [np.array([[1.0, 2.0, 3.0]]), np.array([[5, 6]]), np.array([0.5]), np.array([["a", "b"]], object),
     np.full((1, 2, 2), 0.25)],
)  # fmt: skip
def test_other_outputs_are_their_columns(array: np.ndarray) -> None:
    assert not [name for name in output_features({"y": array}, 1) if name.endswith((".class", ".confidence"))]


def test_outputs_of_other_rows_are_left_out() -> None:
    assert output_features({"p": np.array([[0.5, 0.5]])}, 2) == {}


def test_requests_and_answers_are_read_as_the_profile_names_them() -> None:
    def feature(name: str, column: str) -> FeatureProfile:
        return FeatureProfile(name=name, column=column, role="input", kind="number", rows=1, missing=0, bins=(1,))

    names = {"age": "x[0]", "p.class": "p.class", "ids.norm": "ids.norm", "gone": "gone"}
    profile = ReferenceProfile(source="f", rows=1, features=tuple(feature(*pair) for pair in names.items()))
    inputs = {"x": np.array([[31.0, 2.0]]), "ids": np.array([[3.0, 4.0]])}
    found = features_of(profile, inputs, {"p": np.array([[0.1, 0.9]]), "other": np.array([[0.5, 0.5]])}, 1)
    assert {name: values.tolist() for name, values in found.items()} == {
        "age": [31.0], "p.class": [1.0], "ids.norm": [5.0],
    }  # fmt: skip
