"""Stage 2: the model, as entry/model.joblib. `modelyard push` makes it ONNX and holds that to this one's answers.

With TRACK=mlflow, wandb or tensorboard the training is written down there too (tracking.py).
"""

import hashlib

import joblib
from columns import CATEGORIES, EARNS_MORE, FEATURES, NUMBERS
from course import ESTIMATOR, TRAIN, parameters, read_people
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tracking import wanted, write_down


def untrained(n_estimators: int, max_depth: int, subsample: float, seed: int) -> Pipeline:
    """Numbers as they are, categories one-hot; one that it does not know is all zeros."""
    known = [list(names) for names in CATEGORIES.values()]
    words = OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", "passthrough", [*NUMBERS]), ("words", words, [*CATEGORIES])])
    boosting = GradientBoostingClassifier(
        n_estimators=n_estimators, max_depth=max_depth, subsample=subsample, random_state=seed
    )
    return make_pipeline(columns, boosting)


def main() -> None:
    """The same data, parameters and packages give the same file."""
    tracker, settings = wanted(), parameters()
    people = read_people(TRAIN)
    model = untrained(**settings["train"]).fit(people[FEATURES], people[EARNS_MORE])
    ESTIMATOR.parent.mkdir(exist_ok=True)
    joblib.dump(model, ESTIMATOR)
    digest = f"sha256:{hashlib.sha256(ESTIMATOR.read_bytes()).hexdigest()}"
    write_down(tracker, settings["name"], settings["train"], model[-1].train_score_.tolist(), digest)
    print(f"{ESTIMATOR}: learned from {len(people)} people")


if __name__ == "__main__":
    main()
