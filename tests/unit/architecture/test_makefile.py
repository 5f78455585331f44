"""`make help` shows every target, and fits a screen of 24 lines and 80 columns."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LINES, COLUMNS = 24, 80


def test_help_lists_every_target_on_one_screen() -> None:
    command = ["make", "--no-print-directory", "help"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert [line.split()[1] for line in lines] == targets
    assert len(lines) < LINES
    assert [line for line in lines if len(line) > COLUMNS] == []
