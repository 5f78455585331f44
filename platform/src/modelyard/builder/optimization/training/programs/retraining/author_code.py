"""A Python file of an entry's training folder, imported with its neighbours within reach."""

import importlib.util
import sys
from pathlib import Path
from typing import Any


def imported(path: Path) -> Any:
    """The file as a module, with its folder on the path for what it imports from its neighbours; run once."""
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def called(folder: Path, named: str, *arguments: Any, **options: Any) -> Any:
    """What FILE.py:NAME of the folder gives; ValueError when there is nothing of that name to call."""
    file, _, name = named.partition(":")
    module = imported(folder / file)
    if not callable(getattr(module, name, None)):
        raise ValueError(f"{file} has no {name} that can be called")
    return getattr(module, name)(*arguments, **options)
