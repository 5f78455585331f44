"""Hatch's hook for Modelyard's wheel: compiles what Triton's CPU image has in C, for machines without a compiler.

Where this is built without a C compiler, or on another system, the wheel is a pure one, and `assemble.py` compiles or
does without. An editable install takes the sources as they are.
"""

import importlib.util
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TAG = "py3-none-manylinux_2_34_x86_64"
"""Python only starts it, as a child; the C library of Debian 12 and its like (glibc 2.34)."""
PLACE = "modelyard/builder/triton/triton-cpu/compiled"


class CompiledBackend(BuildHookInterface):
    """Adds the libraries to the wheel, and says in its tag what they need."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling."""
        if version == "editable" or (sys.platform, platform.machine()) != ("linux", "x86_64") or not shutil.which("cc"):
            return
        script = Path(self.root, "images", "triton-cpu", "assemble.py")
        found = importlib.util.spec_from_file_location("assemble", script)
        assert found
        assert found.loader
        assemble = importlib.util.module_from_spec(found)
        found.loader.exec_module(assemble)
        self.folder = tempfile.TemporaryDirectory()  # gone with the process too, where `finalize` is never called
        for place, sources in assemble.COMPILED.items():
            library = Path(self.folder.name, Path(place).name)
            assemble.compile_library(sources, library)
            build_data["force_include"][str(library)] = f"{PLACE}/{library.name}"
        build_data["pure_python"] = False
        build_data["tag"] = TAG

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """See hatchling."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
