"""`spec.cache`: answers are kept in the server's memory and given again to whoever asks the same.

The server keys them by the model, its version and the whole request, and a revision has a server of its own: no answer
of another version is ever given.
"""

from pydantic import Field

from modelyard.api.quantity import CacheSize, bytes_of
from modelyard.api.shape import Shape


class ResponseCache(Shape):
    """How much memory of every replica answers may take."""

    size: CacheSize = Field(description='Memory of one replica for answers, such as "64MB"; beside that of the model.')

    @property
    def size_bytes(self) -> int:
        """`size` in bytes."""
        return bytes_of(self.size)
