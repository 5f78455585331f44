"""Estimators of LightGBM in skops' files, as `mlflow.lightgbm.log_model` keeps them, and what they answer."""

import subprocess
import sys
from pathlib import Path

from .trained import site

_PROGRAM = """
import sys
sys.path.append(sys.argv[3])
import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor, early_stopping
from skops import io

rows, folder = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1), sys.argv[2]
yes, rows = rows[:, 0].astype(int), rows[:, 1:]
tiny = {"n_estimators": 6, "min_child_samples": 3, "verbose": -1, "n_jobs": 1}
made = {
    "regressor": LGBMRegressor(**tiny).fit(rows, rows[:, 0]),
    "classifier": LGBMClassifier(**tiny).fit(rows, yes),
    "named": LGBMClassifier(**tiny).fit(rows, np.where(yes == 1, "good", "bad")),
    "early": LGBMClassifier(**{**tiny, "n_estimators": 40}).fit(
        rows, yes, eval_set=[(rows, 1 - yes)], callbacks=[early_stopping(2, verbose=False)]
    ),
}
for name, model in made.items():
    io.dump(model, f"{folder}/{name}.skops")
    np.save(f"{folder}/{name}.npy", model.predict(rows) if name == "regressor" else model.predict_proba(rows))
"""


def lightgbm_estimators(folder: Path, rows: Path) -> Path:
    """FOLDER with them, trained on the table `rows`, whose first column is the target.

    They are made where LightGBM lies behind our own packages, which have skops.
    """
    command = [sys.executable, "-c", _PROGRAM, str(rows), str(folder), str(site("lightgbm"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder
