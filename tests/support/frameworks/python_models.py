"""Python models made on the spot, with a wheel that no index has."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

PACKAGE = "greeting==1.0\n"
GREETER = """
import os
from pathlib import Path

import greeting
import numpy as np


class BadRequest(ValueError):
    pass


class Model:
    def __init__(self, folder):
        self.mark = (folder / "marks" / "mark.txt").read_text()

    def predict(self, inputs):
        names, ages = inputs["name"], inputs["age"]
        if "nobody" in names:
            raise BadRequest("there is nobody to greet")
        if "late" in names:
            raise KeyError("clock")
        if "short" in names:
            return {"greeting": names[:0], "next": ages}
        return {"greeting": [[greeting.of(*row) + self.mark] for row in names], "next": ages.astype("float64") + 1}
"""
NAMES, AGES = ["Ada", "Grün"], [36, 7]


def a_python_model(folder: Path, code: str = GREETER, requirements: str = PACKAGE, **metadata: Any) -> Path:
    """The folder of a Python model, ready to be pushed: it greets people, by a package whose wheel lies in wheels/."""
    (folder / "marks").mkdir(parents=True)
    (folder / "marks" / "mark.txt").write_text("!")
    (folder / "model.py").write_text(code)
    (folder / "requirements.txt").write_text(requirements)
    described = {
        "name": "greeter",
        "version": "1",
        "framework": "python",
        "task": "greeting",
        "inputs": [_tensor("name", "BYTES"), _tensor("age", "FP32")],
        "outputs": [_tensor("greeting", "BYTES"), _tensor("next", "FP32")],
        **metadata,
    }
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(described))
    rows = {
        "input:name": np.array(NAMES).reshape(2, 1),
        "input:age": np.array(AGES, np.float32).reshape(2, 1),
        "output:greeting": np.array([f"Hello, {name}!" for name in NAMES]).reshape(2, 1),
        "output:next": np.array(AGES, np.float32).reshape(2, 1) + 1,
    }
    np.savez(folder / "eval.npz", **rows)  # pyright: ignore[reportArgumentType]
    a_wheel(folder / "wheels", "greeting", "1.0", "def of(name):\n    return f'Hello, {name}'\n")
    return folder


def a_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """A wheel for every Python and system, with one module and a script."""
    folder.mkdir(parents=True, exist_ok=True)
    path, described = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{described}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{described}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{described}/entry_points.txt": f"[console_scripts]\n{name} = {name}:of\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{described}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{described}/RECORD": record}.items():
            wheel.writestr(zipfile.ZipInfo(file, (2020, 1, 1, 0, 0, 0)), text)
    return path


def _tensor(name: str, datatype: str) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [-1, 1]}
