"""`modelyard report NAME`: what the optimization of a Model found, from the store; or of a folder `optimize` wrote.

builds/<digest>/optimization/report.json, report.html, *.png      of a Model's optimized build
FOLDER/report.json, report.html, *.png                            the same, on this machine
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Namespace, Shown

if TYPE_CHECKING:
    from modelyard.api.model import Model
    from modelyard.api.optimization import Optimization
    from modelyard.core.storage.object_store import Store

_JSON, _HTML = "report.json", "report.html"
_SUFFIXES = (".json", ".html", ".png")


@dataclass(frozen=True)
class Files:
    """A report with its files: content by name."""

    contents: Mapping[str, bytes]

    def report(self) -> "Optimization":
        """The content of report.json; raises InvalidInput when it is missing or no report."""
        from pydantic import ValidationError

        from modelyard.api.optimization import Optimization
        from modelyard.errors import InvalidInput

        try:
            return Optimization.model_validate_json(self.contents[_JSON])
        except (KeyError, ValidationError) as bad:
            raise InvalidInput(f"{_JSON} is missing or is no report of an optimization; optimize again.") from bad

    def write(self, folder: Path) -> Path:
        """Writes all files into `folder`, which is made; returns the page's path."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            (folder / name).write_bytes(content)
        return folder / _HTML


def report(
    what: Annotated[
        str, typer.Argument(metavar="NAME|FOLDER", help="A Model, or a folder `modelyard optimize` wrote.")
    ],
    namespace: Namespace = "",
    folder: Annotated[Path | None, typer.Option("--out", help="Folder to copy page, pictures and JSON into.")] = None,
    show_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Show what the optimization of a Model tried, measured and chose."""
    from .optimize_view import verdict

    files = local(Path(what)) if Path(what, _JSON).is_file() else _of_model(what, namespace)
    optimization = files.report()
    if folder is not None:
        say(f"{files.write(folder)} and {len(files.contents) - 1} files beside it")
    if show_page:
        page = files.write(folder or Path(tempfile.mkdtemp(prefix="modelyard-report-")))
        say(f"opening {page}")
        typer.launch(page.absolute().as_uri())
    if output is not Output.TABLE:
        dump(optimization.model_dump(mode="json", by_alias=True, exclude_none=True), output)
    else:
        verdict(optimization, out())


def local(folder: Path) -> Files:
    """The report in a folder of this machine."""
    return Files({path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES})


def stored(store: "Store", digest: str) -> Files | None:
    """The report of the optimized build with that digest; None when the store has none."""
    from modelyard.core.storage.keys import build_optimization

    prefix = build_optimization(digest, "")
    names = [item.key.removeprefix(prefix) for item in store.list(prefix)]
    plain = [name for name in names if "/" not in name and name.endswith(_SUFFIXES)]
    contents = {name: store.get(prefix + name) for name in plain}
    return Files({name: content for name, content in contents.items() if content is not None}) if plain else None


def of_model(model: "Model", open_store: Callable[[], "Store"]) -> Files:
    """The report on a Model's optimization; raises InvalidModel when there is none, or none yet."""
    from modelyard.errors import InvalidModel

    status, which = model.status.optimization, f"{model.name} in namespace {model.namespace}"
    if status is None:
        raise InvalidModel(f"{which} is not optimized: add `optimize: {{}}` to its spec.")
    files = stored(open_store(), status.digest)
    if files is None:
        raise InvalidModel(
            f"there is no report on {which} yet: {status.failure or status.message or 'it begins soon.'}"
        )
    return files


def _of_model(name: str, namespace: str) -> Files:
    from modelyard.api.model import Model
    from modelyard.cli.connection import open_store
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.models import read

    models = read(Cluster(access()), namespace or current_namespace(), name)
    return of_model(Model.of(models[0]), open_store)
