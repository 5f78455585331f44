"""A Python model in the cluster: not before its Model trusts it, then by its own packages, and without any key."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.support.cluster.kubectl import run
from tests.support.cluster.models import a_model, applied, condition, gateway, host, until
from tests.support.frameworks.python_models import GREETER, a_python_model

ENTRY = f"greeter-{uuid4().hex[:8]}"
NOSY = GREETER.replace(
    'if "late" in names:',
    'if "keys" in names:\n'
    '            seen = [name for name in os.environ if name.startswith(("AWS_", "MODELYARD_"))]\n'
    '            seen += [str(path) for path in [Path("/var/run/secrets")] if path.exists()]\n'
    '            return {"greeting": [[" ".join(seen)]], "next": ages}\n'
    '        if "late" in names:',
)


def greet(name: str, namespace: str) -> httpx.Response:
    """One request of one person."""
    inputs: list[dict[str, Any]] = [
        {"name": "name", "shape": [1, 1], "datatype": "BYTES", "data": [name]},
        {"name": "age", "shape": [1, 1], "datatype": "FP32", "data": [36]},
    ]
    url = f"http://{gateway()}/v2/models/greeter/infer"
    return httpx.post(url, json={"inputs": inputs}, headers={"Host": host("greeter", namespace)}, timeout=30)


def greeting(answer: httpx.Response) -> str:
    assert answer.status_code == httpx.codes.OK, answer.text
    [found] = [output["data"][0] for output in answer.json()["outputs"] if output["name"] == "greeting"]
    return found


def test_a_python_model_serves_once_it_is_trusted_and_sees_no_keys(namespace: str, tmp_path: Path) -> None:
    run("modelyard", "push", str(a_python_model(tmp_path / "greeter", NOSY, name=ENTRY)), "--trust-code")
    model = a_model("greeter", namespace, entry=ENTRY)
    applied(model)
    refused = until("greeter", namespace, "Stalled", "True")
    assert condition(refused, "EntryResolved")["reason"] == "CodeNotTrusted"

    model["spec"]["source"]["trustCode"] = True
    applied(model)
    until("greeter", namespace, "Reconciling", "False", "Done")

    assert greeting(greet("Ada", namespace)) == "Hello, Ada!"
    assert greeting(greet("keys", namespace)) == ""
    assert greet("nobody", namespace).status_code == httpx.codes.BAD_REQUEST
    assert greet("late", namespace).status_code == httpx.codes.INTERNAL_SERVER_ERROR
