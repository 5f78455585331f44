"""Structured logs: one line of JSON an event, ours and those of the libraries alike.

    log.info("status applied", extra={"fields": {"model": "demo/digits", "generation": 3}})

Bodies of objects are never logged: Secrets are among them. Libraries that would print bodies at debug
level are kept at warnings whatever level is asked for.
"""

import json
import logging
import sys
from datetime import UTC, datetime

_TALKATIVE = ("kubernetes", "urllib3", "botocore", "boto3", "httpx", "httpcore", "asyncio", "s3transfer")


class JsonLine(logging.Formatter):
    """time, level, logger, message, then the event's own fields, then the error with its trace."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start(level: str = "INFO") -> None:
    """Sends everything to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("modelyard").setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
