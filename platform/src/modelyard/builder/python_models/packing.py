"""The environment of a Python model: its packages, installed where the folder is staged, in one file of the entry.

What is pushed is what runs: the digest of the entry covers it, an author's signature too, and no build and no server
needs a package index. Only wheels are installed, for Linux x86-64 and the Python of the image `triton-cpu`, so that
nothing of a package's author is run by it. The same wheels give the same bytes on every machine: what an installer
writes of itself, of the machine and of the time is left out, scripts among it.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from modelyard.builder.environments import packages
from modelyard.errors import InvalidEntry

from .folder import ENVIRONMENT, WHEELS, require_packed
from .requirements import REQUIREMENTS, PinnedPackage, normalized, read_requirements

PYTHON = "3.11"
"""The Python of the image `triton-cpu`, whose stub runs the code."""
_OF_THE_INSTALLER = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def packed(folder: Path, scratch: Path, say: Callable[[str], None]) -> Path:
    """FOLDER itself when its packages lie in it or it has none, else a copy in SCRATCH/entry with them.

    Raises InvalidEntry when requirements.txt is not usable or wheels/ lacks a package, Unreachable when packages cannot
    be downloaded.
    """
    pinned = read_requirements(folder)
    if (folder / ENVIRONMENT).is_file() or not (pinned or (folder / WHEELS).is_dir()):
        require_packed(folder)
        return folder
    copied = scratch / "entry"
    shutil.copytree(folder, copied, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    shutil.rmtree(copied / WHEELS, ignore_errors=True)
    if pinned:
        say(f"installing what {REQUIREMENTS} pins: {len(pinned)} in all")
        wheels = folder / WHEELS
        pack(pinned, wheels if wheels.is_dir() else None, copied / ENVIRONMENT, say)
    require_packed(copied)
    return copied


def pack(pinned: Sequence[PinnedPackage], wheels: Path | None, target: Path, say: Callable[[str], None]) -> None:
    """Installs packages, from the folder WHEELS alone when there is one, and writes them to the archive TARGET.

    Raises InvalidEntry when WHEELS lacks what is pinned, Unreachable when packages cannot be downloaded.
    """
    if wheels is not None:
        _require_wheels(pinned, wheels)
    with tempfile.TemporaryDirectory(prefix="modelyard-environment-") as scratch:
        listed, site = Path(scratch, REQUIREMENTS), Path(scratch, "site")
        listed.write_text("".join(f"{package}\n" for package in pinned))
        packages.install_for_servers(listed, site, PYTHON, wheels, say)
        _archive(site, target)


def _require_wheels(pinned: Sequence[PinnedPackage], wheels: Path) -> None:
    present = {normalized(wheel.name.partition("-")[0]) for wheel in wheels.glob("*.whl")}
    missing = [package.name for package in pinned if package.name not in present]
    if missing:
        raise InvalidEntry(
            f"{WHEELS}/ has no wheel of {', '.join(missing[:4])}, which {REQUIREMENTS} pins; put it there (pip "
            f"download), or remove {WHEELS}/ to have all of them downloaded."
        )


def _archive(site: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            parts = path.relative_to(site).parts
            if _is_of_the_installer(parts):
                continue
            member = zipfile.ZipInfo("/".join(parts), _LONG_AGO)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink)


def _is_of_the_installer(parts: tuple[str, ...]) -> bool:
    """Whether it tells of the installation and not of a package."""
    if len(parts) == 1:
        return parts[0].startswith(".")
    described = len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] in _OF_THE_INSTALLER
    return described or parts[0] == "bin" or "__pycache__" in parts
