"""Stage 2: the model, as entry/model.joblib. `modelyard push` makes it ONNX and holds that to this one's answers."""

import joblib
from columns import CATEGORIES, EARNS_MORE, FEATURES, NUMBERS
from course import ESTIMATOR, TRAIN, parameters, read_people
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder


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
    people = read_people(TRAIN)
    model = untrained(**parameters()["train"]).fit(people[FEATURES], people[EARNS_MORE])
    ESTIMATOR.parent.mkdir(exist_ok=True)
    joblib.dump(model, ESTIMATOR)
    print(f"{ESTIMATOR}: learned from {len(people)} people")


if __name__ == "__main__":
    main()
