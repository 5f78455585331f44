"""Where the stages meet: files and parameters, from the root of the repository, where `dvc repro` runs them."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

TRAIN, TEST = Path("data/train.csv"), Path("data/test.csv")
ENTRY = Path("entry")
ESTIMATOR, EVALUATION = ENTRY / "model.joblib", ENTRY / "eval.npz"
DESCRIPTION, CARD = ENTRY / "modelyard.yaml", ENTRY / "MODEL_CARD.md"
METRICS, PUSHED, MANIFEST = Path("metrics.json"), Path("pushed.json"), Path("model.yaml")


def parameters() -> dict[str, Any]:
    """What params.yaml says."""
    return yaml.safe_load(Path("params.yaml").read_text())


def read_people(path: Path) -> pd.DataFrame:
    """The people that the stage `prepare` wrote."""
    return pd.read_csv(path, keep_default_na=False)
