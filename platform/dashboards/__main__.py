"""`python -m dashboards [--check]`: writes every dashboard, or exits with 1 when one is not as it would be written."""

import sys
from pathlib import Path

from dashboards import data, fleet, model, operator, rollout
from dashboards.panels import text_of

FOLDER = Path(__file__).resolve().parents[2] / "charts" / "modelyard" / "files" / "dashboards"
MADE = {each.NAME: each.dashboard for each in (fleet, model, rollout, data, operator)}


def main(check: bool) -> int:
    """The exit code."""
    stale = 0
    for name, made in MADE.items():
        file, text = FOLDER / f"{name}.json", text_of(made())
        if file.is_file() and file.read_text() == text:
            continue
        if check:
            print(f"{file.name} is not what its code makes: run `make generate` and commit the result.")
            stale = 1
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            print(f"wrote {file.name}")
    return stale


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
