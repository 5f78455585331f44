"""`modelyard restore DIR`: entries and aliases first, then the Models that ask for them.

Everything is checked before anything is written: the files against their digests, the store for other entries of the
same name, the cluster for the namespaces and whether it takes the Models. What is there already stays as it is, so that
a restore that was stopped is begun again, and one on a living cluster harms nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from modelyard.api.model import KIND
from modelyard.cli.connection import open_store
from modelyard.cli.terminal.console import Output, dump, out, say
from modelyard.cli.terminal.options import Shown
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from modelyard.core.storage.yaml_text import parse_yaml
from modelyard.errors import Conflict, InvalidEntry, InvalidInput
from modelyard.registry.backup import load

from .backup import ABOUT, FORMAT, MODELS


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder that `modelyard backup` wrote.")],
    models_only: Annotated[
        bool, typer.Option("--models-only", help="Leave out entries and aliases: the bucket has them.")
    ] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Bring back Models, entries and aliases from a backup; what is there already stays as it is."""
    models = _models(folder)
    cluster = Cluster(access())
    _check_namespaces(cluster, {model["metadata"]["namespace"] for model in models})
    for model in models:
        _created(cluster, model, dry_run=True)
    told: dict[str, list[str]] = {}
    if not models_only:
        say("restoring entries and aliases")
        restored = load(open_store(), folder)
        told |= {name: list(names) for name, names in restored._asdict().items()}
    told["models"], told["modelsPresent"] = [], []
    for model in models:
        metadata = model["metadata"]
        where = "models" if _created(cluster, model) else "modelsPresent"
        told[where].append(f"{metadata['namespace']}/{metadata['name']}")
    if output is not Output.TABLE:
        dump(told, output)
        return
    for name, sentence in _SENTENCES.items():
        if told.get(name):
            out().print(f"{sentence}: {', '.join(told[name])}", markup=False, soft_wrap=True)


_SENTENCES = {
    "entries": "entries restored",
    "present": "entries that were there already",
    "aliases": "aliases as in the backup",
    "moved": "aliases that stand for another version here, and stay so",
    "models": "Models restored",
    "modelsPresent": "Models that were there already, and stay as they are",
}


def _models(folder: Path) -> list[Mapping[str, Any]]:
    """Raises InvalidInput for a folder that is no backup of this format."""
    about = parse_yaml((folder / ABOUT).read_bytes(), ABOUT) if (folder / ABOUT).is_file() else None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise InvalidInput(f"{folder} is no backup of format {FORMAT}: name a folder that `modelyard backup` wrote.")
    documents = []
    for file in sorted((folder / MODELS).glob("*/*.yaml")):
        document = parse_yaml(file.read_bytes(), str(file))
        if not isinstance(document, dict) or document.get("kind") != KIND:
            raise InvalidEntry(f"{file} is no Model: correct it, or take it out.")
        documents.append(document)
    return documents


def _check_namespaces(cluster: Cluster, namespaces: set[str]) -> None:
    missing = sorted(name for name in namespaces if cluster.get(Ref("Namespace", "", name)) is None)
    if missing:
        words = " ".join(f"kubectl create namespace {name};" for name in missing).rstrip(";")
        raise InvalidInput(f"namespaces of Models are missing, and nothing was restored: {words}, and repeat.")


def _created(cluster: Cluster, model: Mapping[str, Any], *, dry_run: bool = False) -> bool:
    """Whether the Model was made, or could be; False when there is one of its name."""
    try:
        cluster.create(model, dry_run=dry_run)
    except Conflict:
        return False
    return True
