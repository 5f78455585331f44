"""How much memory there is: what the container may use, where there is a limit, and what caches hold is free."""

from pathlib import Path

import pytest

from modelyard.builder.inference import sandbox
from modelyard.builder.inference.sandbox import memory_left, memory_limit

MIB = 1 << 20


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files Linux shows inside a container with a limit of 64 MiB."""
    monkeypatch.setattr(sandbox, "_CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{64 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{40 * MIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon {30 * MIB}\ninactive_file {10 * MIB}\nactive_file 0\n")
    return tmp_path


@pytest.mark.usefixtures("container")
def test_a_containers_limit_counts_and_not_the_machines_memory() -> None:
    assert memory_limit() == 64 * MIB
    assert memory_left() == 34 * MIB


@pytest.mark.parametrize("limit", ["max\n", ""])
def test_without_a_limit_it_is_the_machines(container: Path, limit: str) -> None:
    (container / "memory.max").write_text(limit)

    total = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    assert memory_limit() == int(total.split()[1]) * 1024
    assert 64 * MIB < memory_left() < memory_limit()


def test_outside_of_any_cgroup_it_is_the_machines(container: Path) -> None:
    for file in container.iterdir():
        file.unlink()

    assert memory_limit() > 64 * MIB
    assert memory_left() > 64 * MIB
