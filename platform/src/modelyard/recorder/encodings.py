"""Bodies as they were before somebody compressed them for the way.

Triton compresses an answer for whoever accepts it, which most HTTP clients do, and reads compressed requests; gRPC
marks a compressed message in its prefix. A body is a stranger's and a few bytes may stand for gigabytes, so no more is
unpacked than is kept of a body.
"""

import zlib

from .tensors import Malformed

_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""`deflate` on the way is the zlib format (RFC 9110, 8.4.1.2)."""


def unpacked(content: bytes, encoding: str, limit: int) -> bytes:
    """The body that `content` stands for in a `Content-Encoding` or `grpc-encoding`; empty or `identity`: as it is.

    Raises Malformed for another encoding, a damaged body, one that is not whole, and one longer than `limit` bytes.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return content
    if name not in _WINDOWS:
        raise Malformed("a content encoding that is not known")
    inflating = zlib.decompressobj(_WINDOWS[name])
    try:
        whole = inflating.decompress(content, limit + 1)
    except zlib.error as bad:
        raise Malformed("a damaged content encoding") from bad
    if len(whole) > limit:
        raise Malformed("longer than what is kept of a body")
    if not inflating.eof:
        raise Malformed("a damaged content encoding")
    return whole
