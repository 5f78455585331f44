"""What of a row may be written, decided before anything is.

| column | what is written |
|---|---|
| in `log.columns` | its values |
| in `log.redact` | a keyed hash of each value: the same person is the same text, and nobody reads who |
| any other | nothing |

The key is the platform's, and another for each Model, so that hashes of two Models cannot be joined. What is hashed is
a value's text as a label has it: 1, 1.0 and true are one, whatever type a tensor has, or no label would be an answer.
Names of columns are those of `records.columns`; a tensor's name stands for all of its columns.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.records.columns import belongs

ALL = "*"
"""Every column that is not redacted."""
_BYTES = 16


@dataclass(frozen=True)
class Redaction:
    """Which columns are kept and which are hashed with `key`."""

    columns: frozenset[str]
    hashed: frozenset[str]
    key: bytes

    def hides(self, name: str) -> bool:
        """Whether of a column of that name only hashes are written."""
        return belongs(name, self.hashed)

    def text(self, name: str, value: str) -> str:
        """What may be written of one label's text: its hash where `name` is redacted, else the text."""
        return hashed(value, self.key) if self.hides(name) else value

    def kept(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """What may be written of columns by name."""
        kept = {}
        for name, values in columns.items():
            if self.hides(name):
                kept[name] = hashes(values, self.key)
            elif ALL in self.columns or belongs(name, self.columns):
                kept[name] = values
        return kept


def model_key(secret: bytes, namespace: str, model: str) -> bytes:
    """The key of a Model's hashes."""
    return hmac.new(secret, f"{namespace}/{model}".encode(), hashlib.sha256).digest()


def hashed(value: Any, key: bytes) -> str:
    """A value's hash: 32 hexadecimal digits, of the value's text."""
    whole = isinstance(value, bool | np.bool_) or (isinstance(value, float | np.floating) and float(value).is_integer())
    return _hash_of(str(int(value)) if whole else str(value), key)


def hashes_of_text(text: str, key: bytes) -> frozenset[str]:
    """The hashes that a value has which a person writes so: of a number as each type of a tensor has it.

    Those of older recorders are among them, which hashed 1.0 and True as they are.
    """
    texts = {text}
    try:
        number = float(text)
        with np.errstate(over="ignore"):
            texts |= {str(kind(number)) for kind in (np.float16, np.float32, np.float64)}
        texts |= {str(int(number))} if number.is_integer() else set()
    except ValueError:
        said = text.lower()
        texts |= {str(said == "true"), str(int(said == "true"))} if said in ("true", "false") else set()
    return frozenset(_hash_of(each, key) for each in texts)


def hashes(values: Iterable[Any], key: bytes) -> Any:
    """The hashes of an array's values."""
    listed = [hashed(value, key) for value in values]
    found = np.empty(len(listed), object)
    found[:] = listed
    return found


def _hash_of(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[: 2 * _BYTES]
