"""`helm test`: a tiny model goes the whole way from a file to an answer, and is removed again.

The model adds 1 to two numbers. Its entry stays in the registry: pushing the same content again is no change.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import onnx
from kubernetes import client, config
from onnx import TensorProto, helper

NAME = "modelyard-smoke"
NAMESPACE = os.environ["SMOKE_NAMESPACE"]
GATEWAY = os.environ["SMOKE_GATEWAY"]
SECONDS = float(os.environ["SMOKE_SECONDS"])
KIND = ("modelyard.dev", "v1alpha1", NAMESPACE, "models")
OPSET, IR = 17, 8


def write_entry(folder: Path) -> None:
    """An entry folder; the same bytes every time."""
    shape = ["batch", 2]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    wanted = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    graph = helper.make_graph([helper.make_node("Add", ["x", "one"], ["y"])], NAME, [given], [wanted], [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "modelyard.yaml").write_text(f'name: {NAME}\nversion: "1"\nframework: onnx\ntask: smoke-test\n')


def wait_until_ready(models: client.CustomObjectsApi) -> None:
    """Prints every change of a condition; ends the test when the time is over or waiting has become pointless."""
    told: set[str] = set()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        status = models.get_namespaced_custom_object(*KIND, NAME).get("status", {})
        conditions = {one["type"]: one for one in status.get("conditions", [])}
        for one in conditions.values():
            line = f"{one['type']}={one['status']} {one['reason']}: {one['message']}"
            if line not in told:
                told.add(line)
                print(line, flush=True)
        if conditions.get("Ready", {}).get("status") == "True":
            return
        if conditions.get("Stalled", {}).get("status") == "True":
            raise SystemExit("the Model cannot go on without a person")
        time.sleep(1)
    raise SystemExit(f"the Model was not Ready after {SECONDS:.0f} s")


def predict(numbers: list[float]) -> list[float]:
    """One inference through the gateway, by path."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, len(numbers)], "data": numbers}
    url = f"{GATEWAY}/{NAMESPACE}/{NAME}/v2/models/{NAME}/infer"
    answer = httpx.post(url, json={"inputs": [tensor]}, timeout=30)
    answer.raise_for_status()
    return answer.json()["outputs"][0]["data"]


def remove(models: client.CustomObjectsApi) -> None:
    """Deletes the Model and waits until it is gone."""
    try:
        models.delete_namespaced_custom_object(*KIND, NAME)
        while True:
            models.get_namespaced_custom_object(*KIND, NAME)
            time.sleep(1)
    except client.ApiException as answer:
        if answer.status != 404:
            raise


def main() -> int:
    """0 when the prediction is right."""
    config.load_incluster_config()
    models = client.CustomObjectsApi()
    folder = Path("/tmp/smoke") / NAME / "1"
    write_entry(folder)
    subprocess.run(["modelyard", "push", str(folder)], check=True)
    remove(models)
    spec = {"source": {"name": NAME, "version": "1"}, "serving": {"runtime": os.environ["SMOKE_RUNTIME"]}}
    body = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": {"name": NAME}, "spec": spec}
    models.create_namespaced_custom_object(*KIND, body)
    try:
        wait_until_ready(models)
        answer = predict([1.0, 2.0])
    finally:
        remove(models)
    print(f"asked for 1 and 2 plus 1, answered {answer}")
    return 0 if answer == [2.0, 3.0] else 1


if __name__ == "__main__":
    sys.exit(main())
