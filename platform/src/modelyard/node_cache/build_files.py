"""What the files of builds have to be: path, size and SHA-256, as the report of each build says.

A report is read when the first of its files is asked for, and again after the build was listed, with which every
download begins: a build that was deleted and made again is another one.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Protocol

from pydantic import ValidationError

from modelyard.api.entry import EntryFile
from modelyard.api.report import Report
from modelyard.core.storage.keys import build_report

_KEY = re.compile(r"builds/(?P<digest>[0-9a-f]{64})/repository/(?P<path>.+)")
_LISTED = re.compile(r"builds/(?P<digest>[0-9a-f]{64})/.*")
_MOST = 256


class Reports(Protocol):
    """The store as far as it is asked for reports."""

    def get(self, key: str) -> bytes | None: ...


class BuildFiles:
    """The reports of the builds that were asked for last. Thread-safe."""

    def __init__(self, store: Reports) -> None:
        self._store, self._lock = store, Lock()
        self._known: OrderedDict[str, Mapping[str, EntryFile]] = OrderedDict()

    def of(self, key: str) -> EntryFile | None:
        """What lies at that key of the bucket; None when it is no file that a report knows.

        Raises OutsideError when the store does not give the report.
        """
        named = _KEY.fullmatch(key)
        if named is None:
            return None
        with self._lock:
            files = self._known.get(named["digest"])
        if files is None:
            files = self._read(named["digest"])
            with self._lock:
                self._known[named["digest"]] = files
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return files.get(named["path"])

    def listed(self, prefix: str) -> None:
        """The keys below `prefix` are being listed."""
        named = _LISTED.fullmatch(prefix)
        with self._lock:
            self._known.pop(named["digest"] if named else "", None)

    def _read(self, digest: str) -> Mapping[str, EntryFile]:
        content = self._store.get(build_report(f"sha256:{digest}"))
        try:
            report = None if content is None else Report.model_validate_json(content)
        except ValidationError:
            report = None
        return {file.path: file for file in report.files} if report is not None else {}
