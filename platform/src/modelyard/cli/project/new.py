"""`modelyard new NAME`: a repository for one model, from the folder `template` beside this file.

The template runs as it lies there, under the name census-income; a new repository is a copy under a name of its own.
`dot-github` becomes `.github`: under their real names git and the builder of the wheel would take the template's rules
for theirs.
"""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.terminal.console import out
from modelyard.errors import InvalidInput

TEMPLATE = Path(__file__).parent / "template"
NAME_THERE = "census-income"
_DOT = "dot-"
_COMPILED = "__pycache__"
_NAME = re.compile(r"(?!.*--)[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def new(
    name: Annotated[str, typer.Argument(help="Name of the entry and of the Model.")],
    path: Annotated[Path | None, typer.Option(help="Folder that is made; ./NAME by default.")] = None,
) -> None:
    """Make a repository for a model: data, training, tests, a signed entry, a Model and its workflows."""
    folder = path or Path(name)
    made = write_repository(name, folder)
    console = out()
    console.print(f"{folder} has {len(made)} files. What to do next:", markup=False, soft_wrap=True)
    steps = (f"cd {folder} && git init -b main && git add .", "make setup", "make train test", "make serve")
    for step in steps:
        console.print(f"  {step}", markup=False, soft_wrap=True)
    console.print("README.md goes on from there, to a store, a cluster and GitHub.", markup=False)


def write_repository(name: str, folder: Path) -> list[Path]:
    """Writes the template as `name` into `folder`, and returns the paths it made, relative to that.

    Raises InvalidInput when a Model cannot be called so, or the folder is there and not empty; nothing is written then.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name for a Model: use up to 40 lower-case letters, digits and single dashes."
        )
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InvalidInput(f"{folder} is there and not empty; name another folder with --path.")
    made = []
    for source in sorted(TEMPLATE.rglob("*")):
        place = source.relative_to(TEMPLATE)
        if source.is_dir() or _COMPILED in place.parts:
            continue
        target = Path(*(re.sub(f"^{_DOT}", ".", part) for part in place.parts))
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_text(source.read_text().replace(NAME_THERE, name))
        shutil.copymode(source, folder / target)
        made.append(target)
    return made
