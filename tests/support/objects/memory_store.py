"""A store in memory, for tests of who reads and writes objects: it can be away, and counts what it was asked."""

from collections import Counter
from collections.abc import Iterator

from modelyard.core.storage.object_store import Stored
from modelyard.errors import Unreachable


class MemoryStore:
    """Objects by key; `asked` counts calls by their name; while it is `away` every call fails."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.away = False

    def get(self, key: str) -> bytes | None:
        self._call("get")
        return self.objects.get(key)

    def put(self, key: str, content: bytes) -> None:
        self._call("put")
        self.objects[key] = content

    def list(self, prefix: str) -> Iterator[Stored]:
        self._call("list")
        return iter([Stored(key, len(self.objects[key])) for key in sorted(self.objects) if key.startswith(prefix)])

    def _call(self, name: str) -> None:
        if self.away:
            raise Unreachable("the store does not answer at http://store: check store.endpoint.")
        self.asked[name] += 1
