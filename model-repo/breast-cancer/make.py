"""Makes breast-cancer 1 from scikit-learn's data: `.venv/bin/python model-repo/breast-cancer/make.py`.

A scaled logistic regression, converted with skl2onnx. A stratified quarter of the data is held out and is eval.npz.
"""

# ruff: noqa: E402  (what follows environment.enter() exists only in the training environment)

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import environment

environment.enter()

import entry_folder
import numpy as np
from scikit_onnx import converted
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEED = 2026
FOLDER = Path(__file__).resolve().parent / "1"
DESCRIPTION = {
    "framework": "scikit-learn",
    "task": "tabular-classification",
    "inputs": [
        {"name": "input", "datatype": "FP32", "shape": [-1, 30], "description": "measurements in the data's order"}
    ],
    "outputs": [
        {"name": "label", "datatype": "INT64", "shape": [-1], "description": "the likelier class"},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2], "description": "one a class, sum 1"},
    ],
    "labels": ["malignant", "benign"],
    "trainingData": {
        "reference": "scikit-learn, load_breast_cancer (UCI Breast Cancer Wisconsin, Diagnostic)",
        "description": "a stratified three quarters with seed 2026; the rest is held out",
    },
    "licence": "Apache-2.0",
}


def main() -> None:
    """Train, convert, measure and write the entry."""
    measured, truth = (np.asarray(array) for array in load_breast_cancer(return_X_y=True))
    parts = train_test_split(
        measured.astype(np.float32), truth.astype(np.int64), test_size=0.25, stratify=truth, random_state=SEED
    )
    known, held_out, known_labels, labels = (np.asarray(part) for part in parts)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000)).fit(known, known_labels)
    entry_folder.write_model(FOLDER, converted(classifier, "breast-cancer", 30, entry_folder.OPSET))
    expected = {
        "label": classifier.predict(held_out).astype(np.int64),
        "probabilities": classifier.predict_proba(held_out).astype(np.float32),
    }
    answered = entry_folder.write_eval(FOLDER, {"input": held_out}, expected, labels)
    malignant = labels == 0
    metrics = {
        "accuracy": (answered["label"] == labels).mean(),
        "malignantRecall": (answered["label"][malignant] == 0).mean(),
        "rocAuc": roc_auc_score(labels, answered["probabilities"][:, 1]),
        "samples": len(labels),
    }
    entry_folder.write_description(FOLDER, DESCRIPTION, metrics)


if __name__ == "__main__":
    main()
