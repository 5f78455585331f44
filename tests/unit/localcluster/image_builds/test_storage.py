"""Layers of old builds go, layers that make the next build quick stay."""

import datetime
import json
from pathlib import Path

from localcluster.image_builds.storage import building, layers_in, prune, remember, unused
from localcluster.steps.task import Task

NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
OUTPUT = """\
STEP 1/3: FROM docker.io/library/debian:bookworm-slim
STEP 2/3: RUN apt-get update
--> Using cache 2d551dc86a1063a415f07391b4efa69233bdf9de170034d9d431856c0c79c2f2
--> 2d551dc86a1
STEP 3/3: COPY src src
--> e1c2e54b2d5
"""


def image(identity: str, hours: float, *names: str) -> dict:
    created = NOW - datetime.timedelta(hours=hours)
    return {"id": identity, "names": list(names) or None, "created": int(created.timestamp())}


def test_the_layers_of_a_build_are_those_it_reused_and_those_it_made():
    assert layers_in(OUTPUT) == {"2d551dc86a1", "e1c2e54b2d5"}


def test_a_nameless_layer_that_no_latest_build_used_is_removed_youngest_first():
    images = [image("aaaaaaaaaaaa", 3), image("bbbbbbbbbbbb", 2)]
    assert unused(images, set(), NOW) == ["bbbbbbbbbbbb", "aaaaaaaaaaaa"]


def test_named_used_and_young_images_stay():
    images = [
        image("aaaaaaaaaaaa", 3, "docker.io/modelyard/operator:0.1.0"),
        image("bbbbbbbbbbbb", 3),
        image("cccccccccccc", 0.5),
    ]
    assert unused(images, {"bbbbbbbbbbb"}, NOW) == []


def buildah_that_lists(folder: Path, images: list[dict]) -> list[str]:
    """A program in buildah's place: lists these images, and writes down what it is to remove."""
    program = folder / "lister"
    listing = f"echo '{json.dumps(images)}'"
    program.write_text(f'#!/bin/sh\nif [ "$1" = rmi ]; then shift; echo "$@" > {folder}/removed; else {listing}; fi\n')
    program.chmod(0o755)
    return [str(program)]


def test_nothing_is_removed_while_anybody_builds(tmp_path: Path) -> None:
    layers = tmp_path / "buildah" / "layers"
    buildah = buildah_that_lists(tmp_path, [image("aaaaaaaaaaaa", 24 * 365)])
    remember(layers, "operator", OUTPUT)

    with building(layers), building(layers):
        prune(Task(tmp_path / "log"), buildah, layers)
    assert not (tmp_path / "removed").exists()

    prune(Task(tmp_path / "log"), buildah, layers)
    assert (tmp_path / "removed").read_text().split() == ["aaaaaaaaaaaa"]
