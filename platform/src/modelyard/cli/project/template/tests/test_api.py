"""What clients meet, asked over HTTP: the Model itself (Open Inference Protocol v2), and the front before it.

MODEL_URL   the gateway, with MODEL_NAMESPACE, and MODEL_DOMAIN where it is asked by host name; or `make serve`
APP_URL     the front: `make app`
"""

import os
from typing import Any

import numpy as np
import pytest
import requests
from columns import FEATURES, INCOMES, NUMBERS
from course import EVALUATION, parameters

NAME = parameters()["name"]
CLERK = {
    "age": 39, "education_num": 13, "capital_gain": 2174, "capital_loss": 0, "hours_per_week": 40,
    "workclass": "State-gov", "marital_status": "Never-married", "occupation": "Adm-clerical",
    "relationship": "Not-in-family", "native_country": "United-States",
}  # fmt: skip


def address(variable: str) -> str:
    if not os.environ.get(variable):
        pytest.skip(f"{variable} names no address")
    return os.environ[variable].rstrip("/")


def model(method: str, path: str, **body: Any) -> requests.Response:
    """One request to the Model."""
    url, namespace, domain = address("MODEL_URL"), os.environ.get("MODEL_NAMESPACE"), os.environ.get("MODEL_DOMAIN")
    prefix = f"/{namespace}/{NAME}" if namespace and not domain else ""
    headers = {"Host": f"{NAME}.{namespace}.{domain}"} if domain else {}
    return requests.request(method, f"{url}{prefix}/v2/models/{NAME}{path}", headers=headers, timeout=30, **body)


def front(method: str, path: str, **body: Any) -> requests.Response:
    """One request to the front."""
    return requests.request(method, f"{address('APP_URL')}{path}", timeout=30, **body)


def tensors(arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "shape": array.shape,
            "datatype": "FP32" if name in NUMBERS else "BYTES",
            "data": array.ravel().tolist(),
        }
        for name, array in arrays.items()
    ]


def test_the_model_is_ready_and_says_what_it_takes() -> None:
    assert model("GET", "/ready").status_code == 200
    told = model("GET", "").json()

    assert {tensor["name"] for tensor in told["inputs"]} == {*FEATURES}
    assert {tensor["name"] for tensor in told["outputs"]} == {"label", "probabilities"}


def test_the_model_answers_as_it_did_when_it_was_evaluated() -> None:
    saved = np.load(EVALUATION)
    rows = {name: saved[f"input:{name}"][:50] for name in FEATURES}

    answer = model("POST", "/infer", json={"inputs": tensors(rows)})

    assert answer.status_code == 200, answer.text
    outputs = {output["name"]: np.reshape(output["data"], output["shape"]) for output in answer.json()["outputs"]}
    np.testing.assert_array_equal(outputs["label"].ravel(), saved["output:label"][:50])
    np.testing.assert_allclose(outputs["probabilities"], saved["output:probabilities"][:50], atol=1e-4)


def test_the_model_refuses_a_request_without_its_columns() -> None:
    answer = model("POST", "/infer", json={"inputs": tensors({"age": np.array([[39.0]])})})

    assert 400 <= answer.status_code < 500


def test_the_front_says_what_it_is() -> None:
    told = front("GET", "/")

    assert told.status_code == 200
    assert told.json()["model"] == NAME


def test_the_front_answers_for_a_person() -> None:
    told = front("POST", "/predict", json=CLERK)

    assert told.status_code == 200, told.text
    assert told.json()["income"] in INCOMES
    assert 0 <= told.json()["probability"] <= 1


@pytest.mark.parametrize("wrong", [{"age": -1}, {"age": "old"}, {"occupation": "Astronaut"}, {"shoe_size": 43}])
def test_the_front_refuses_what_no_form_says(wrong: dict[str, Any]) -> None:
    told = front("POST", "/predict", json=CLERK | wrong)

    assert told.status_code == 422
    assert next(iter(wrong)) in told.text
