"""buildah's storage: kept from growing with every rebuild.

Every build leaves layers without a name. Those that the latest build of some Dockerfile used make its next build
quick and are kept; the ids are read from what that build printed. The others go once they are an hour old: a build
that runs just now may have made a younger one.
"""

import contextlib
import datetime
import fcntl
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from localcluster.steps.task import Task

_ID = re.compile(r"^--> (?:Using cache )?([0-9a-f]{11,64})\b", re.MULTILINE)
_LOCK = "storage.lock"
_SHORT = 11
_OLD_ENOUGH = datetime.timedelta(hours=1)


def layers_in(output: str) -> set[str]:
    """Ids, eleven digits each, of the layers a build said it used or made."""
    return {found[:_SHORT] for found in _ID.findall(output)}


def unused(images: Iterable[dict[str, Any]], used: set[str], now: datetime.datetime) -> list[str]:
    """Ids of nameless images that no latest build used, youngest first: children before what they stand on."""
    old = [
        image
        for image in images
        if not image["names"]
        and image["id"][:_SHORT] not in used
        and now - datetime.datetime.fromtimestamp(image["created"], datetime.UTC) > _OLD_ENOUGH
    ]
    return [image["id"] for image in sorted(old, key=lambda image: image["created"], reverse=True)]


def remember(folder: Path, name: str, output: str) -> None:
    """Note which layers the latest build of an image used."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(sorted(layers_in(output))))


def prune(task: Task, buildah: list[str], folder: Path) -> None:
    """Remove layers that no latest build used; what another one stands on is refused by buildah and stays.

    While anybody builds nothing is removed, and the build that ends last removes what is left: buildah gives up when
    a layer goes that it has just listed.
    """
    with (folder.parent / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        used = {line for note in folder.iterdir() for line in note.read_text().split()}
        images = json.loads(task.run(*buildah, "images", "-a", "--json"))
        gone = unused(images, used, datetime.datetime.now(datetime.UTC))
        if gone:
            task.succeeds(*buildah, "rmi", *gone)


@contextlib.contextmanager
def building(folder: Path) -> Iterator[None]:
    """Holds off `prune`, in every process that shares this storage, while a build reads and writes its layers."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / _LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
