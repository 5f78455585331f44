"""What the kubelet changes on the host is put back, and only that."""

from pathlib import Path

import pytest

from localcluster.node import host

BEFORE = {"vm/overcommit_memory": "0", "kernel/panic": "1", "kernel/panic_on_oops": "0", host.INOTIFY: "128"}


@pytest.fixture
def system(tmp_path: Path) -> Path:
    root = tmp_path / "sys"
    for name, value in BEFORE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{value}\n")
    return root


def test_values_changed_by_the_kubelet_are_written_back(system: Path, tmp_path: Path):
    memory = tmp_path / "state" / "host.json"
    host.remember(memory, system)
    (system / "vm/overcommit_memory").write_text("1\n")
    (system / "kernel/panic").write_text("10\n")
    host.restore(memory, host.WRITTEN_BY_KUBELET, system)
    assert {name: host.settings(system)[name] for name in BEFORE} == BEFORE


def test_inotify_stays_raised_until_the_cluster_goes_down(system: Path, tmp_path: Path):
    memory = tmp_path / "host.json"
    host.remember(memory, system)
    host.allow_inotify(system)
    host.restore(memory, host.WRITTEN_BY_KUBELET, system)
    assert host.settings(system)[host.INOTIFY] == str(host.INOTIFY_NEEDED)
    host.restore(memory, (host.INOTIFY,), system)
    assert host.settings(system)[host.INOTIFY] == "128"


def test_a_second_start_does_not_take_changed_values_for_the_host_s(system: Path, tmp_path: Path):
    memory = tmp_path / "host.json"
    host.remember(memory, system)
    (system / "kernel/panic").write_text("10\n")
    host.remember(memory, system)
    host.restore(memory, host.WRITTEN_BY_KUBELET, system)
    assert host.settings(system)["kernel/panic"] == "1"


def test_a_higher_inotify_limit_of_the_host_is_left_alone(system: Path):
    (system / host.INOTIFY).write_text("65536")
    host.allow_inotify(system)
    assert host.settings(system)[host.INOTIFY] == "65536"


def test_nothing_is_restored_when_nothing_was_remembered(system: Path, tmp_path: Path):
    (system / "kernel/panic").write_text("10")
    host.restore(tmp_path / "none.json", host.WRITTEN_BY_KUBELET, system)
    assert host.settings(system)["kernel/panic"] == "10"


@pytest.mark.parametrize("unified", [True, False])
def test_cgroups_of_a_further_node_lie_below_the_first_s_and_may_use_what_it_may(
    unified: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Plain folders in place of cgroups: what the kernel puts into a new one is put there beforehand."""
    monkeypatch.setattr(host, "CGROUPS", tmp_path)
    monkeypatch.setattr(host, "unified", lambda: unified)
    monkeypatch.setattr(host, "_hierarchies", lambda: [tmp_path])
    folders = [tmp_path, tmp_path / "modelyard", tmp_path / "modelyard" / "node-2"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "cpuset.cpus").write_text("0-1" if folder == tmp_path else "")
        (folder / "cgroup.controllers").write_text("cpu memory")

    host.make_cgroups("/modelyard/node-2")

    if unified:
        assert [(folder / "cgroup.subtree_control").read_text() for folder in folders] == ["+memory"] * 3
    else:
        assert [(folder / "cpuset.cpus").read_text() for folder in folders] == ["0-1"] * 3
