"""What the program `modelyard` starts: the command line, or a sentence where only the Python client is installed."""

import sys
from typing import NoReturn

_REQUEST_HAS_TO_CHANGE = 2


def run() -> NoReturn:
    """The program; exit codes are those of `modelyard.cli.main`."""
    try:
        from modelyard.cli.main import run as command_line
    except ModuleNotFoundError as missing:
        print(f"the command needs the package {missing.name}: pip install 'modelyard[cli]'.", file=sys.stderr)
        sys.exit(_REQUEST_HAS_TO_CHANGE)
    command_line()
