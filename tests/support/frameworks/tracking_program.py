"""`python -I tracking_program.py TRAINING TRACK NAME RUN MODEL`: two epochs that are written down, by any Python.

TRAINING is the folder with `programs`. Prints JSON: the run, what was told, and the notes.
"""

import json
import sys
from pathlib import Path


def main(training: str, track: str, name: str, run: str, model: str) -> None:
    sys.path.append(training)
    from programs.tracking.journal import journal  # type: ignore[import-not-found]

    told: list[str] = []
    with journal(name, run, track, told.append) as log:
        log.params({"distill": {"epochs": 2, "temperature": 4.0}, "student": None})
        for epoch, loss in ((1, 0.5), (2, 0.25)):
            log.metric("student/loss", loss, epoch)
        log.digest("student", Path(model))
    print(json.dumps({"run": log.run, "told": told, "notes": log.notes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
