"""What MLflow itself writes for a flavor is what is taken: models logged by its own package on a real server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from modelyard.clients.mlflow import MlflowServer
from modelyard.mlflow_settings import MlflowSettings
from modelyard.mlflow_sync.intake import entry_folder
from tests.support.frameworks.trained import site
from tests.support.servers.mlflow.real import RealMlflow, real_mlflow

pytestmark = pytest.mark.mlflow
SITES = ("lightgbm", "xgboost", "catboost")
PROGRAM = """
import sys
sys.path += {sites}
import mlflow, numpy as np, pandas as pd
import catboost, lightgbm, xgboost
from sklearn.linear_model import LogisticRegression

rows = np.random.default_rng(0).normal(size=(200, 3))
table, yes = pd.DataFrame(rows, columns=["a", "b", "c"]), (rows[:, 0] > rows[:, 1]).astype(int)
tiny = {{"n_estimators": 6, "n_jobs": 1}}
forest = lightgbm.LGBMClassifier(**tiny, verbose=-1).fit(table, yes)
models = {{
    "lightgbm": (mlflow.lightgbm, forest, table),
    "booster": (mlflow.lightgbm, forest.booster_, table),
    "xgboost": (mlflow.xgboost, xgboost.XGBClassifier(**tiny).fit(table, yes), table),
    "catboost": (mlflow.catboost, catboost.CatBoostClassifier(
        iterations=6, thread_count=1, verbose=False, allow_writing_files=False).fit(table, yes), table),
    "sklearn": (mlflow.sklearn, LogisticRegression().fit(rows, yes), rows),
}}
for name, (flavor, model, example) in models.items():
    flavor.log_model(
        model, name="model", input_example=example, registered_model_name=name, pip_requirements=["numpy"]
    )
    probabilities = forest.predict_proba(rows) if name == "booster" else model.predict_proba(example)
    np.save(f"{{name}}.npy", probabilities)
np.save("rows.npy", rows)
"""


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMlflow]:
    with real_mlflow(tmp_path_factory.mktemp("mlflow")) as server:
        server.run(PROGRAM.format(sites=[str(site(name)) for name in SITES]))
        yield server


@pytest.mark.parametrize("name", ["lightgbm", "booster", "xgboost", "catboost", "sklearn"])
def test_what_mlflow_logged_answers_as_it_did(name: str, logged: RealMlflow, tmp_path: Path) -> None:
    client, told = MlflowServer(MlflowSettings(url=logged.url)), list[str]()
    [model] = [one for one in client.models() if one.name == name]
    version = client.version(name, "1")
    assert version is not None

    folder = entry_folder(client, model, version, name, tmp_path, False, say=told.append)
    client.close()

    rows, expected = np.load(logged.folder / "rows.npy"), np.load(logged.folder / f"{name}.npy")
    session: Any = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    [probabilities] = session.run(["probabilities"], {"input": rows.astype(np.float32)})
    assert np.allclose(probabilities, expected, atol=1e-4)
    assert any("100.00% of 200 rows (input_example." in line for line in told)
