"""Keys and values of labels, and names of classes, as Kubernetes takes them, with the sentences it does not have."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from modelyard.api.shape import cel

_NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DOMAIN = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_KEY = f"^({_DOMAIN}/)?{_NAME}$"
_VALUE = f"^({_NAME})?$"
_SAY_KEY = (
    "write a label key such as team or example.com/team: up to 63 letters, digits, -, _ and ., "
    "with a DNS name and / in front of it or not"
)
_SAY_VALUE = 'write a label value such as "gpu" or "true": up to 63 letters, digits, -, _ and .'
_SAY_CLASS = "write the name of a PriorityClass as `kubectl get priorityclasses` shows it, such as high-priority"
MAX_LABELS = 16


def is_label_key(text: str) -> bool:
    """Whether Kubernetes takes the text as the key of a label or annotation."""
    return re.fullmatch(_KEY, text) is not None


def is_label_value(text: str) -> bool:
    """Whether Kubernetes takes the text as the value of a label."""
    return re.fullmatch(_VALUE, text) is not None


def _key(text: str) -> str:
    if not is_label_key(text):
        raise ValueError(_SAY_KEY)
    return text


def _value(text: str) -> str:
    if not is_label_value(text):
        raise ValueError(_SAY_VALUE)
    return text


def _class(text: str) -> str:
    if re.fullmatch(f"^{_DOMAIN}$", text) is None:
        raise ValueError(_SAY_CLASS)
    return text


def _keys(labels: dict[str, str]) -> dict[str, str]:
    for key in labels:
        _key(key)
    return labels


def _written(description: str, pattern: str, say: str) -> Any:
    """The schema of a word that must match."""
    return WithJsonSchema(
        {
            "type": "string",
            "maxLength": 317,
            "description": description,
            "x-kubernetes-validations": [cel(f"self.matches('{pattern}')", say)],
        }
    )


LabelKey = Annotated[str, AfterValidator(_key), _written("Key of a label.", _KEY, _SAY_KEY)]

LabelValue = Annotated[str, AfterValidator(_value), _written("Value of a label.", _VALUE, _SAY_VALUE)]

PriorityClassName = Annotated[
    str, AfterValidator(_class), _written("Name of a PriorityClass.", f"^{_DOMAIN}$", _SAY_CLASS)
]

LabelMap = Annotated[
    dict[str, LabelValue],
    Field(
        max_length=MAX_LABELS,
        json_schema_extra={"x-kubernetes-validations": [dict(cel(f"self.all(key, key.matches('{_KEY}'))", _SAY_KEY))]},
    ),
    AfterValidator(_keys),
]
"""Labels by key, at most `MAX_LABELS`."""
