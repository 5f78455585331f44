"""A `tritonserver` on disk that really ends badly a number of times and then is the real one."""

import re
from dataclasses import dataclass
from pathlib import Path

ALWAYS = 1000
LOCK_ERROR = (
    "terminate called after throwing an instance of 'boost::interprocess::lock_exception'\n"
    "  what():  boost::interprocess::lock_exception\n"
)
"""What Triton was seen to say on a busy machine, before it aborted."""
_SCRIPT = """#!/bin/sh
ulimit -c 0
echo "$@" >> {folder}/starts
for argument; do
  case "$argument" in
    --backend-config=python,shm-region-prefix-name=*) touch "/dev/shm/${{argument##*=}}left" ;;
  esac
done
if [ "$(wc -l < {folder}/starts)" -le {times} ]; then
  cat {folder}/words >&2
  {ending}
fi
exec {real} "$@"
"""


@dataclass(frozen=True)
class FailingTriton:
    """A Triton home whose server fails."""

    home: Path

    @property
    def prefixes(self) -> list[str]:
        """The names of shared memory that each start was given."""
        starts = (self.home / "starts").read_text()
        return re.findall(r"shm-region-prefix-name=(\S+)", starts)

    @property
    def left(self) -> list[str]:
        """What lies in shared memory under these names."""
        return [path.name for prefix in self.prefixes for path in Path("/dev/shm").glob(f"{prefix}*")]


def failing_triton(home: Path, ending: str, times: int, *, words: str = "", real: Path | None = None) -> FailingTriton:
    """In HOME, a server whose first `times` starts say `words` and then run the shell command `ending`.

    Afterwards it is the Triton of the home `real`.
    """
    (home / "bin").mkdir(parents=True)
    (home / "words").write_text(words)
    for name in ("backends", "lib"):
        if real is not None:
            (home / name).symlink_to(real / name)
    program = home / "bin" / "tritonserver"
    place = real / "bin" / "tritonserver" if real is not None else "/bin/false"
    program.write_text(_SCRIPT.format(folder=home, times=times, ending=ending, real=place))
    program.chmod(0o755)
    return FailingTriton(home)
