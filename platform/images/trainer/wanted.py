"""`wanted.py PYPROJECT`: what the extra `torch` asks for, a line each, without what Modelyard itself needs."""

import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
    print("\n".join(project["optional-dependencies"]["torch"]))
