"""`bytecode.py MODULE ...`: writes the bytecode of what Modelyard uses, by importing it.

A container cannot write it, and compiling every file of every package takes minutes of which most are never used.
The MODULEs are those that Modelyard imports only when they are needed.
"""

import importlib
import pkgutil
import sys


def main(names: list[str]) -> None:
    """Imports every module of Modelyard whose packages are there, and `names`; those must be."""
    sys.dont_write_bytecode = False  # Triton's image, on which the builder's is made, forbids it
    package = importlib.import_module("modelyard")
    for module in pkgutil.walk_packages(package.__path__, "modelyard.", onerror=lambda _: None):
        try:
            importlib.import_module(module.name)
        except ImportError as missing:
            print(f"{module.name} is left out: {missing}")
    for name in names:
        importlib.import_module(name)


if __name__ == "__main__":
    main(sys.argv[1:])
