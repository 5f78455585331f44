"""The packages of the extra `gpu`: the versions of everything else, and never two onnxruntimes in one place."""

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from modelyard.installation import find_uv

ROOT = Path(__file__).resolve().parents[3]
PLATFORM = ROOT / "platform"
DOCKERFILE = (PLATFORM / "images" / "builder-gpu" / "Dockerfile").read_text()
PROJECT = tomllib.loads((PLATFORM / "pyproject.toml").read_text())["project"]
EXTRAS = tuple(re.findall(r"--extra (\w+)", DOCKERFILE))
OVERRIDES = ("gpu-overrides.txt", "tensorrt-overrides.txt")


def exact(text: str) -> list[tuple[str, Version]]:
    """Names and versions of requirements as NAME==VERSION; a name has several where Pythons differ."""
    lines = re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE)
    return [(name, Version(version)) for name, version in lines]


PINS = exact((PLATFORM / "constraints.txt").read_text())


def pinned() -> dict[str, Version]:
    """constraints.txt: versions by name."""
    return dict(PINS)


def overridden(name: str) -> list[str]:
    """Packages that an override file leaves out everywhere."""
    return re.findall(r'^([\w-]+) ; sys_platform == "never"$', (PLATFORM / name).read_text(), re.MULTILINE)


def test_the_shared_versions_hold_for_the_gpu_too() -> None:
    pins = pinned()

    for line in PROJECT["optional-dependencies"]["gpu"]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins[requirement.name]), line
        assert requirement.marker is not None
        assert not requirement.marker.evaluate({"sys_platform": "darwin"})


def test_both_runtimes_are_of_one_version_so_that_reports_compare() -> None:
    assert pinned()["onnxruntime-gpu"] == pinned()["onnxruntime"]


def test_tensorrt_is_of_the_version_that_its_bindings_and_its_libraries_have() -> None:
    version = pinned()["tensorrt-cu13"]
    library = re.search(r"org\.bytedeco:tensorrt:([\d.]+)-", DOCKERFILE)

    assert pinned()["tensorrt-cu13-bindings"] == version
    assert library is not None
    assert Version(library[1]).release == version.release[:2]
    assert version.major == 10  # onnxruntime's provider opens libnvinfer.so.10


def test_the_gpu_s_environment_has_one_onnxruntime_and_everybody_elses_has_no_other() -> None:
    others = {name: extra for name, extra in PROJECT["optional-dependencies"].items() if name != "gpu"}

    assert overridden("gpu-overrides.txt") == ["onnxruntime"]
    assert [name for name, extra in others.items() if any("gpu" in line for line in extra)] == []
    assert "--override gpu-overrides.txt" in DOCKERFILE


def test_the_libraries_that_are_not_on_the_index_are_left_out_of_the_shared_versions() -> None:
    assert overridden("tensorrt-overrides.txt") == ["tensorrt-cu13-libs"]
    assert "tensorrt-cu13-libs" not in pinned()


def last_stage(dockerfile: str) -> list[str]:
    """Instructions after the last FROM, that line included, one a line."""
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    stages = "\n".join(lines).replace("\\\n", " ").split("FROM ")
    return [" ".join(line.split()) for line in stages[-1].splitlines() if line.strip()]


def test_both_builders_prove_with_the_same_triton_as_the_same_user() -> None:
    plain, gpu = (
        last_stage((PLATFORM / "images" / name / "Dockerfile").read_text()) for name in ("builder", "builder-gpu")
    )

    assert gpu[0] == plain[0] == "docker.io/modelyard/triton-cpu:0.1.0"
    assert [line for line in gpu if line.startswith("USER")] == ["USER 0:0", "USER 1000:1000"]
    assert all("MODELYARD_TRITON_HOME=/opt/tritonserver" in "".join(stage) for stage in (plain, gpu))
    assert gpu[-2:] == plain[-2:]


def test_a_node_gives_the_image_its_driver_and_the_program_that_names_the_gpu() -> None:
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in DOCKERFILE  # libcuda, and nvidia-smi


def test_the_extra_resolves_from_the_index_to_the_shared_versions() -> None:
    uv = find_uv()
    assert uv, "there is no uv here: `make setup` puts one into the cache folder."
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--constraint", "constraints.txt"]
    command += ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36", "pyproject.toml"]
    command += [word for extra in EXTRAS for word in ("--extra", extra)]
    command += [word for name in OVERRIDES for word in ("--override", name)]

    done = subprocess.run(command, cwd=PLATFORM, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    resolved, present = exact(done.stdout), {name for name, _ in exact(done.stdout)}
    assert {"onnxruntime-gpu", "tensorrt-cu13", "tensorrt-cu13-bindings", "nvidia-cudnn-cu13"} <= present
    assert not {"onnxruntime", "tensorrt-cu13-libs"} & present
    assert set(resolved) <= set(PINS)
