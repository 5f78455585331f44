"""Which programs are built together, and under which digest they are kept."""

from pathlib import Path

import pytest

from localcluster.node.components import Component
from localcluster.node.control import control_plane, node_parts
from localcluster.node.members import FIRST
from localcluster.paths import Paths, default
from localcluster.programs import binaries, changes
from localcluster.programs.binaries import (
    COLLECTOR,
    ENOUGH_MEMORY,
    FLAGS,
    KUBERNETES,
    Build,
    available_memory,
    builds,
    collection,
    digest,
)
from localcluster.steps.task import Task


def test_a_build_is_kept_under_module_flags_programs_names_and_go_version():
    plain = builds()["keda"]
    digests = {
        digest(plain, "go1.26.8"),
        digest(plain, "go1.27.0"),
        digest(Build("keda", {"keda-operator": "./cmd/operator"}, "keda"), "go1.26.8"),
        digest(Build("keda", plain.programs, "keda", tags="x"), "go1.26.8"),
        digest(Build("keda", plain.programs, "prometheus"), "go1.26.8"),
        digest(Build("keda", plain.programs, "keda", names={"other": "keda-operator"}), "go1.26.8"),
        digest(Build("keda", plain.programs, "keda", added={"ui/index.html": "<p>"}), "go1.26.8"),
        digest(Build("keda", plain.programs), "go1.26.8"),
        digest(Build("keda", plain.programs, folder=COLLECTOR), "go1.26.8"),
    }
    assert len(digests) == 9


def test_a_change_to_a_module_gives_the_builds_that_read_it_a_new_digest(monkeypatch):
    before = {name: digest(build, "go1.26.8") for name, build in builds().items()}
    monkeypatch.setattr(changes, "CHANGES", changes.CHANGES[1:])
    after = {name: digest(build, "go1.26.8") for name, build in builds().items()}
    assert {name for name in before if before[name] != after[name]} == {"serving"}


def test_the_control_plane_is_built_first_and_without_debugging_information():
    assert next(iter(builds())) == "kubernetes"
    assert "-gcflags=all=-dwarf=false" in FLAGS
    assert "gitVersion=v1." in builds()["kubernetes"].linker_flags


def test_every_program_that_the_node_starts_is_a_name_of_the_one_program():
    started: list[Component] = [*control_plane(default()), *node_parts(default(), FIRST, 1)]
    assert {component.name for component in started} == set(KUBERNETES)
    assert set(builds()["kubernetes"].names) == set(KUBERNETES)


def test_compilers_do_without_garbage_collection_only_where_memory_allows():
    assert collection(ENOUGH_MEMORY)["GOGC"] == "off"
    assert collection(ENOUGH_MEMORY - 1) == {}


def test_the_memory_that_is_available_is_read_in_bytes():
    assert available_memory("MemFree: 1 kB\nMemAvailable:   18687000 kB\n") == 18687000 * 1024
    assert available_memory("nothing of the kind") == 0
    assert available_memory() > 0


def test_a_module_that_lacks_files_is_built_in_a_copy_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    where, build = Paths(tmp_path / "home", tmp_path / "cache"), builds()["alertmanager"]
    original = tmp_path / "module"
    (original / "ui").mkdir(parents=True)
    (original / "go.mod").write_text("module m")
    (original / "ui" / "web.go").write_text("package ui")
    for file in (original / "go.mod", original / "ui"):
        file.chmod(0o555)
    monkeypatch.setattr(binaries, "source", lambda *_: original)

    folder = binaries.folder_of(where, Task(tmp_path / "log"), build)

    assert (folder / "ui" / "web.go").read_text() == "package ui"
    assert (folder / "go.mod").stat().st_mode & 0o200
    assert {name: (folder / name).read_text() for name in build.added} == build.added
    assert not (original / "ui" / "app").exists()
    assert binaries.folder_of(where, Task(tmp_path / "log"), build) == folder
    assert binaries.folder_of(where, Task(tmp_path / "log"), builds()["promtool"]) == original
    assert binaries.folder_of(where, Task(tmp_path / "log"), builds()["kubernetes"]) == binaries.JOINT
    assert binaries.folder_of(where, Task(tmp_path / "log"), builds()["opentelemetry-collector"]) == COLLECTOR
