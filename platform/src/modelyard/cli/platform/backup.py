"""`modelyard backup DIR`: what cannot be made again, as files; `restore.py` is the way back.

    DIR/backup.json                          format, time, version of Modelyard
    DIR/models/<namespace>/<name>.yaml       every Model, as somebody would apply it
    DIR/store/...                            entries and aliases (`registry.backup`)

Builds, revisions and routes are made again from these; recorded requests and keys are not in it.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml

from modelyard import __version__
from modelyard.cli.connection import open_store
from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Shown
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.models import manifest, read
from modelyard.errors import InvalidInput
from modelyard.registry.backup import save

FORMAT = 1
ABOUT = "backup.json"
MODELS = "models"


def backup(
    folder: Annotated[
        Path, typer.Argument(help="Folder that is written; an older backup in it is brought up to date.")
    ],
    models_only: Annotated[
        bool,
        typer.Option("--models-only", help="Leave out entries and aliases, where the bucket has copies of its own."),
    ] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Save Models, entries and aliases as files, to restore them on an empty cluster; keys are never in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / ABOUT).is_file():
        raise InvalidInput(f"{folder} has other files in it: name an empty folder, or one of an older backup.")
    documents = read(Cluster(access()), "", "")
    store = None if models_only else open_store()
    folder.mkdir(parents=True, exist_ok=True)
    _write_models(folder / MODELS, [manifest(document) for document in documents])
    if store is not None:
        say("copying entries and aliases")
    saved = save(store, folder) if store is not None else None
    entries, aliases = (saved.entries, saved.aliases) if saved else ((), ())
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"format": FORMAT, "time": moment, "modelyard": __version__}
    counts = {"models": len(documents), "entries": len(entries), "aliases": len(aliases)}
    (folder / ABOUT).write_text(json.dumps({**about, **counts}, indent=2) + "\n")
    if output is not Output.TABLE:
        dump({**about, **counts, "bytes": saved.bytes if saved else 0}, output)
        return
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    out().print(f"{folder} has {told}", markup=False, soft_wrap=True)


def _write_models(folder: Path, manifests: list[dict]) -> None:
    """A file a Model; files of Models that are gone go, too."""
    written = set()
    for document in manifests:
        metadata = document["metadata"]
        file = folder / metadata["namespace"] / f"{metadata['name']}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        written.add(file)
    for file in set(folder.glob("*/*.yaml")) - written:
        file.unlink()
