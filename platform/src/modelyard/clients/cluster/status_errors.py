"""What an answer of the API server means that is not the one that was asked for.

| answer | error |
|---|---|
| none, 5xx | Unreachable |
| 409 | Conflict |
| 429 | Throttled |
| 410 | Expired: the version or page that was asked for is forgotten |
| 400, 401, 403, 422, 404 of a collection | Refused |
"""

from modelyard.errors import Conflict, OutsideError, Refused, Throttled, Unreachable

_GONE = 410


class Expired(Refused):
    """The API server has forgotten the version or the page that was asked for: list again."""

    @property
    def reason(self) -> str:
        """As of all that is refused; whoever watches lists again, and nobody else is told."""
        return Refused.__name__


_ERRORS: dict[int, type[OutsideError]] = {409: Conflict, _GONE: Expired, 429: Throttled}


def error_of(status: int | None, message: str, asked: str) -> OutsideError:
    """The error for an answer with that HTTP status, None for no answer; `asked` is what was asked for."""
    text = f"{asked}: {message or 'no reason given'}"
    if not status or status >= 500:
        return Unreachable(text)
    return _ERRORS.get(status, Refused)(text)
