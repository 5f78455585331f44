"""Where things lie: the clone, the state of this clone's cluster, and the cache all clones share."""

from dataclasses import dataclass
from pathlib import Path

from modelyard.installation import cache_folder

PACKAGE = Path(__file__).resolve().parent
PLATFORM = PACKAGE.parent
REPOSITORY = PLATFORM.parent


@dataclass(frozen=True)
class Paths:
    """All folders. `home` is the clone's `.modelyard`, `cache` is shared."""

    home: Path
    cache: Path

    @property
    def state(self) -> Path:
        return self.home / "cluster"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def kubeconfig(self) -> Path:
        return self.home / "kubeconfig"

    @property
    def config(self) -> Path:
        return self.home / "config.yaml"

    @property
    def certificates(self) -> Path:
        return self.state / "certificates"

    @property
    def images(self) -> Path:
        return self.cache / "images"

    @property
    def containerd(self) -> Path:
        """containerd keeps imported images here, so that the next start imports only what changed."""
        return self.cache / "containerd"

    @property
    def module_cache(self) -> Path:
        return self.cache / "go" / "mod"

    @property
    def build_cache(self) -> Path:
        return self.cache / "go" / "build"


def default() -> Paths:
    """The folders in force: `.modelyard` in this clone and the cache folder."""
    return Paths(home=REPOSITORY / ".modelyard", cache=cache_folder())
