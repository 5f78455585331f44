"""The keys that read the store, as a Secret that is mounted as files has them: read again when they change."""

import logging
from pathlib import Path

from modelyard.errors import InvalidSettings

from .request_signature import ReaderKeys

_NAMES = ("accessKeyId", "secretAccessKey")
_log = logging.getLogger(__name__)


class MountedKeys:
    """The keys in a folder; `current()` is cheap. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        """Raises InvalidSettings when they are not there."""
        self._folder = folder
        self._stamp, self._keys = self._read()

    def current(self) -> ReaderKeys:
        """Those that hold now; the last ones while they cannot be read."""
        try:
            if self._stamps() != self._stamp:
                self._stamp, self._keys = self._read()
                _log.info("store keys renewed")
        except (OSError, InvalidSettings) as bad:
            _log.warning("store keys not read", extra={"fields": {"error": str(bad)}})
        return self._keys

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        found = [(self._folder / name).stat() for name in _NAMES]
        return tuple((each.st_mtime_ns, each.st_ino) for each in found)

    def _read(self) -> tuple[tuple[tuple[int, int], ...], ReaderKeys]:
        try:
            stamp = self._stamps()
            keys = ReaderKeys(*((self._folder / name).read_text().strip() for name in _NAMES))
        except OSError as bad:
            raise InvalidSettings(
                f"{self._folder} lacks {' and '.join(_NAMES)}: mount the Secret with the keys that read the store."
            ) from bad
        if not all(keys):
            raise InvalidSettings(f"{self._folder} holds an empty key: correct the Secret that is mounted there.")
        return stamp, keys
