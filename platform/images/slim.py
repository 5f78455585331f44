"""`slim.py [SITE PACKAGE ...]`: makes the environment it runs in smaller. Standard library only.

What packages bring for their own tests goes, and what botocore knows of services other than S3. The PACKAGEs are
taken from SITE, a folder of another layer that holds them in the same version: links take the place of a second copy.
"""

import shutil
import sys
import sysconfig
from pathlib import Path

NEEDED_SERVICES = ("s3", "sts", "sso", "sso-oidc")
TESTS = ("*/tests", "*/*/tests", "*/*/*/tests", "onnx/backend/test/data")


def slim(packages: Path, shared: Path, names: list[str]) -> None:
    """Removes and links in `packages`, the folder that is imported from."""
    services = [folder for folder in (packages / "botocore" / "data").glob("*") if folder.is_dir()]
    unneeded = [folder for folder in services if folder.name not in NEEDED_SERVICES]
    unneeded += [folder for pattern in TESTS for folder in packages.glob(pattern) if folder.is_dir()]
    for folder in [*unneeded, *(packages / name for name in names)]:
        shutil.rmtree(folder, ignore_errors=True)  # one may have lain in another
    for name in names:
        (packages / name).symlink_to(shared / name)


if __name__ == "__main__":
    slim(Path(sysconfig.get_path("purelib")), Path(sys.argv[1] if len(sys.argv) > 1 else "."), sys.argv[2:])
