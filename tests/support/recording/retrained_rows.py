"""An entry that can be retrained, and recorded rows of a world that has changed since, with their labels.

Rows have two numbers. Class 1 was where the first is above 0; now it is where the second is.
"""

from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import yaml

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey, feedback_key
from modelyard.core.storage.object_store import Store
from modelyard.records.feedback.labels import to_file
from modelyard.records.parquet import to_parquet
from tests.support.tiny_retraining import retrain

RECIPE = Path(retrain.__file__)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
BEGAN = DAY.timestamp()
NAMESPACE, MODEL, ENTRY = "demo", "loans", "loans"


def rows(count: int, seed: int, column: int) -> tuple[Any, Any]:
    """Numbers [rows, 2], and the class that the sign of one column says, one in ten turned round."""
    chance = np.random.default_rng(seed)
    x = chance.normal(0, 1, (count, 2)).astype(np.float32)
    y = (x[:, column] > 0).astype(np.int64)
    turned = chance.random(count) < 0.1
    return x, np.where(turned, 1 - y, y)


def write_entry(folder: Path, version: str = "1", **metadata: Any) -> Path:
    """The entry as its author pushed it: trained on the old world, with an evaluation set and a recipe."""
    training = folder / "training"
    training.mkdir(parents=True)
    x, y = rows(2000, 1, 0)
    np.savez(training / "old.npz", x=x, y=y)
    copyfile(RECIPE, training / "retrain.py")
    weights = retrain.fitted(x, y, np.ones(len(y)))
    retrain.save(weights, folder / "model.onnx")
    tried, labels = rows(300, 2, 0)
    np.savez(folder / "eval.npz", **{"input:x": tried, "output:p": answers(weights, tried)}, labels=labels)
    said = {
        "name": ENTRY, "version": version, "framework": "numpy", "task": "classification", "labels": ["no", "yes"],
        "metrics": {"accuracy": 0.9}, "trainingData": {"reference": "made up", "description": "2,000 rows"}, **metadata,
    }  # fmt: skip
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(said))
    (folder / "MODEL_CARD.md").write_text("# Loans\n")
    return folder


def answers(weights: Any, x: Any) -> Any:
    """What the model answers."""
    powers = np.exp(x @ weights)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def record(store: Store, count: int = 800, seed: int = 3, column: int = 1, **more: Any) -> None:
    """Requests of one row, answered by the entry of old, and their labels by the names of classes."""
    x, y = rows(count, seed, column)
    old_x, old_y = rows(2000, 1, 0)
    p = answers(retrain.fitted(old_x, old_y, np.ones(2000)), x)
    ids = np.array([f"{seed}-{at}" for at in range(count)], object)
    table = {
        "request_id": ids, "row": np.zeros(count, np.int32), "time": BEGAN + 60.0 * np.arange(count),
        "share": np.ones(count, np.int32), "input.x[0]": x[:, 0], "input.x[1]": x[:, 1], "output.p[0]": p[:, 0],
        "output.p[1]": p[:, 1], "input.sex": np.array(["f", "m"] * (count // 2), object), **more,
    }  # fmt: skip
    store.put(MinuteKey(NAMESPACE, MODEL, f"loans-{seed}", int(BEGAN), "w").key(ROWS), to_parquet(table))
    told = [
        AnswerLabel(request, 0, "", ("no", "yes")[label], BEGAN, BEGAN)
        for request, label in zip(ids, y.tolist(), strict=True)
    ]
    store.put(feedback_key(NAMESPACE, MODEL, "2026-11-24", f"f{seed}"), to_file(told))
