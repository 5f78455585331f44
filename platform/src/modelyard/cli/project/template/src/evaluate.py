"""Stage 3: how good the model is, and the rest of its entry.

entry/eval.npz         people it has not met, its answers to them, what is true, and their groups
entry/MODEL_CARD.md    for people
entry/modelyard.yaml   for the registry; the version is a digest of all the other files, so that the same training
                       is the same version wherever it runs, and another one never takes its place
metrics.json           for `dvc metrics diff` and tests/test_model.py
"""

import hashlib
import json
from typing import Any

import joblib
import numpy as np
import pandas as pd
import yaml
from card import CARD_TEXT, table
from columns import CATEGORIES, EARNS_MORE, FEATURES, INCOMES, NUMBERS
from course import CARD, DESCRIPTION, ESTIMATOR, EVALUATION, METRICS, TEST, TRAIN, parameters, read_people
from groups import disparities, group_columns, slices
from sklearn.metrics import roc_auc_score


def main() -> None:
    """Writes all four."""
    settings, people = parameters(), read_people(TEST)
    model = joblib.load(ESTIMATOR)
    called, probabilities = model.predict(people[FEATURES]), model.predict_proba(people[FEATURES])
    bias = disparities(people, called, settings["evaluate"]["tau"])
    metrics = {
        "accuracy": float((called == people[EARNS_MORE]).mean()),
        "roc_auc": float(roc_auc_score(people[EARNS_MORE], probabilities[:, 1])),
        "positive_rate": float(called.mean()),
    }
    np.savez_compressed(EVALUATION, allow_pickle=False, **evaluation(people, called, probabilities))
    CARD.write_text(card(settings, model, metrics, slices(people, called, probabilities[:, 1]), bias))
    described = description(settings, metrics)
    DESCRIPTION.write_text(yaml.safe_dump(described | {"version": version(described)}, sort_keys=False))
    unfair = bias[bias["verdict"] == "unfair"]
    told = [f"{row.group}: {row.rate} {row.ratio:.2f} of {row.against}" for row in unfair.itertuples()]
    METRICS.write_text(json.dumps(metrics | {"unfair": told}, indent=2) + "\n")
    print(", ".join(f"{name} {value:.3f}" for name, value in metrics.items()), f"unfair ratios {len(told)}", sep=", ")


def evaluation(people: pd.DataFrame, called: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of eval.npz: an input of the model is a column [people, 1]."""
    inputs = {name: people[[name]].to_numpy(np.float32) for name in NUMBERS}
    inputs |= {name: people[[name]].to_numpy(str) for name in CATEGORIES}
    outputs = {"label": called.astype(np.int64), "probabilities": probabilities.astype(np.float32)}
    groups = group_columns(people)
    return {
        **{f"input:{name}": array for name, array in inputs.items()},
        **{f"output:{name}": array for name, array in outputs.items()},
        **{f"slice:{name}": groups[name].to_numpy(str) for name in groups},
        "labels": people[EARNS_MORE].to_numpy(np.int64),
    }


def description(settings: dict[str, Any], metrics: dict[str, float]) -> dict[str, Any]:
    """modelyard.yaml without its version; `modelyard lineage` goes back to the data by it."""
    digest = hashlib.sha256(TRAIN.read_bytes()).hexdigest()
    data = {"reference": settings["data"]["source"], "digest": f"sha256:{digest}", "description": origin(settings)}
    return {
        "name": settings["name"],
        "framework": "scikit-learn",
        "task": "tabular-classification",
        "labels": [*INCOMES],
        "metrics": {name: round(value, 4) for name, value in metrics.items()},
        "trainingData": data,
        "licence": "Apache-2.0",
    }


def version(described: dict[str, Any]) -> str:
    """Ten hex digits of all that is pushed under it."""
    whole = hashlib.sha256(json.dumps(described).encode())
    for file in (ESTIMATOR, EVALUATION, CARD):
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:10]


def card(
    settings: dict[str, Any], model: Any, metrics: dict[str, float], by_slice: pd.DataFrame, bias: pd.DataFrame
) -> str:
    """The text of MODEL_CARD.md."""
    trees, tau = model[-1], settings["evaluate"]["tau"]
    return CARD_TEXT.format(
        name=settings["name"],
        features=", ".join(f"`{name}`" for name in FEATURES),
        training=f"{trees.n_estimators} trees of depth {trees.max_depth}",
        data=origin(settings),
        figures=table(pd.DataFrame([metrics])),
        slices=table(by_slice),
        tau=tau,
        most=1 / tau,
        disparities=table(bias),
    )


def origin(settings: dict[str, Any]) -> str:
    """Where the people come from, in words."""
    data = settings["data"]
    if data["source"] != "synthetic":
        return f"UCI Adult (Census Income, 1994, CC BY 4.0) from {data['source']}: adult.data, judged on adult.test"
    others = f"{data['held_out']} others of seed {data['seed'] + 1}"
    return f"{data['people']} synthetic people of seed {data['seed']} (src/synthetic.py), judged on {others}"


if __name__ == "__main__":
    main()
