"""Stage 1: the people to learn from and the people to judge by, as data/train.csv and data/test.csv."""

import sys

from adult import read_adult
from course import TEST, TRAIN, parameters
from synthetic import synthetic_people


def main() -> None:
    """Writes both; ends with a sentence when the real files are not there or not in their format."""
    data = parameters()["data"]
    if data["source"] == "synthetic":
        known = synthetic_people(data["people"], data["seed"])
        held_out = synthetic_people(data["held_out"], data["seed"] + 1)
    else:
        try:
            known, held_out = (read_adult(f"{data['source'].rstrip('/')}/adult.{part}") for part in ("data", "test"))
        except (OSError, ValueError) as bad:
            sys.exit(str(bad))
    TRAIN.parent.mkdir(exist_ok=True)
    known.to_csv(TRAIN, index=False)
    held_out.to_csv(TEST, index=False)
    print(f"{len(known)} people to learn from, {len(held_out)} to judge by")


if __name__ == "__main__":
    main()
