"""Makes census-income 1 and 2: `.venv/bin/python model-repo/census-income/make.py [--adult FOLDER]`.

Version 1 is gradient boosting, version 2 a multilayer perceptron on one-hot categories; both answer the same row of
ten numbers (features.py) with `label` and `probabilities`, and are judged by the groups of slices.py. The committed
versions know synthetic people only. With --adult they learn from FOLDER/adult.data and are judged on
FOLDER/adult.test, which are the real files and are not part of this repository.

HistGradientBoosting would train faster; skl2onnx 1.20 writes numpy booleans for it that onnx 1.23 refuses.
"""

# ruff: noqa: E402  (what follows environment.enter() exists only in the training environment)

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import environment

environment.enter()

import entry_folder
import numpy as np
import slices
import synthetic
from adult import CLASSES, People, read_adult
from features import CATEGORIES, NUMBERS, SEEN, codes, described, features
from scikit_onnx import converted
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from synthetic import HELD_OUT, KNOWN, SEED
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
SYNTHETIC = "model-repo/census-income/synthetic.py"


@dataclass(frozen=True)
class Data:
    """Who is learned from, who is judged on, and two sentences on where they come from."""

    known: People
    held_out: People
    reference: str
    description: str


def main() -> None:
    """Train, convert, measure and write both versions."""
    data = real(arguments().adult) if arguments().adult else made_up()
    with threadpool_limits(1):  # sums are added in one order
        for version, classifier in (("1", boosting()), ("2", perceptron())):
            write(HERE / version, classifier.fit(features(data.known), data.known.earns_more), data)


def made_up() -> Data:
    """Synthetic people, other ones to judge on."""
    return Data(
        synthetic.people(KNOWN, SEED),
        synthetic.people(HELD_OUT, SEED + 1),
        f"synthetic, {SYNTHETIC} (columns of UCI Adult, Census Income)",
        f"{KNOWN} people of seed {SEED}; held out are {HELD_OUT} others of seed {SEED + 1}",
    )


def real(folder: Path) -> Data:
    """The real files; ends with a sentence when they are not there or not in the format."""
    try:
        known, held_out = (read_adult(folder / name) for name in ("adult.data", "adult.test"))
    except (OSError, ValueError) as bad:
        sys.exit(str(bad))
    counts = f"{len(known)} people of adult.data; held out are the {len(held_out)} of adult.test"
    return Data(known, held_out, "UCI Adult (Census Income), 1994", counts)


def boosting() -> Pipeline:
    """Trees of depth 4; they split a category's codes like numbers."""
    return make_pipeline(GradientBoostingClassifier(n_estimators=120, max_depth=4, subsample=0.8, random_state=SEED))


def perceptron() -> Pipeline:
    """Scaled numbers and one-hot categories, where an unknown one is all zeros; one hidden layer of 32."""
    encoder = OneHotEncoder(
        categories=[codes(place) for place in CATEGORIES], handle_unknown="ignore", sparse_output=False
    )
    columns = ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("categories", encoder, CATEGORIES)])
    network = MLPClassifier((32,), alpha=1e-3, batch_size=128, max_iter=30, early_stopping=True, random_state=SEED)
    return make_pipeline(columns, network)


def write(folder: Path, classifier: Pipeline, data: Data) -> None:
    """One version: model, evaluation set, what a client needs to make a row, description and card."""
    rows, labels = features(data.held_out), data.held_out.earns_more
    entry_folder.write_model(folder, converted(classifier, "census-income", len(SEEN), entry_folder.OPSET))
    expected = {
        "label": classifier.predict(rows).astype(np.int64),
        "probabilities": classifier.predict_proba(rows).astype(np.float32),
    }
    groups = slices.slice_columns(data.held_out)
    answered = entry_folder.write_eval(folder, {"input": rows}, expected, labels, groups)
    called, score = answered["label"], answered["probabilities"][:, 1]
    (folder / "columns.json").write_text(json.dumps(described(), indent=1) + "\n")
    card = folder / "MODEL_CARD.md"
    entry_folder.write_part(card, "data", f"{data.reference}:\n{data.description}.")
    entry_folder.write_part(card, "slices", slices.table(slices.measured(groups, labels, called, score)))
    metrics = {
        "accuracy": (called == labels).mean(),
        "rocAuc": roc_auc_score(labels, score),
        "positiveRate": called.mean(),
        "samples": len(labels),
    }
    entry_folder.write_description(folder, description(data), metrics)


def description(data: Data) -> dict[str, Any]:
    """modelyard.yaml, but for name, version and figures."""
    return {
        "framework": "scikit-learn",
        "task": "tabular-classification",
        "inputs": [
            {
                "name": "input",
                "datatype": "FP32",
                "shape": [-1, len(SEEN)],
                "description": f"{', '.join(SEEN)}; categories as their place in columns.json, -1 unknown",
            }
        ],
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [-1], "description": "the likelier class"},
            {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": [-1, len(CLASSES)],
                "description": "one a class, sum 1",
            },
        ],
        "labels": list(CLASSES),
        "trainingData": {"reference": data.reference, "description": data.description},
        "licence": "Apache-2.0",
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Makes census-income 1 and 2.")
    parser.add_argument("--adult", type=Path, metavar="FOLDER", help="learn from the real adult.data and adult.test")
    return parser.parse_args()


if __name__ == "__main__":
    main()
