"""Programs that run while images are built: they leave out what is not used, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from localcluster.image_builds.catalogue import PLATFORM_FOLDER


def environment(folder: Path) -> Path:
    """A Python environment with a package that has tests, botocore, and a package that another layer holds too."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in ("plain/__init__.py", "plain/tests/test_it.py", "shared/__init__.py", "shared/own.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text("")
    for service in ("s3", "sts", "ec2"):
        (packages / "botocore" / "data" / service).mkdir(parents=True)
    (packages / "botocore" / "data" / "endpoints.json").write_text("{}")
    return packages


def run(folder: Path, program: str, *words: str | Path) -> str:
    argv = [folder / "bin" / "python", PLATFORM_FOLDER / program, *words]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=ours).stdout


def test_tests_and_other_services_go_and_packages_stay(tmp_path: Path):
    packages = environment(tmp_path / "environment")
    run(tmp_path / "environment", "slim.py")
    assert (packages / "plain" / "__init__.py").exists()
    assert not (packages / "plain" / "tests").exists()
    data = packages / "botocore" / "data"
    assert sorted(path.name for path in data.iterdir()) == ["endpoints.json", "s3", "sts"]


def test_a_package_that_another_layer_holds_becomes_a_link_to_it(tmp_path: Path):
    packages = environment(tmp_path / "environment")
    run(tmp_path / "environment", "slim.py", "/opt/elsewhere", "shared")
    assert (packages / "shared").readlink() == Path("/opt/elsewhere/shared")
    assert (packages / "plain").is_dir()


def test_bytecode_is_written_of_what_is_imported_only(tmp_path: Path):
    packages = environment(tmp_path / "environment")
    modelyard = packages / "modelyard"
    modelyard.mkdir()
    (modelyard / "__init__.py").write_text("")
    (modelyard / "used.py").write_text("import shared.own\n")
    (modelyard / "other.py").write_text("import a_package_of_another_image\n")
    output = run(tmp_path / "environment", "bytecode.py", "plain")
    assert "modelyard.other is left out: No module named 'a_package_of_another_image'" in output
    compiled = {path.name.split(".")[0] for path in packages.rglob("*.pyc")}
    assert {"used", "own"} <= compiled
    assert "test_it" not in compiled
